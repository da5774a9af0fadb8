# machine.s - the bytecode machine: a machine that exists only as this program.
#
# It has no registers. Its instructions take their operands from a stack of numbers and leave their results
# there. Beside the stack there are 16 variables, and a second stack, of the places to return to. A place is
# an offset in the bytecode program, not an address: a bytecode program cannot even name a byte of the
# computer that it runs on, nor does it know which kind of computer that is.
#
# An instruction is one byte, the opcode, or two: some have an operand, 0 to 255.

# ---- Instructions ------------------------------------------------------------------------------------------
        .equ    HALT,           0               # the end
        .equ    PUSH,           1               # n:  -> n
        .equ    DUP,            2               #     a -> a a
        .equ    DROP,           3               #     a ->
        .equ    SWAP,           4               #     a b -> b a
        .equ    LOAD,           5               # v:  -> the value of variable v
        .equ    STORE,          6               # v:  a ->          variable v becomes a
        .equ    ADD,            7               #     a b -> a + b
        .equ    SUB,            8               #     a b -> a - b
        .equ    MUL,            9               #     a b -> a * b
        .equ    REM,            10              #     a b -> what is left of a / b
        .equ    LESS,           11              #     a b -> 1 if a < b, else 0
        .equ    JUMP,           12              # p:  go to p
        .equ    JZERO,          13              # p:  a ->          go to p if a is 0
        .equ    CALL,           14              # p:  go to p, and remember the place behind
        .equ    RETURN,         15              # go to the place remembered last
        .equ    NUMBER,         16              #     a ->          print a
        .equ    CHAR,           17              #     a ->          print the character a
        .equ    OPCODES,        18

# ---- Why the machine stops a program: the exit code of its process -----------------------------------------
        .equ    STOP_EMPTY,     1
        .equ    STOP_FULL,      2
        .equ    STOP_CALLS,     3
        .equ    STOP_PLACE,     4
        .equ    STOP_OPCODE,    5
        .equ    STOP_VARIABLE,  6
        .equ    STOP_ZERO,      7

# ---- The page of data --------------------------------------------------------------------------------------
        .equ    VARIABLES,      USER_DATA+64    # 16 words
        .equ    VARIABLES_COUNT,16
        .equ    STACK,          USER_DATA+256   # 32 words
        .equ    STACK_END,      USER_DATA+384
        .equ    CALLS,          USER_DATA+512   # 16 words
        .equ    CALLS_END,      USER_DATA+576
        .equ    LINE,           USER_DATA+1024  # what has been printed of a line
        .equ    LINE_END,       USER_DATA+1280
        .equ    DIGITS_END,     USER_DATA+1536  # a number's digits end here

# ---- A row of the table of instructions: what the machine must know before it carries one out --------------
        .equ    I_ROUTINE,      0
        .equ    I_OPERAND,      4               # 1 if there is an operand
        .equ    I_TAKES,        5               # how many bytes it takes off the stack, 4 for each number
        .equ    I_GIVES,        6               # how many it puts there

        .macro  instruction routine, operand, takes, gives
        .word   \routine
        .byte   \operand, 4*\takes, 4*\gives, 0
        .endm

        .text
        .align  2

# machine(n): run the bytecode program of row n. All along:
#   gp = where the bytecode program lies         s1 = top of the stack, which grows upwards
#   tp = how many bytes it has                   a5 = top of the stack of calls
#   s0 = the place of the next instruction       a4 = instructions carried out
#                                                a3 = where the next character goes
# The kernel keeps every register of a process but a0, so they last from one system call to the next.
machine:
        la      t0, bytecodes
        slli    a0, a0, 4
        add     t0, t0, a0
        lw      gp, B_BEGIN(t0)
        lw      tp, B_END(t0)
        sub     tp, tp, gp
        li      s0, 0
        li      s1, STACK
        li      a5, CALLS
        li      a4, 0
        li      a3, LINE
        lw      a0, B_NAME(t0)
        call    say
        la      a0, text_colon
        call    say

# The heart of it: fetch, decode, execute. Everything that could go wrong is checked here, or in the routine
# of the instruction. So this machine needs no other protection, and would be as safe in a kernel.
next:
        bgeu    s0, tp, stop_place
        add     t0, gp, s0
        lbu     t1, 0(t0)               # the opcode
        lbu     a2, 1(t0)               # its operand, or some byte if it has none
        li      t2, OPCODES
        bgeu    t1, t2, stop_opcode
        la      t2, instructions
        slli    t1, t1, 3
        add     t2, t2, t1              # its row

        lbu     t1, I_OPERAND(t2)
        add     s0, s0, t1
        bgeu    s0, tp, stop_place      # the operand would be behind the end
        addi    s0, s0, 1
        addi    a4, a4, 1

        lbu     t1, I_TAKES(t2)
        sub     s1, s1, t1
        li      t0, STACK
        bltu    s1, t0, stop_empty
        lbu     t1, I_GIVES(t2)
        add     t1, t1, s1
        li      t0, STACK_END
        bgtu    t1, t0, stop_full

        lw      a0, 0(s1)               # the numbers that it takes, if it takes any
        lw      a1, 4(s1)
        lw      t2, I_ROUTINE(t2)
        jr      t2

# ---- One routine for each instruction: operand in a2, numbers from the stack in a0 and a1 ------------------

do_push:
        mv      a0, a2
        j       give
do_dup:
        addi    s1, s1, 4               # a stays where it was
        j       give
do_swap:
        sw      a1, 0(s1)
        addi    s1, s1, 4
        j       give

do_load:
        li      t0, VARIABLES_COUNT
        bgeu    a2, t0, stop_variable
        slli    a2, a2, 2
        li      t0, VARIABLES
        add     t0, t0, a2
        lw      a0, 0(t0)
        j       give
