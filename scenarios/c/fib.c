/* Fibonacci numbers by double recursion: calls, returns and little else. */
#include "bench.h"

#ifndef DEFN
#define DEFN 27 /* which Fibonacci number */
#endif

NOINLINE static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

NOINLINE u32 kernel(u32 n) { return fib(n); }

int main(void) { return report(kernel(DEFN)); }
