#pragma once
#include <sys/syscall.h>
#include <unistd.h>

// Declared by glibc for _GNU_SOURCE only: an unnamed file in memory. 1 is MFD_CLOEXEC.
static inline int linux_memfd_create(const char *name) { return (int)syscall(SYS_memfd_create, name, 1); }
