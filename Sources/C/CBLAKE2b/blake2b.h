/// BLAKE2b without key, salt or personalisation (RFC 7693): one message in pieces, or several side by side.
///
/// In C since Swift cannot compile a function for one kind of processor and choose it at run time.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// The state of a message that begins; its digest is to have 1 to 32 bytes.
void blake2b_begin(uint64_t state[8], size_t digest_length);

/// Mixes `count` blocks of 128 bytes, none of them the last, into the state of a message of which `total` bytes came before.
void blake2b_compress(uint64_t state[8], const void *blocks, size_t count, uint64_t total);

/// Mixes in the end of a message of which `total` bytes came before, 0 to 128 bytes. The digest is the state's first bytes,
/// words little-endian.
void blake2b_end(uint64_t state[8], const void *bytes, size_t length, uint64_t total);

struct blake2b_message {
    const void *bytes;
    size_t length;
    /// 1 to 32.
    size_t digest_length;
    uint8_t digest[32];
};

/// Hashes messages of any lengths, as many at a time as there are `lanes`, at most blake2b_lanes().
void blake2b_hash(struct blake2b_message *messages, size_t count, size_t lanes);

/// How many messages at a time the processor can: 8 with AVX-512, 4 with AVX2, else 1.
size_t blake2b_lanes(void);
