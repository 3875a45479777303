/* Random writes, reads, maps, truncations, holes and reopenings of one file, each compared with a copy in memory: what
 * fsx of the BSDs does, in small. Usage: fsx FILE SEED OPERATIONS. The file may be there already. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1 << 20 };
static unsigned char model[MOST], buffer[MOST];
static const char *path;
static long operation;

static void stop(const char *what) {
    printf("operation %ld: %s: %s\n", operation, what, strerror(errno));
    exit(1);
}

static void compare(const unsigned char *got, off_t at, size_t length, const char *what) {
    for (size_t n = 0; n < length; n++)
        if (got[n] != model[at + n]) {
            printf("operation %ld: %s: byte %lld is %02x, not %02x\n", operation, what, (long long)at + n, got[n], model[at + n]);
            exit(1);
        }
}

static int opened(int flags) {
    int file = open(path, O_RDWR | flags, 0644);
    if (file < 0) stop("open");
    return file;
}

int main(int count, char **words) {
    if (count != 4) return 2;
    path = words[1];
    srandom(atoi(words[2]));
    long operations = atol(words[3]);
    int file = opened(O_CREAT);
    struct stat facts;
    if (fstat(file, &facts)) stop("fstat");
    if (facts.st_size > MOST && ftruncate(file, MOST)) stop("ftruncate");
    off_t size = facts.st_size > MOST ? MOST : facts.st_size;
    if (pread(file, model, size, 0) != size) stop("the first read");
    for (operation = 1; operation <= operations; operation++) {
        off_t at = random() % MOST;
        size_t length = random() % (operation % 7 ? 20000 : 200000) + 1;
        if (at + length > MOST) length = MOST - at;
        size_t inside = at >= size ? 0 : at + (off_t)length > size ? (size_t)(size - at) : length;
        off_t page = at & ~4095L;
        switch (random() % 9) {
        case 0: case 1:
            for (size_t n = 0; n < length; n++) model[at + n] = random();
            if (pwrite(file, model + at, length, at) != (ssize_t)length) stop("write");
            if (at + (off_t)length > size) size = at + length;
            break;
        case 2: case 3:
            if (pread(file, buffer, length, at) != (ssize_t)inside) stop("read: its length");
            compare(buffer, at, inside, "read");
            break;
        case 4:
            if (random() % 4) break;
            if (ftruncate(file, at)) stop("truncate");
            if (at < size) memset(model + at, 0, size - at);
            size = at;
            break;
        case 5: case 6: {
            if (!inside) break;
            int writes = random() % 2;
            size_t mapped = inside + (at - page);
            unsigned char *map = mmap(NULL, mapped, writes ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, file, page);
            if (map == MAP_FAILED) stop("mmap");
            compare(map + (at - page), at, inside, "map");
            if (writes) {
                for (size_t n = 0; n < inside; n++) map[at - page + n] = model[at + n] = random();
                if (random() % 2 && msync(map, mapped, MS_SYNC)) stop("msync");
            }
            if (munmap(map, mapped)) stop("munmap");
            break;
        }
        case 7:
            if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length)) {
                if (errno != EOPNOTSUPP) stop("punch");
            } else
                memset(model + at, 0, inside);
            break;
        case 8:
            if (random() % 2 && fsync(file)) stop("fsync");
            if (close(file)) stop("close");
            file = opened(0);
            if (fstat(file, &facts) || facts.st_size != size) stop("size after reopening");
        }
    }
    if (pread(file, buffer, MOST, 0) != size) stop("the last read: its length");
    compare(buffer, 0, size, "the last read");
    return 0;
}
