/* CRC-32 bit by bit: shifts and masks, one load for every eight steps. */
#include "bench.h"

#ifndef DEFN
#define DEFN 3 /* repetitions */
#endif
#ifndef N
#define N (1 << 16) /* bytes */
#endif

static u8 data[N];

NOINLINE u32 kernel(u32 reps) {
    u32 random = 12345;
    for (u32 i = 0; i < N; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = random >> 24;
    }
    u32 crc = ~0u;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i < N; i++) {
            crc ^= data[i];
            for (u32 k = 0; k < 8; k++) crc = (crc >> 1) ^ (0xEDB88320u & (0 - (crc & 1)));
        }
    }
    return ~crc;
}

int main(void) { return report(kernel(DEFN)); }
