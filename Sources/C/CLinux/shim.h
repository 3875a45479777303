#pragma once
// Headers that Swift's Glibc module map leaves out. _GNU_SOURCE must not be defined: types would differ from Glibc's.
#include <fcntl.h>
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

// Hidden behind _GNU_SOURCE in <sys/mman.h>: an unnamed file in memory, closed on exec.
extern int memfd_create(const char *name, unsigned int flags);
static inline int linux_memfd_create(const char *name) { return memfd_create(name, 1U /* MFD_CLOEXEC */); }
