/* The first instructions of every C program. The loader has zeroed .bss and left sp pointing at argc, as
   Linux does. */

        .file   "runtime/crt0.S"        /* else the symbol table has the temporary object's name */
        .section .text.start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        /* Relaxation would turn this into `mv gp, gp`. */
        .option push
        .option norelax
        la      gp, __global_pointer$
        .option pop

        lw      a0, 0(sp)               /* argc */
        addi    a1, sp, 4               /* argv */
        call    main
        call    exit                    /* flushes, and does not return */
        .size   _start, . - _start
