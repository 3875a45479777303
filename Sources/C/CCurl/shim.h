#pragma once
#include <curl/curl.h>

// The functions that this package uses are defined in library.c, which loads libcurl when the first is called: it brings
// thirty libraries along, 3.5 ms of a program's start, and only stores behind HTTP need it. All but curl_getdate are for
// after a curl_global_init that succeeded.

// curl_easy_setopt, curl_multi_setopt and curl_easy_getinfo are variadic (and macros that check types): Swift has
// neither. One function per type of argument; the caller keeps to the type that the option's page names.
typedef size_t (*curl_data_function)(char *data, size_t size, size_t count, void *context);
typedef int (*curl_progress_function)(void *context, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

CURLcode curl_easy_setopt_long(CURL *easy, CURLoption option, long value);
CURLcode curl_easy_setopt_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode curl_easy_setopt_string(CURL *easy, CURLoption option, const char *value);
CURLcode curl_easy_setopt_pointer(CURL *easy, CURLoption option, void *value);
CURLcode curl_easy_setopt_list(CURL *easy, CURLoption option, struct curl_slist *value);
CURLcode curl_easy_setopt_data_function(CURL *easy, CURLoption option, curl_data_function value);
CURLcode curl_easy_setopt_progress_function(CURL *easy, curl_progress_function value);
CURLMcode curl_multi_setopt_long(CURLM *multi, CURLMoption option, long value);
CURLcode curl_easy_getinfo_long(CURL *easy, CURLINFO info, long *value);
CURLcode curl_easy_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value);
CURLcode curl_easy_getinfo_pointer(CURL *easy, CURLINFO info, void **value);
