#pragma once
#include <microhttpd.h>

// The functions that this package uses are defined in library.c, which loads libmicrohttpd with the first server: GnuTLS
// comes with it, 1 ms of a program's start, and only who asks for metrics needs it.

// MHD_start_daemon is variadic: Swift cannot call it. A server with a thread of its own on a socket that listens; NULL
// when it cannot be started; errno is ELIBACC when the library is not installed.
struct MHD_Daemon *mhd_start_on_socket(
    int listener, unsigned connections, unsigned timeout_seconds, size_t connection_memory,
    MHD_AccessHandlerCallback handler, void *context);
