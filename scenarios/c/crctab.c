/* CRC-32 by table: two loads a byte, the second at an address that the first decides. */
#include "bench.h"

#ifndef DEFN
#define DEFN 16 /* repetitions */
#endif
#ifndef N
#define N (1 << 16) /* bytes */
#endif

static u8 data[N];
static u32 table[256];

NOINLINE u32 kernel(u32 reps) {
    u32 random = 12345;
    for (u32 i = 0; i < N; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = random >> 24;
    }
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (u32 k = 0; k < 8; k++) c = (c >> 1) ^ (0xEDB88320u & (0 - (c & 1)));
        table[i] = c;
    }
    u32 crc = ~0u;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i < N; i++) crc = (crc >> 8) ^ table[(crc ^ data[i]) & 255];
    }
    return ~crc;
}

int main(void) { return report(kernel(DEFN)); }
