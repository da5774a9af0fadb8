/* Copying byte by byte: a load and a store, as often as the machine can. */
#include "bench.h"

#ifndef DEFN
#define DEFN 25 /* repetitions */
#endif
#define N 65536 /* bytes */

static u8 a[N], b[N];

NOINLINE static void copy(u8 *to, const u8 *from, u32 n) {
    for (u32 i = 0; i < n; i++) {
        to[i] = from[i];
        KEEP_LOOP;
    }
}

NOINLINE u32 kernel(u32 reps) {
    for (u32 i = 0; i < N; i++) a[i] = i * 13;
    u32 sum = 0;
    for (u32 r = 0; r < reps; r++) {
        copy(b, a, N);
        sum += b[r & (N - 1)];
        a[(r * 77) & (N - 1)] ^= sum; /* so that no two copies are the same */
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
