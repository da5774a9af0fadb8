/* What the benchmark kernels share. Each is a program whose `kernel(DEFN)` computes one number, and whose
   `main` prints it. The sizes suit tests: 6 to 15 million instructions of Ring32. A measurement wants more,
   which CFLAGS gives, for instance CFLAGS='-O2 -DN=4000000 -DDEFN=130' for sieve.c. */
#ifndef BENCH_H
#define BENCH_H

#include "trapeze.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int i32;
typedef long long i64;

/* Keeps a call a call: inlined into `main`, a kernel would be specialized for its DEFN. */
#define NOINLINE __attribute__((noinline))

/* Keeps a copying loop a loop: gcc would call memcpy instead. */
#define KEEP_LOOP __asm__ volatile("" ::: "memory")

/* Prints `result` as eight hexadecimal digits; returns the program's exit status. */
static inline int report(u32 result) {
    char text[9];
    for (int i = 0; i < 8; i++) text[i] = "0123456789abcdef"[result >> (28 - 4 * i) & 15];
    text[8] = 0;
    puts(text);
    return 0;
}

#endif
