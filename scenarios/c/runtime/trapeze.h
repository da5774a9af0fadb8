/* What a C program may call on Ring32: two system calls, and as much of the C library as printing a line
   takes. The names and types are the C library's, so that the same source also compiles for the host. */
#ifndef TRAPEZE_H
#define TRAPEZE_H

typedef __SIZE_TYPE__ size_t;

/* System calls. `exit` first writes out what `putchar` has buffered. */
__PTRDIFF_TYPE__ write(int fd, const void *data, size_t length);
__attribute__((noreturn)) void exit(int status);

/* Standard output, written a line at a time. */
int putchar(int c);
int puts(const char *line);

/* gcc may call these four even where the source does not. */
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *left, const void *right, size_t length);

#endif
