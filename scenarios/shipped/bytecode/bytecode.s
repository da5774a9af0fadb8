# bytecode.s - the bytecode programs, as bytes. Nothing here is an instruction of Ring32. A compiler would have
# written this, and any computer that has a bytecode machine could run it, byte by byte the same.

# primes: those below 50. N is the number in question, D the divisor that is tried.
        .equ    N,              0
        .equ    D,              1

primes:
        .byte   PUSH, 2, STORE, N
1:      .byte   LOAD, N, PUSH, 50, LESS, JZERO, 5f-primes
        .byte   PUSH, 2, STORE, D
2:      .byte   LOAD, N, LOAD, D, DUP, MUL, LESS        # n < d * d: no divisor can follow
        .byte   JZERO, 3f-primes
        .byte   LOAD, N, NUMBER, PUSH, ' ', CHAR
        .byte   JUMP, 4f-primes
3:      .byte   LOAD, N, LOAD, D, REM, JZERO, 4f-primes
        .byte   LOAD, D, PUSH, 1, ADD, STORE, D
        .byte   JUMP, 2b-primes
4:      .byte   LOAD, N, PUSH, 1, ADD, STORE, N
        .byte   JUMP, 1b-primes
5:      .byte   HALT
primes_end:

# fibonacci: the first ten, each by itself and in the slowest way, which has the most calls.
fibonacci:
        .byte   PUSH, 0                                 # which one
1:      .byte   DUP, CALL, 2f-fibonacci, NUMBER, PUSH, ' ', CHAR
        .byte   PUSH, 1, ADD
        .byte   DUP, PUSH, 10, SUB, JZERO, 4f-fibonacci
        .byte   JUMP, 1b-fibonacci
2:      .byte   DUP, PUSH, 2, LESS, JZERO, 3f-fibonacci # n -> its Fibonacci number
        .byte   RETURN                                  # of 0 and 1, the number itself
3:      .byte   DUP, PUSH, 1, SUB, CALL, 2b-fibonacci
        .byte   SWAP, PUSH, 2, SUB, CALL, 2b-fibonacci
        .byte   ADD, RETURN
4:      .byte   DROP, HALT
fibonacci_end:

# poor: adds two numbers that it does not have.
poor:
        .byte   PUSH, 1, ADD, HALT
poor_end:

# rich: puts numbers on the stack without end.
rich:
        .byte   PUSH, 1, JUMP, 0
rich_end:

# deep: calls itself without end.
deep:
        .byte   CALL, 0
deep_end:

# lost: goes where there is no program any more.
lost:
        .byte   JUMP, 200
lost_end:

# strange: a byte that is no instruction.
strange:
        .byte   99
strange_end:

# greedy: the first variable that there is not.
greedy:
        .byte   PUSH, 1, STORE, 16, HALT
greedy_end:

# naught: divides by zero.
naught:
        .byte   PUSH, 1, PUSH, 0, REM, HALT
naught_end:

        .align  12
user_code_end:
