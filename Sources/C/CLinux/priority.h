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

// The time slice of this thread in nanoseconds, leaving its nice value: since Linux 6.12 a thread that wakes with a shorter
// slice takes the processor from one with a longer one at once. Before, nothing happens. Neither call has a wrapper in
// glibc 2.36, and <linux/sched/types.h> names the structure (its first version, 48 bytes) as glibc's own header does.
static inline void linux_set_time_slice(unsigned long long nanoseconds) {
    struct {
        unsigned size, policy;
        unsigned long long flags;
        int nice;
        unsigned priority;
        unsigned long long runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != 0) return;
    attributes.runtime = nanoseconds;
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// O_DIRECT, which differs between processors.
static const int linux_o_direct = __O_DIRECT;
