#pragma once
#include <sys/syscall.h>
#include <unistd.h>

// Declared by glibc for _GNU_SOURCE only: moves the calling thread. 0x40000000 is CLONE_NEWNET.
static inline int linux_setns_network(int descriptor) { return (int)syscall(SYS_setns, descriptor, 0x40000000); }