do_store:
        li      t0, VARIABLES_COUNT
        bgeu    a2, t0, stop_variable
        slli    a2, a2, 2
        li      t0, VARIABLES
        add     t0, t0, a2
        sw      a0, 0(t0)
        j       next

do_add:
        add     a0, a0, a1
        j       give
do_sub:
        sub     a0, a0, a1
        j       give
do_mul:
        mul     a0, a0, a1
        j       give
do_rem:
        beqz    a1, stop_zero           # Ring32 has an answer to that; this machine has not
        rem     a0, a0, a1
        j       give
do_less:
        slt     a0, a0, a1
        # fall through

# give: put a0 on the stack, and go on.
give:
        sw      a0, 0(s1)
        addi    s1, s1, 4
        j       next

do_call:
        li      t0, CALLS_END
        beq     a5, t0, stop_calls
        sw      s0, 0(a5)
        addi    a5, a5, 4
        # fall through
do_jump:
        mv      s0, a2                  # `next` will see whether there is such a place
        j       next
do_jzero:
        beqz    a0, do_jump
        j       next
do_return:
        li      t0, CALLS
        beq     a5, t0, stop_calls
        addi    a5, a5, -4
        lw      s0, 0(a5)
        j       next

do_number:
        call    say_number
        j       next
do_char:
        call    say_char
        j       next

# The end as it should be.
do_halt:
        la      a0, text_halt
        call    say
        mv      a0, a4
        call    say_number
        la      a0, text_bytecodes
        call    say
        li      a0, 0
        system  SYS_EXIT

# ---- Stops: the exit code is at the same time the number of the reason -------------------------------------
stop_empty:
        li      s1, STOP_EMPTY
        j       stop
stop_full:
        li      s1, STOP_FULL
        j       stop
stop_calls:
        li      s1, STOP_CALLS
        j       stop
stop_place:
        li      s1, STOP_PLACE
        j       stop
stop_opcode:
        li      s1, STOP_OPCODE
        j       stop
stop_variable:
        li      s1, STOP_VARIABLE
        j       stop
stop_zero:
        li      s1, STOP_ZERO
stop:
        la      a0, text_stopped
        call    say
        la      t0, reasons
        slli    t1, s1, 2
        add     t0, t0, t1
        lw      a0, -4(t0)              # reasons are counted from 1
        call    say
        li      a0, '\n'
        call    say_char
        mv      a0, s1
        system  SYS_EXIT

# ---- Printing: the only thing for which the machine asks the kernel ----------------------------------------
# Characters are collected, and written when a line is complete or the buffer is full. What a routine uses is
# named with it; all that the machine holds on to stays as it is.

# say_char(character): uses a0 to a2 and t0
say_char:
        sb      a0, 0(a3)
        addi    a3, a3, 1
        addi    t0, a0, -'\n'
        beqz    t0, 1f
        li      t0, LINE_END
        bne     a3, t0, 2f
1:      li      a0, 1
        li      a1, LINE
        sub     a2, a3, a1
        system  SYS_WRITE
        li      a3, LINE
2:      ret

# say_number(number): uses a0 to a2 and t0 to t2. The digits come out last first.
say_number:
        li      t1, DIGITS_END
        li      t2, 10
        sb      zero, 0(t1)
        mv      a1, a0
        bgez    a0, 1f
        neg     a0, a0
1:      remu    t0, a0, t2
        addi    t0, t0, '0'
        addi    t1, t1, -1
        sb      t0, 0(t1)
        divu    a0, a0, t2
        bnez    a0, 1b
        bgez    a1, 2f
        li      t0, '-'
        addi    t1, t1, -1
        sb      t0, 0(t1)
2:      mv      a0, t1
        # fall through

# say(text that ends with 0): uses a0 to a2 and t0 to t2
say:
        mv      t1, ra
        mv      t2, a0
1:      lbu     a0, 0(t2)
        beqz    a0, 2f
        addi    t2, t2, 1
        call    say_char
        j       1b
2:      jr      t1

# ---- Tables and texts --------------------------------------------------------------------------------------
        .align  2
instructions:                           # by opcode
        #           routine   operand takes gives
        instruction do_halt,    0,      0,      0
        instruction do_push,    1,      0,      1
        instruction do_dup,     0,      1,      2
        instruction next,       0,      1,      0       # DROP: taken, and that is all
        instruction do_swap,    0,      2,      2
        instruction do_load,    1,      0,      1
        instruction do_store,   1,      1,      0
        instruction do_add,     0,      2,      1
        instruction do_sub,     0,      2,      1
        instruction do_mul,     0,      2,      1
        instruction do_rem,     0,      2,      1
        instruction do_less,    0,      2,      1
        instruction do_jump,    1,      0,      0
        instruction do_jzero,   1,      1,      0
        instruction do_call,    1,      0,      0
        instruction do_return,  0,      0,      0
        instruction do_number,  0,      1,      0
        instruction do_char,    0,      1,      0

reasons:
        .word   text_empty, text_full, text_calls, text_place, text_opcode, text_variable, text_zero

text_colon:     .asciz  ": "
text_halt:      .asciz  "("
text_bytecodes: .asciz  " bytecodes)\n"
text_stopped:   .asciz  "stopped: "
text_empty:     .asciz  "takes from an empty stack"
text_full:      .asciz  "the stack is full"
text_calls:     .asciz  "calls too deep, or a return without a call"
text_place:     .asciz  "goes to a place outside the program"
text_opcode:    .asciz  "no such instruction"
text_variable:  .asciz  "no such variable"
text_zero:      .asciz  "divides by zero"
