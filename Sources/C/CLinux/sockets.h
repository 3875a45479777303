#pragma once
#include <sys/syscall.h>
#include <unistd.h>
// Not sys/socket.h: its names would then be this module's and no longer Glibc's. Numbers are those of x86-64 and arm64.

// O_PATH is a macro for _GNU_SOURCE only.
static const int linux_o_path = 010000000;

// accept4(2) is declared for _GNU_SOURCE only. The flags are SOCK_NONBLOCK | SOCK_CLOEXEC.
static inline int linux_accept(int listener) {
    return (int)syscall(SYS_accept4, listener, (void *)0, (void *)0, 04000 | 02000000);
}

// struct ucred is declared for _GNU_SOURCE only. The effective user of the process that connected, see SO_PEERCRED (17)
// of SOL_SOCKET (1) in unix(7).
static inline int linux_peer_uid(int connection, uid_t *uid) {
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;
    unsigned size = sizeof peer;
    int outcome = (int)syscall(SYS_getsockopt, connection, 1, 17, &peer, &size);
    if (outcome == 0) *uid = peer.uid;
    return outcome;
}
