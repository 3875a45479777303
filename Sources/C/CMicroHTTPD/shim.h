#pragma once
#include <microhttpd.h>

// MHD_start_daemon is variadic: Swift cannot call it. A server with a thread of its own on a socket that listens.
static inline struct MHD_Daemon *mhd_start_on_socket(
    int listener, unsigned connections, unsigned timeout_seconds, size_t connection_memory,
    MHD_AccessHandlerCallback handler, void *context) {
    return MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, handler, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory,
        MHD_OPTION_END);
}
