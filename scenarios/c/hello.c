/* The smallest program worth running: one line, written by one system call, then another to exit. */
#include "trapeze.h"

int main(void) {
    puts("Hello from ring 3.");
    return 0;
}
