/* Quicksort of random numbers: branches that nobody can predict. */
#include "bench.h"

#ifndef DEFN
#define DEFN 2 /* repetitions */
#endif
#ifndef N
#define N (1 << 15) /* numbers */
#endif

static u32 numbers[N];

/* Recurses into the shorter part only, so the stack stays short. */
NOINLINE static void sort(u32 *a, i32 low, i32 high) {
    while (low < high) {
        u32 pivot = a[(low + high) >> 1];
        i32 i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) {
                u32 t = a[i];
                a[i] = a[j];
                a[j] = t;
                i++;
                j--;
            }
        }
        if (j - low < high - i) {
            if (low < j) sort(a, low, j);
            low = i;
        } else {
            if (i < high) sort(a, i, high);
            high = j;
        }
    }
}

NOINLINE u32 kernel(u32 reps) {
    u32 sum = 0, random = 1;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i < N; i++) {
            random = random * 1664525 + 1013904223;
            numbers[i] = random;
        }
        sort(numbers, 0, N - 1);
        for (u32 i = 0; i < N; i += 1023) sum = sum * 31 + numbers[i];
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
