/* The ChaCha20 block function (RFC 8439, section 2.3): sixteen words of state, all in use all the time. With 32
   registers they can stay there; with 16, almost half of the function is loads and stores. */
#include "bench.h"

#ifndef DEFN
#define DEFN 2500 /* blocks */
#endif

static u32 rotated(u32 word, int left) { return word << left | word >> (32 - left); }

#define QUARTER(a, b, c, d)              \
    a += b, d = rotated(d ^ a, 16);      \
    c += d, b = rotated(b ^ c, 12);      \
    a += b, d = rotated(d ^ a, 8);       \
    c += d, b = rotated(b ^ c, 7)

/* The state of the test vector in section 2.3.2: constants, key, counter, nonce. */
static u32 state[16] = {
    0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
    0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c, 1,          0x09000000, 0x4a000000, 0,
};

/* The key stream of the block that the state's counter names. */
NOINLINE void block(u32 out[16]) {
    u32 a = state[0], b = state[1], c = state[2], d = state[3];
    u32 e = state[4], f = state[5], g = state[6], h = state[7];
    u32 i = state[8], j = state[9], k = state[10], l = state[11];
    u32 m = state[12], n = state[13], o = state[14], p = state[15];
    for (int round = 0; round < 20; round += 2) {
        QUARTER(a, e, i, m);
        QUARTER(b, f, j, n);
        QUARTER(c, g, k, o);
        QUARTER(d, h, l, p);
        QUARTER(a, f, k, p);
        QUARTER(b, g, l, m);
        QUARTER(c, h, i, n);
        QUARTER(d, e, j, o);
    }
    u32 mixed[16] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p};
    for (int word = 0; word < 16; word++) out[word] = mixed[word] + state[word];
}

/* All words of so many blocks, from the test vector's on, in one. */
NOINLINE u32 kernel(u32 blocks) {
    u32 sum = 0, out[16];
    for (; blocks > 0; blocks--, state[12]++) {
        block(out);
        for (int word = 0; word < 16; word++) sum = rotated(sum, 1) ^ out[word];
    }
    return sum;
}

static void print(u32 word) {
    for (int bit = 28; bit >= 0; bit -= 4) putchar("0123456789abcdef"[word >> bit & 15]);
}

int main(void) {
    u32 out[16];
    block(out);
    /* As the RFC prints it. */
    for (int word = 0; word < 16; word++) {
        print(out[word]);
        putchar(word % 4 == 3 ? '\n' : ' ');
    }
    return report(kernel(DEFN));
}
