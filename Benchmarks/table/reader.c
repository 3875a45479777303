/* Reads as fast as C can, so that the file system is what is measured: the same program for all of them.
 *
 * reader small LIST ROUNDS     open, read and close every path in the file LIST, ROUNDS times: seconds of each round
 * reader tree FOLDER           read every regular file below FOLDER, in the order of find(1): seconds, and bytes
 * reader read FILE ...         each file from its beginning to its end, 1 MiB at a time: seconds, and bytes
 * reader map FILE ...          the same through a map, one byte of each page
 * reader drop FILE ...         drop the file system's own pages of each file: nothing is printed but 0
 * reader at FILE OFFSET SIZE   one pread(2): seconds, and bytes
 * reader trace LIST SIZE       pread SIZE bytes for each line "OFFSET PATH" of LIST: seconds, and bytes
 * reader walk FOLDER           go through FOLDER as find(1) does, with an lstat(2) of each entry: seconds, and entries
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];
static unsigned long long total;

static void fail(const char *what) {
    fprintf(stderr, "reader: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int opened(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    return file;
}

static void read_whole(const char *path, size_t size) {
    int file = opened(path);
    ssize_t count;
    while ((count = read(file, buffer, size)) > 0) total += count;
    if (count < 0) fail(path);
    close(file);
}

static void map_whole(const char *path) {
    int file = opened(path);
    struct stat status;
    if (fstat(file, &status)) fail(path);
    volatile const char *map = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) fail(path);
    unsigned sum = 0;
    for (off_t offset = 0; offset < status.st_size; offset += 4096) sum += map[offset];
    total += status.st_size;
    munmap((void *)map, status.st_size);
    close(file);
    buffer[0] = sum;
}

static void drop(const char *path) {
    int file = opened(path);
    if ((errno = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED))) fail(path);
    close(file);
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)place;
    if (kind == FTW_DNR || kind == FTW_NS) fail(path);
    if (S_ISREG(status->st_mode)) read_whole(path, 128 << 10);
    return 0;
}

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)place;
    if (kind == FTW_DNR || kind == FTW_NS) fail(path);
    total++;
    return 0;
}

/* The lines of a file, in memory: what is read meanwhile is of the file system that is measured. */
static char **lines(const char *path, size_t *count) {
    int file = opened(path);
    struct stat status;
    if (fstat(file, &status)) fail(path);
    char *text = malloc(status.st_size + 1);
    if (!text || read(file, text, status.st_size) != status.st_size) fail(path);
    text[status.st_size] = 0;
    close(file);
    size_t most = 0;
    for (char *c = text; *c; c++) most += *c == '\n';
    char **all = malloc((most + 1) * sizeof *all);
    if (!all) fail(path);
    *count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) all[(*count)++] = line;
    return all;
}

static void at(const char *path, off_t offset, size_t size) {
    int file = opened(path);
    if (size > sizeof buffer) size = sizeof buffer;
    ssize_t count = pread(file, buffer, size, offset);
    if (count < 0) fail(path);
    total += count;
    close(file);
}

int main(int count, char **words) {
    if (count < 3) return fprintf(stderr, "reader: what?\n"), 2;
    const char *what = words[1];
    size_t length = 0;
    char **list = strcmp(what, "small") && strcmp(what, "trace") ? NULL : lines(words[2], &length);
    int rounds = strcmp(what, "small") || count < 4 ? 1 : atoi(words[3]);
    for (int round = 0; round < rounds; round++) {
        total = 0;
        double start = now();
        if (!strcmp(what, "small")) {
            for (size_t i = 0; i < length; i++) read_whole(list[i], 64 << 10);
        } else if (!strcmp(what, "trace") && count == 4) {
            for (size_t i = 0; i < length; i++) at(strchr(list[i], ' ') + 1, atoll(list[i]), atoll(words[3]));
        } else if (!strcmp(what, "tree")) {
            if (nftw(words[2], visit, 64, FTW_PHYS)) fail(words[2]);
        } else if (!strcmp(what, "walk")) {
            if (nftw(words[2], count_entry, 64, FTW_PHYS)) fail(words[2]);
        } else if (!strcmp(what, "at") && count == 5) {
            at(words[2], atoll(words[3]), atoll(words[4]));
        } else if (!strcmp(what, "read") || !strcmp(what, "map") || !strcmp(what, "drop")) {
            for (int i = 2; i < count; i++)
                !strcmp(what, "read") ? read_whole(words[i], sizeof buffer)
                : !strcmp(what, "map") ? map_whole(words[i]) : drop(words[i]);
        } else {
            return fprintf(stderr, "reader: %s is nothing to do\n", what), 2;
        }
        printf("%.9f %llu\n", now() - start, total);
    }
    return 0;
}
