/* Marsaglia's xorshift generator: shifts and exclusive-ors in one long chain, no memory, no surprises. */
#include "bench.h"

#ifndef DEFN
#define DEFN 1000000 /* numbers */
#endif

NOINLINE u32 kernel(u32 n) {
    u32 state = 2463534242u, sum = 0;
    for (u32 i = 0; i < n; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        sum += state;
    }
    return sum ^ state;
}

int main(void) { return report(kernel(DEFN)); }
