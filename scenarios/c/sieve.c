/* Sieve of Eratosthenes: byte stores with a stride, few of them near each other. */
#include "bench.h"

#ifndef DEFN
#define DEFN 4 /* repetitions */
#endif
#ifndef N
#define N 200000 /* the largest number sieved */
#endif

static u8 prime[N + 1];

NOINLINE u32 kernel(u32 reps) {
    u32 sum = 0;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i <= N; i++) prime[i] = 1;
        for (u32 i = 2; i * i <= N; i++) {
            if (prime[i]) {
                for (u32 j = i * i; j <= N; j += i) prime[j] = 0;
            }
        }
        for (u32 i = 2; i <= N; i++) sum += prime[i] * (i ^ r);
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
