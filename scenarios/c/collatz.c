/* Lengths of Collatz sequences: a loop of registers only, whose branch depends on the number's lowest bit. */
#include "bench.h"

#ifndef DEFN
#define DEFN 20000 /* sequences */
#endif

NOINLINE u32 kernel(u32 n) {
    u32 sum = 0;
    for (u32 i = 1; i <= n; i++) {
        u32 value = i % 113000 + 1, length = 0;
        while (value != 1) {
            if (value & 1) value = 3 * value + 1;
            else value >>= 1;
            length++;
        }
        sum = sum * 3 + length;
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
