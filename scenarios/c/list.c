/* A walk along a linked list in random order: each load waits for the one before it. */
#include "bench.h"

#ifndef DEFN
#define DEFN 300 /* walks */
#endif
#define N 4096 /* nodes of eight bytes: they fit a first- or second-level cache */

struct node {
    u32 next, value; /* `next` is an index, so that a node has the same size on every machine */
};

static struct node nodes[N];
static u32 order[N];

NOINLINE u32 kernel(u32 reps) {
    u32 random = 7;
    for (u32 i = 0; i < N; i++) {
        order[i] = i;
        nodes[i].value = i * 2654435761u;
    }
    for (u32 i = N - 1; i > 0; i--) {
        random = random * 1664525 + 1013904223;
        u32 j = (random >> 8) % (i + 1);
        u32 t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (u32 i = 0; i < N; i++) nodes[order[i]].next = order[(i + 1) & (N - 1)];
    u32 sum = 0, at = 0;
    for (u32 r = 0; r < reps; r++) {
        for (u32 i = 0; i < N; i++) {
            sum ^= nodes[at].value + i + r;
            at = nodes[at].next;
        }
        nodes[at].value ^= sum; /* so that no two walks are the same */
    }
    return sum;
}

int main(void) { return report(kernel(DEFN)); }
