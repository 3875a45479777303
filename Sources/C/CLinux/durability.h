#pragma once
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Declared by glibc for _GNU_SOURCE only, which must not be defined here.
static inline int linux_syncfs(int descriptor) { return (int)syscall(SYS_syncfs, descriptor); }

// rename(2) that refuses to replace (EEXIST): declared for _GNU_SOURCE only. 1 is RENAME_NOREPLACE.
static inline int linux_rename_noreplace(const char *from, const char *to) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1);
}

// O_NOATIME and SEEK_DATA are macros for _GNU_SOURCE only; these are their values on all of Linux' architectures
// that Swift runs on (x86-64 and arm64).
static const int linux_o_noatime = 01000000;
static const int linux_seek_data = 3;
static const int linux_seek_hole = 4;

// Frees a range of a file, which then reads as zeros; declared for _GNU_SOURCE only. 3 is PUNCH_HOLE | KEEP_SIZE.
static inline int linux_punch_hole(int descriptor, off_t offset, off_t length) {
    return (int)syscall(SYS_fallocate, descriptor, 3, offset, length);
}
