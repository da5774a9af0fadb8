/* Product of two 64 x 64 matrices: multiplications, and loads along rows and down columns. */
#include "bench.h"

#ifndef DEFN
#define DEFN 5 /* repetitions */
#endif

static u32 a[64][64], b[64][64], c[64][64];

NOINLINE u32 kernel(u32 reps) {
    for (u32 i = 0; i < 64; i++) {
        for (u32 j = 0; j < 64; j++) {
            a[i][j] = i * 7 + j;
            b[i][j] = i ^ (j * 3);
        }
    }
    u32 sum = 0;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i < 64; i++) {
            for (u32 j = 0; j < 64; j++) {
                u32 dot = 0;
                for (u32 k = 0; k < 64; k++) dot += a[i][k] * b[k][j];
                c[i][j] = dot;
            }
        }
        sum += c[r & 63][(r >> 6) & 63];
        a[r & 63][r % 61] ^= sum; /* so that no two repetitions are the same */
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
