#include "shim.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#define FUNCTIONS(F) \
    F(add_response_header) F(create_response_from_buffer) F(destroy_response) F(queue_response) F(start_daemon) \
    F(stop_daemon)

#define MEMBER(name) __typeof__(&MHD_##name) name;
static struct { FUNCTIONS(MEMBER) } mhd;
static bool is_loaded;

static void load(void) {
    void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
#define FIND(name) if (!(mhd.name = (__typeof__(mhd.name))dlsym(library, "MHD_" #name))) return;
    FUNCTIONS(FIND)
    is_loaded = true;
}

struct MHD_Daemon *mhd_start_on_socket(
    int listener, unsigned connections, unsigned timeout_seconds, size_t connection_memory,
    MHD_AccessHandlerCallback handler, void *context) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!is_loaded) {
        errno = ELIBACC;
        return NULL;
    }
    return mhd.start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, handler, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)listener,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory,
        MHD_OPTION_END);
}

void MHD_stop_daemon(struct MHD_Daemon *daemon) { mhd.stop_daemon(daemon); }
struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode) {
    return mhd.create_response_from_buffer(size, buffer, mode);
}
enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *header, const char *content) {
    return mhd.add_response_header(response, header, content);
}
enum MHD_Result MHD_queue_response(
    struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    return mhd.queue_response(connection, status, response);
}
void MHD_destroy_response(struct MHD_Response *response) { mhd.destroy_response(response); }
