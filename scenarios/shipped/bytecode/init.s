# init.s - the first program: it starts the bytecode machine once for each bytecode program, each time in a
# process of its own, and compares what the process leaves with what was foreseen.

# ---- The programs of the guest system, by number -----------------------------------------------------------
        .equ    MACHINE,        1               # 0 is init

        .section .rodata
        .align  2
programs:                               # where each begins
        .word   init, machine
programs_end:

        .data
        .align  2
user_data:                              # how every page of data begins: all zeros
        .word   0
user_data_end:

        .equ    CODE,           USER_DATA       # where wait() puts an exit code

        .macro  system number
        li      t0, \number
        ecall
        .endm

# ---- A row of the list below: a bytecode program, and the exit code foreseen -------------------------------
        .equ    B_NAME,         0               # a text that ends with 0
        .equ    B_BEGIN,        4
        .equ    B_END,          8
        .equ    B_FORESEEN,     12
        .equ    B_SIZE,         16

        .text
        .align  12
user_code:

# init: exits with the number of programs that did not end as foreseen. s0 = row, s1 = mistakes. Whatever a
# bytecode program does, its process ends by itself, with a code of the machine's: the kernel, which would
# have to end a process that did wrong, is never needed.
init:
        la      s0, bytecodes
        li      s1, 0
1:      la      t0, bytecodes           # the row's number is the argument
        sub     a1, s0, t0
        srli    a1, a1, 4               # B_SIZE is 16
        li      a0, MACHINE
        system  SYS_SPAWN
        li      a0, CODE
        system  SYS_WAIT
        li      t0, CODE
        lw      t0, 0(t0)
        lw      t1, B_FORESEEN(s0)
        beq     t0, t1, 2f
        addi    s1, s1, 1
2:      addi    s0, s0, B_SIZE
        la      t0, bytecodes_end
        bne     s0, t0, 1b
        mv      a0, s1
        system  SYS_EXIT

        .align  2
bytecodes:
        .word   name_primes,    primes,    primes_end,    0
        .word   name_fibonacci, fibonacci, fibonacci_end, 0
        .word   name_poor,      poor,      poor_end,      STOP_EMPTY
        .word   name_rich,      rich,      rich_end,      STOP_FULL
        .word   name_deep,      deep,      deep_end,      STOP_CALLS
        .word   name_lost,      lost,      lost_end,      STOP_PLACE
        .word   name_strange,   strange,   strange_end,   STOP_OPCODE
        .word   name_greedy,    greedy,    greedy_end,    STOP_VARIABLE
        .word   name_naught,    naught,    naught_end,    STOP_ZERO
bytecodes_end:

name_primes:    .asciz  "primes"
name_fibonacci: .asciz  "fibonacci"
name_poor:      .asciz  "poor"
name_rich:      .asciz  "rich"
name_deep:      .asciz  "deep"
name_lost:      .asciz  "lost"
name_strange:   .asciz  "strange"
name_greedy:    .asciz  "greedy"
name_naught:    .asciz  "naught"
