# user.s - the workloads: programs for the kernel of ../guest-os, in place of its own user.s. A scenario chooses one by
# defining WORK, how many processes do it at once (COPIES), and how often each of them does it (N).

        .section .rodata
        .align  2
programs:                               # where each begins, by number
        .word   init, compute, syscalls, forkwait, switch, transfers, idle, server, nothing
programs_end:

        .equ    NOTHING,        8
        .equ    CODE,           USER_DATA       # where wait() puts an exit code
        .equ    BLOCK,          USER_DATA+1024  # two disk buffers
        .equ    BLOCK_2,        USER_DATA+1536

        .data
        .align  2
user_data:                              # how every page of data begins
        .word   0
user_data_end:

        .macro  system number
        li      t0, \number
        ecall
        .endm

        .text
        .align  12
user_code:

# init: start the copies and wait for them. Exits with the sum of their exit codes, which is 0 if all went well.
init:
        li      s0, COPIES
1:      li      a0, WORK
        addi    a1, s0, -1
        system  SYS_SPAWN
        addi    s0, s0, -1
        bnez    s0, 1b
        li      s1, 0
2:      li      a0, CODE
        system  SYS_WAIT
        bltz    a0, 3f
        li      t0, CODE
        lw      t0, 0(t0)
        add     s1, s1, t0
        j       2b
3:      li      a0, 1
        la      a1, text_done
        li      a2, 11                  # its length
        system  SYS_WRITE
        mv      a0, s1
        # fall through

# exit: end with the code in a0.
exit:
        system  SYS_EXIT

# nothing: what is over at once.
nothing:
        li      a0, 0
        j       exit

# compute: arithmetic and memory of one's own, and no system call.
compute:
        li      s0, N
        call    think
        li      a0, 0
        j       exit

# think: s0 turns of a linear congruential generator that leaves its traces in memory. Changes t0..t2 and a0.
think:
        li      t0, 1
        li      t1, 69069
        li      t2, BLOCK
1:      mul     t0, t0, t1
        addi    t0, t0, 1
        andi    a0, t0, 0x3fc
        add     a0, a0, t2
        lw      a1, 0(a0)
        add     a1, a1, t0
        sw      a1, 0(a0)
        addi    s0, s0, -1
        bnez    s0, 1b
        ret

# syscalls: calls that are short, calls that look at memory, and calls that are refused.
syscalls:
        li      s0, N
1:      system  SYS_GETPID
        system  SYS_PREEMPTED
        li      a0, 1
        la      a1, user_code           # a write of no bytes: only the pointer is checked
        li      a2, 0
        system  SYS_WRITE
        li      a0, 7                   # no such file
        system  SYS_WRITE
        addi    s0, s0, -1
        bnez    s0, 1b
        li      a0, 0
        j       exit

# forkwait: start a process that ends at once, and wait for it.
forkwait:
        li      s0, N
        li      s1, 0
1:      li      a0, NOTHING
        li      a1, 0
        system  SYS_SPAWN
        li      a0, CODE
        system  SYS_WAIT
        srli    a0, a0, 31              # an error
        or      s1, s1, a0
        addi    s0, s0, -1
        bnez    s0, 1b
        mv      a0, s1
        j       exit

# switch: give way to the other copies.
switch:
        li      s0, N
1:      system  SYS_YIELD
        addi    s0, s0, -1
        bnez    s0, 1b
        li      a0, 0
        j       exit

# transfers: write a sector and read it back. Exits with 0 if what came back was what had been written.
transfers:
        li      s0, N
        li      s1, 0
1:      li      t0, BLOCK
        sw      s0, 0(t0)
        li      a0, 8
        mv      a1, t0
        system  SYS_WRITE_BLOCK
        or      s1, s1, a0
        li      a0, 8
        li      a1, BLOCK_2
        system  SYS_READ_BLOCK
        or      s1, s1, a0
        li      t0, BLOCK_2
        lw      t0, 0(t0)
        xor     t0, t0, s0
        or      s1, s1, t0
        addi    s0, s0, -1
        bnez    s0, 1b
        mv      a0, s1
        j       exit

# idle: sleep from each timer interrupt to the next.
idle:
        li      s0, N
1:      li      a0, 1
        system  SYS_SLEEP
        addi    s0, s0, -1
        bnez    s0, 1b
        li      a0, 0
        j       exit

# server: answer requests: a sector of the disk, some system calls, some thought, and then the next of the servers.
server:
        li      s1, N
1:      li      a0, 0
        li      a1, BLOCK_2
        system  SYS_READ_BLOCK
        bnez    a0, exit
        li      s0, 8
2:      system  SYS_GETPID
        addi    s0, s0, -1
        bnez    s0, 2b
        li      s0, 100
        call    think
        system  SYS_YIELD
        addi    s1, s1, -1
        bnez    s1, 1b
        li      a0, 0
        j       exit

text_done:      .ascii  "init: done\n"

        .align  12
user_code_end:
