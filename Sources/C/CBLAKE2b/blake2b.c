#include "blake2b.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words of messages and digests are copied as they lie");

static const uint64_t initial[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/// Which word of the message goes where, in each round (RFC 7693, 2.7).
static const uint8_t schedule[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

#define MOST_LANES 8

/// Messages side by side. Of each array only the first lanes are used where the processor has fewer.
struct lanes {
    /// By word, then lane.
    uint64_t state[8][MOST_LANES];
    /// Bytes that have been mixed in.
    uint64_t total[MOST_LANES];
    /// All ones where the next block is the message's last.
    uint64_t last[MOST_LANES];
    const uint8_t *next[MOST_LANES];
};

#define ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define MIX(a, b, c, d, x, y) \
    v[a] += v[b] + (x); \
    v[d] = ROTATE(v[d] ^ v[a], 32); \
    v[c] += v[d]; \
    v[b] = ROTATE(v[b] ^ v[c], 24); \
    v[a] += v[b] + (y); \
    v[d] = ROTATE(v[d] ^ v[a], 16); \
    v[c] += v[d]; \
    v[b] = ROTATE(v[b] ^ v[c], 63);

#define COMPRESS compress1
#define VECTOR uint64_t
#define LANES 1
#define TARGET
#include "kernel.h"

#if defined(__x86_64__)
typedef uint64_t vector4 __attribute__((vector_size(32)));
#define COMPRESS compress4
#define VECTOR vector4
#define LANES 4
#define TARGET __attribute__((target("avx2")))
#include "kernel.h"

// AVX-512 rotates in one step what takes AVX2 two or three.
#define COMPRESS compress4_rotating
#define VECTOR vector4
#define LANES 4
#define TARGET __attribute__((target("avx512f,avx512vl")))
#include "kernel.h"

typedef uint64_t vector8 __attribute__((vector_size(64)));
#define COMPRESS compress8
#define VECTOR vector8
#define LANES 8
#define TARGET __attribute__((target("avx512f,avx512vl")))
#include "kernel.h"
#endif

size_t blake2b_lanes(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) return 8;
    if (__builtin_cpu_supports("avx2")) return 4;
#endif
    return 1;
}

/// Mixes in the next blocks of the first `used` lanes, of which the processor has `most`.
static void compress(struct lanes *lanes, size_t used, size_t most, size_t blocks) {
#if defined(__x86_64__)
    // A single message is quicker by itself, and four are in vectors of four.
    if (used > 1) {
        const size_t width = used > 4 ? 8 : 4;
        // Lanes without a message repeat the first one's.
        for (size_t lane = used; lane < width; lane++) lanes->next[lane] = lanes->next[0];
        if (width == 8) return compress8(lanes, blocks);
        if (most == 8) return compress4_rotating(lanes, blocks);
        return compress4(lanes, blocks);
    }
#endif
    compress1(lanes, blocks);
}

void blake2b_begin(uint64_t state[8], size_t digest_length) {
    memcpy(state, initial, sizeof initial);
    state[0] ^= 0x01010000 ^ digest_length;
}

static void mix(uint64_t state[8], const void *blocks, size_t count, uint64_t total, uint64_t last) {
    struct lanes lanes = {.total = {total}, .last = {last}, .next = {blocks}};
    for (int i = 0; i < 8; i++) lanes.state[i][0] = state[i];
    compress1(&lanes, count);
    for (int i = 0; i < 8; i++) state[i] = lanes.state[i][0];
}

void blake2b_compress(uint64_t state[8], const void *blocks, size_t count, uint64_t total) {
    mix(state, blocks, count, total, 0);
}

void blake2b_end(uint64_t state[8], const void *bytes, size_t length, uint64_t total) {
    uint8_t block[128] = {0};
    if (length > 0) memcpy(block, bytes, length);
    // A whole block is added to it.
    mix(state, block, 1, total - (128 - length), UINT64_MAX);
}

/// A message in a lane.
struct running {
    struct blake2b_message *message;
    size_t left;
};

void blake2b_hash(struct blake2b_message *messages, size_t count, size_t most) {
    struct lanes lanes = {0};
    struct running running[MOST_LANES];
    uint8_t ends[MOST_LANES][128];
    size_t used = 0;
    while (1) {
        for (; used < most && count > 0; used++, messages++, count--) {
            uint64_t state[8];
            blake2b_begin(state, messages->digest_length);
            for (int i = 0; i < 8; i++) lanes.state[i][used] = state[i];
            lanes.total[used] = lanes.last[used] = 0;
            lanes.next[used] = messages->bytes;
            running[used] = (struct running){messages, messages->length};
        }
        if (used == 0) return;
        size_t blocks = SIZE_MAX;
        for (size_t lane = 0; lane < used; lane++) {
            const size_t whole = running[lane].left == 0 ? 0 : (running[lane].left - 1) / 128;
            if (whole < blocks) blocks = whole;
        }
        if (blocks > 0) {
            compress(&lanes, used, most, blocks);
            for (size_t lane = 0; lane < used; lane++) running[lane].left -= blocks * 128;
            continue;
        }

        // A step in which a message ends: what is left of it, and zeros.
        for (size_t lane = 0; lane < used; lane++) {
            const size_t left = running[lane].left;
            if (left > 128) continue;
            memset(ends[lane], 0, 128);
            if (left > 0) memcpy(ends[lane], lanes.next[lane], left);
            lanes.next[lane] = ends[lane];
            // The step adds a whole block.
            lanes.total[lane] -= 128 - left;
            lanes.last[lane] = UINT64_MAX;
        }
        compress(&lanes, used, most, 1);
        for (size_t lane = used; lane-- > 0;) {
            if (lanes.last[lane] == 0) {
                running[lane].left -= 128;
                continue;
            }
            for (int i = 0; i < 4; i++) memcpy(running[lane].message->digest + 8 * i, &lanes.state[i][lane], 8);
            // The last lane moves here.
            used--;
            running[lane] = running[used];
            lanes.next[lane] = lanes.next[used];
            lanes.total[lane] = lanes.total[used];
            lanes.last[lane] = lanes.last[used];
            for (int i = 0; i < 8; i++) lanes.state[i][lane] = lanes.state[i][used];
        }
    }
}
