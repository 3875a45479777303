#pragma once
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

// Not imported by Swift, since a program with threads must not call it.
static inline pid_t linux_fork(void) { return fork(); }

// Declared by glibc for _GNU_SOURCE only: closes all descriptors from one number on. Linux 5.9.
static inline int linux_close_from(int first) { return (int)syscall(SYS_close_range, first, ~0U, 0); }
