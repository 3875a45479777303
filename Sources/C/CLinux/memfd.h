#pragma once
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc declares memfd_create and the seals only for _GNU_SOURCE.
static inline int linux_memfd_create(const char *name) {
    return (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

// F_ADD_SEALS with F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE (linux/fcntl.h).
static inline int linux_memfd_seal(int fd) { return fcntl(fd, 1024 + 9, 1 | 2 | 4 | 8); }
