/* The runtime library of the C programs; trapeze.h says what each function is for. */
#include "trapeze.h"

typedef unsigned char u8;
/* A word that may overlay objects of any type, which is what copying memory by words needs. */
typedef unsigned int __attribute__((may_alias)) word;

/* gcc recognizes a loop that copies or fills memory and calls memcpy or memset instead: inside those two, an
   endless recursion. An empty assembly statement in the loop stops it. */
#define KEEP_LOOP __asm__ volatile("")

/* Linux's convention: the call's number in a7, or in t0 for RV32E, which has no a7; arguments and result in a0... */
enum { SYS_WRITE = 64, SYS_EXIT = 93 };

#ifdef __riscv_32e
#define CALL_NUMBER "t0"
#else
#define CALL_NUMBER "a7"
#endif

static int system_call(int number, int first, int second, int third) {
    register int call __asm__(CALL_NUMBER) = number;
    register int a0 __asm__("a0") = first;
    register int a1 __asm__("a1") = second;
    register int a2 __asm__("a2") = third;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(call), "r"(a1), "r"(a2) : "memory");
    return a0;
}

__PTRDIFF_TYPE__ write(int fd, const void *data, size_t length) {
    return system_call(SYS_WRITE, fd, (int)data, (int)length);
}

static char line[256];
static size_t line_length;

/* A write may take less than it was given; one that takes nothing or fails loses the rest. */
static void flush(void) {
    for (size_t done = 0; done < line_length;) {
        __PTRDIFF_TYPE__ taken = write(1, line + done, line_length - done);
        if (taken <= 0) break;
        done += taken;
    }
    line_length = 0;
}

void exit(int status) {
    flush();
    for (;;) system_call(SYS_EXIT, status, 0, 0);
}

int putchar(int c) {
    line[line_length++] = c;
    if (c == '\n' || line_length == sizeof line) flush();
    return (u8)c;
}

int puts(const char *text) {
    while (*text) putchar(*text++);
    return putchar('\n');
}

static int word_aligned(const void *address) { return (size_t)address % sizeof(word) == 0; }

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    u8 *t = to;
    const u8 *f = from;
    if (word_aligned(t) && word_aligned(f)) {
        for (; length >= sizeof(word); length -= sizeof(word), t += sizeof(word), f += sizeof(word)) {
            *(word *)t = *(const word *)f;
            KEEP_LOOP;
        }
    }
    for (; length > 0; length--) {
        *t++ = *f++;
        KEEP_LOOP;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length) {
    u8 *t = to;
    const u8 *f = from;
    /* Copying upwards is safe unless `to` lies inside the source; if it lies below, the subtraction wraps. */
    if ((size_t)t - (size_t)f >= length) return memcpy(to, from, length);
    while (length > 0) {
        length--;
        t[length] = f[length];
        KEEP_LOOP;
    }
    return to;
}

void *memset(void *to, int byte, size_t length) {
    u8 *t = to;
    for (; length > 0 && !word_aligned(t); length--) {
        *t++ = byte;
        KEEP_LOOP;
    }
    word pattern = (u8)byte * 0x01010101u;
    for (; length >= sizeof(word); length -= sizeof(word), t += sizeof(word)) {
        *(word *)t = pattern;
        KEEP_LOOP;
    }
    for (; length > 0; length--) {
        *t++ = byte;
        KEEP_LOOP;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t length) {
    const u8 *l = left, *r = right;
    for (; length > 0; length--, l++, r++) {
        if (*l != *r) return *l - *r;
    }
    return 0;
}
