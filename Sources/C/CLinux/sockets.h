#pragma once
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// O_PATH is a macro for _GNU_SOURCE only; this is its value on x86-64 and arm64.
static const int linux_o_path = 010000000;

// Declared by glibc for _GNU_SOURCE only. Non-blocking, and closed by exec.
static inline int linux_accept(int listener) {
    return (int)syscall(SYS_accept4, listener, (void *)0, (void *)0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// struct ucred is declared for _GNU_SOURCE only. The effective user of the process that connected, see unix(7).
static inline int linux_peer_uid(int connection, uid_t *uid) {
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;
    socklen_t size = sizeof peer;
    int outcome = getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    if (outcome == 0) *uid = peer.uid;
    return outcome;
}
