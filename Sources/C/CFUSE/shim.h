#pragma once
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
// The kernel's own structures: the INIT exchange, directory entries and answers are written in its ABI.
#include <linux/fuse.h>
