#pragma once
// Headers that Swift's Glibc module map leaves out. _GNU_SOURCE must not be defined: types would differ from Glibc's.
#include <fcntl.h>
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

// Variadic: names the calling thread (at most 15 bytes).
static inline int linux_prctl_set_name(const char *name) { return prctl(PR_SET_NAME, name); }

// Declared only with _GNU_SOURCE: descriptors that no other thread's fork can inherit.
#include <sys/syscall.h>
#include <unistd.h>
static inline int linux_dup3(int from, int to, int flags) { return (int)syscall(SYS_dup3, from, to, flags); }
static inline int linux_pipe2(int *ends, int flags) { return (int)syscall(SYS_pipe2, ends, flags); }
