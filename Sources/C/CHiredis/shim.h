#pragma once
#include <hiredis/hiredis.h>

/* hiredis makes room for as many elements as a server declares. Up to 0.14 that has no limit of its own: there its
 * function for arrays is wrapped, in `own`, which must live as long as the connection. */
#if HIREDIS_MAJOR >= 1
static inline void hiredis_limit_arrays(redisContext *context, redisReplyObjectFunctions *own) {
    (void)own;
    context->reader->maxelements = 1024;
}
#else
static void *hiredis_short_array(const redisReadTask *task, int count) {
    const redisReplyObjectFunctions *original = (const redisReplyObjectFunctions *)task->privdata;
    return count > 1024 ? NULL : original->createArray(task, count);
}

static inline void hiredis_limit_arrays(redisContext *context, redisReplyObjectFunctions *own) {
    context->reader->privdata = context->reader->fn;
    *own = *context->reader->fn;
    own->createArray = hiredis_short_array;
    context->reader->fn = own;
}
#endif
