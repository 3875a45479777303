#define CURL_DISABLE_TYPECHECK
#include "shim.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#define FUNCTIONS(F) \
    F(easy_cleanup) F(easy_getinfo) F(easy_header) F(easy_init) F(easy_perform) F(easy_reset) F(easy_setopt) \
    F(easy_strerror) F(getdate) F(global_init) F(multi_add_handle) F(multi_info_read) F(multi_init) \
    F(multi_perform) F(multi_poll) F(multi_remove_handle) F(multi_setopt) F(multi_wakeup) F(slist_append) \
    F(slist_free_all)

#define MEMBER(name) __typeof__(&curl_##name) name;
static struct { FUNCTIONS(MEMBER) } curl;
static bool is_loaded;

// The variadic ones are macros with the number of arguments that they are usually called with.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
#define FIND(name) if (!(curl.name = (__typeof__(curl.name))dlsym(library, "curl_" #name))) return;
    FUNCTIONS(FIND)
    is_loaded = true;
}

static bool is_there(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}

// CURLE_FAILED_INIT when the library is not installed, or lacks a function.
CURLcode curl_global_init(long flags) { return is_there() ? curl.global_init(flags) : CURLE_FAILED_INIT; }

// Needs no set-up: -1, which is for what is no date, when the library is not installed.
time_t curl_getdate(const char *text, const time_t *unused) { return is_there() ? curl.getdate(text, unused) : -1; }

CURL *curl_easy_init(void) { return curl.easy_init(); }
void curl_easy_cleanup(CURL *easy) { curl.easy_cleanup(easy); }
void curl_easy_reset(CURL *easy) { curl.easy_reset(easy); }
CURLcode curl_easy_perform(CURL *easy) { return curl.easy_perform(easy); }
const char *curl_easy_strerror(CURLcode code) { return curl.easy_strerror(code); }
CURLHcode curl_easy_header(
    CURL *easy, const char *name, size_t index, unsigned origin, int request, struct curl_header **header) {
    return curl.easy_header(easy, name, index, origin, request, header);
}

CURLM *curl_multi_init(void) { return curl.multi_init(); }
CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) { return curl.multi_add_handle(multi, easy); }
CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) { return curl.multi_remove_handle(multi, easy); }
CURLMcode curl_multi_perform(CURLM *multi, int *running) { return curl.multi_perform(multi, running); }
CURLMcode curl_multi_wakeup(CURLM *multi) { return curl.multi_wakeup(multi); }
CURLMsg *curl_multi_info_read(CURLM *multi, int *waiting) { return curl.multi_info_read(multi, waiting); }
CURLMcode curl_multi_poll(CURLM *multi, struct curl_waitfd extra[], unsigned count, int milliseconds, int *ready) {
    return curl.multi_poll(multi, extra, count, milliseconds, ready);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text) {
    return curl.slist_append(list, text);
}
void curl_slist_free_all(struct curl_slist *list) { curl.slist_free_all(list); }

CURLcode curl_easy_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_string(CURL *easy, CURLoption option, const char *value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_pointer(CURL *easy, CURLoption option, void *value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_data_function(CURL *easy, CURLoption option, curl_data_function value) {
    return curl.easy_setopt(easy, option, value);
}
CURLcode curl_easy_setopt_progress_function(CURL *easy, curl_progress_function value) {
    return curl.easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, value);
}
CURLMcode curl_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl.multi_setopt(multi, option, value);
}
CURLcode curl_easy_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl.easy_getinfo(easy, info, value);
}
CURLcode curl_easy_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl.easy_getinfo(easy, info, value);
}
CURLcode curl_easy_getinfo_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl.easy_getinfo(easy, info, value);
}
