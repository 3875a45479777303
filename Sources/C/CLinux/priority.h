#pragma once
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// ioprio_set(2) has no wrapper in glibc: this thread (who 1, of number 0) reads and writes when nobody else does
// (class 3). setpriority(2) means the thread, too, but Swift cannot name its first argument.
static inline void linux_work_when_idle(void) {
    syscall(SYS_ioprio_set, 1, 0, 3 << 13);
    syscall(SYS_setpriority, 0, 0, 19);
}

// O_DIRECT, which differs between processors.
static const int linux_o_direct = __O_DIRECT;
