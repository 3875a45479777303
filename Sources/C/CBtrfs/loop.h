#pragma once
#include <linux/loop.h>
#include <sys/ioctl.h>

// ioctl(2) is variadic: one function for each request, see loop(4).
static inline int loop_get_free(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }
static inline int loop_configure(int loop, struct loop_config *config) { return ioctl(loop, LOOP_CONFIGURE, config); }
static inline int loop_get_status(int loop, struct loop_info64 *status) { return ioctl(loop, LOOP_GET_STATUS64, status); }
static inline int loop_set_capacity(int loop) { return ioctl(loop, LOOP_SET_CAPACITY); }
