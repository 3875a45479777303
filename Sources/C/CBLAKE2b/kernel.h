// The compression function for LANES messages side by side, one to a lane of each VECTOR. blake2b.c includes this once for
// each width.

TARGET static void COMPRESS(struct lanes *lanes, size_t blocks) {
    VECTOR state[8], total, last;
    memcpy(&total, lanes->total, sizeof total);
    memcpy(&last, lanes->last, sizeof last);
    for (int i = 0; i < 8; i++) memcpy(&state[i], lanes->state[i], sizeof state[i]);
    for (; blocks > 0; blocks--) {
        VECTOR m[16], v[16];
        for (int i = 0; i < 16; i++) {
            uint64_t words[LANES];
            for (int lane = 0; lane < LANES; lane++) memcpy(&words[lane], lanes->next[lane] + 8 * i, 8);
            memcpy(&m[i], words, sizeof m[i]);
        }
        for (int lane = 0; lane < LANES; lane++) lanes->next[lane] += 128;
        total += 128;
        for (int i = 0; i < 8; i++) {
            v[i] = state[i];
            v[i + 8] = (VECTOR){0} + initial[i];
        }
        v[12] ^= total;
        v[14] ^= last;
        // Written out by the compiler, so that all words stay in registers.
#pragma clang loop unroll(full)
        for (int round = 0; round < 12; round++) {
            const uint8_t *s = schedule[round % 10];
            MIX(0, 4, 8, 12, m[s[0]], m[s[1]])
            MIX(1, 5, 9, 13, m[s[2]], m[s[3]])
            MIX(2, 6, 10, 14, m[s[4]], m[s[5]])
            MIX(3, 7, 11, 15, m[s[6]], m[s[7]])
            MIX(0, 5, 10, 15, m[s[8]], m[s[9]])
            MIX(1, 6, 11, 12, m[s[10]], m[s[11]])
            MIX(2, 7, 8, 13, m[s[12]], m[s[13]])
            MIX(3, 4, 9, 14, m[s[14]], m[s[15]])
        }
        for (int i = 0; i < 8; i++) state[i] ^= v[i] ^ v[i + 8];
    }
    for (int i = 0; i < 8; i++) memcpy(lanes->state[i], &state[i], sizeof state[i]);
    memcpy(lanes->total, &total, sizeof total);
}

#undef COMPRESS
#undef VECTOR
#undef LANES
#undef TARGET
