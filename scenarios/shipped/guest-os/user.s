# user.s - the user programs. All of this runs in ring 3, with no privileged instruction and no reading of a
# clock.
#
# A program starts with its argument in a0. Its code and texts lie in pages that all processes share and
# none can write; its variables in a page of data of its own, at the same address in each process.

# ---- The programs, by number -------------------------------------------------------------------------------
        .equ    HELLO,          1               # 0 is init
        .equ    PLAYER,         2
        .equ    SLEEPER,        3
        .equ    COUNTER,        4
        .equ    FAMILY,         5
        .equ    PARENT,         6
        .equ    ORPHAN,         7
        .equ    CROWD,          8
        .equ    BRIEF,          9
        .equ    READER,         10
        .equ    SCRIBE,         11
        .equ    ILLEGAL,        12
        .equ    WILD_LOAD,      13
        .equ    CODE_STORE,     14
        .equ    KERNEL_LOAD,    15
        .equ    DATA_JUMP,      16
        .equ    ODD_LOAD,       17
        .equ    DEEP,           18
        .equ    REFUSED,        19

        .section .rodata
        .align  2
programs:                               # where each begins
        .word   init, hello, player, sleeper, counter, family, parent, orphan, crowd, brief, reader, scribe
        .word   illegal, wild_load, code_store, kernel_load, data_jump, odd_load, deep, refused
programs_end:

# ---- The page of data: what each variable's address is -----------------------------------------------------
        .equ    ANSWER,         USER_DATA       # begins as 41
        .equ    CODE,           USER_DATA+4     # where wait() puts an exit code
        .equ    MISTAKES,       USER_DATA+8     # init: what was not as foreseen
        .equ    TOTAL,          USER_DATA+12    # init: processes collected
        .equ    PIDS,           USER_DATA+64    # init: the children of a group
        .equ    LINE,           USER_DATA+128   # where print() builds a line
        .equ    BLOCK,          USER_DATA+1024  # two disk buffers
        .equ    BLOCK_2,        USER_DATA+1536

        .data
        .align  2
user_data:                              # how every page of data begins
        .word   41, 0, 0, 0
user_data_end:

        .macro  system number
        li      t0, \number
        ecall
        .endm

        .text
        .align  12
user_code:

# ---- init: the script --------------------------------------------------------------------------------------

# init: for each group of the script, start all its processes, then wait for all and compare their exit
# codes with those foreseen. Exits with 0 if all was as it should be, else with 1. s0 = the place in the
# script, s1 = counter.
init:
        la      s0, script
group:
        lw      a0, 0(s0)
        beqz    a0, script_done
        call    print                   # the title
        li      s1, 0
1:      li      t0, 12                  # start them: a row is 12 bytes long
        mul     t0, t0, s1
        add     t0, t0, s0
        lw      a0, 8(t0)
        lw      a1, 12(t0)
        system  SYS_SPAWN
        slli    t0, s1, 2
        li      t1, PIDS
        add     t0, t0, t1
        sw      a0, 0(t0)
        addi    s1, s1, 1
        lw      t0, 4(s0)
        bne     s1, t0, 1b

2:      li      a0, CODE                # wait for one
        system  SYS_WAIT
        li      t0, TOTAL
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
        li      t0, PIDS                # which one?
        mv      t1, s0
        lw      t2, 4(s0)
3:      lw      a1, 0(t0)
        beq     a1, a0, 4f
        addi    t0, t0, 4
        addi    t1, t1, 12
        addi    t2, t2, -1
        bnez    t2, 3b
        mv      a1, a0                  # none of ours, or an error
        la      a0, text_stranger
        j       5f
4:      sw      zero, 0(t0)
        lw      a3, 16(t1)
        li      t0, CODE
        lw      a2, 0(t0)
        beq     a2, a3, 6f
        la      a0, text_mistake        # pid, its code, the code foreseen
5:      call    print
        li      t0, MISTAKES
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
6:      addi    s1, s1, -1
        bnez    s1, 2b

        lw      t0, 4(s0)               # the next group
        li      t1, 12
        mul     t0, t0, t1
        add     s0, s0, t0
        addi    s0, s0, 8
        j       group

script_done:
        li      t0, TOTAL
        lw      a1, 0(t0)
        li      t0, MISTAKES
        lw      a2, 0(t0)
        la      a0, text_summary
        call    print
        li      t0, MISTAKES
        lw      a0, 0(t0)
        snez    a0, a0
        # fall through

# exit: end with the code in a0.
exit:
        system  SYS_EXIT

# ---- What every program may call ---------------------------------------------------------------------------

# print(format, a1, a2, a3): a line in one piece. In the format, %d stands for the next argument as a decimal
# number, %s for the text at its address, %c for its character.
# a0 = the place in the format, a1 = the place in the line, a2 = the next argument.
print:
        addi    sp, sp, -16
        sw      a1, 0(sp)
        sw      a2, 4(sp)
        sw      a3, 8(sp)
        mv      a2, sp
        li      a1, LINE
1:      lbu     t0, 0(a0)
        addi    a0, a0, 1
        beqz    t0, 9f
        li      t1, '%'
        beq     t0, t1, 3f
2:      sb      t0, 0(a1)
        addi    a1, a1, 1
        j       1b

3:      lbu     t1, 0(a0)               # which letter?
        addi    a0, a0, 1
        lw      t0, 0(a2)
        addi    a2, a2, 4
        li      t2, 'c'
        beq     t1, t2, 2b
        li      t2, 'd'
        beq     t1, t2, 5f
4:      lbu     t1, 0(t0)               # text
        beqz    t1, 1b
        sb      t1, 0(a1)
        addi    t0, t0, 1
        addi    a1, a1, 1
        j       4b

5:      bgez    t0, 6f                  # number
        li      t1, '-'
        sb      t1, 0(a1)
        addi    a1, a1, 1
        neg     t0, t0
6:      li      t1, 1                   # the highest power of ten in it
        li      a3, 10
7:      divu    t2, t0, t1
        bltu    t2, a3, 8f
        mul     t1, t1, a3
        j       7b
8:      divu    t2, t0, t1              # digit by digit
        remu    t0, t0, t1
        addi    t2, t2, '0'
        sb      t2, 0(a1)
        addi    a1, a1, 1
        divu    t1, t1, a3
        bnez    t1, 8b
        j       1b

9:      li      t0, LINE
        sub     a2, a1, t0
        mv      a1, t0
        li      a0, 1
        addi    sp, sp, 16
        system  SYS_WRITE
        ret

# ---- System calls, and memory of one's own -----------------------------------------------------------------

# hello: add 1 to a variable. Each process has its own copy, so the sum is 42 in all of them.
hello:
        li      s0, ANSWER
        lw      t0, 0(s0)
        addi    t0, t0, 1
        sw      t0, 0(s0)
        system  SYS_GETPID
        mv      a1, a0
        lw      a2, 0(s0)
        la      a0, text_hello
        call    print
        lw      a0, 0(s0)
        j       exit

# player(side): side 0 starts side 1. Then each says something and gives way to the other, three times. Side
# 1 has the first word, because to start it takes longer than a quantum. Side 0 exits with the code of side
# 1, which is 0.
player:
        mv      s0, a0
        bnez    a0, 1f
        li      a0, PLAYER
        li      a1, 1
        system  SYS_SPAWN
1:      li      s1, 1
2:      la      a0, text_pong
        beqz    s0, 3f
        la      a0, text_ping
3:      mv      a1, s1
        call    print
        system  SYS_YIELD
        addi    s1, s1, 1
        li      t0, 4
        bne     s1, t0, 2b
        bnez    s0, 4f
        li      a0, CODE
        system  SYS_WAIT
4:      li      t0, CODE                # side 1 still has the 0 there that it began with
        lw      a0, 0(t0)
        j       exit

# sleeper(n): sleep for n timer interrupts. Exits with n.
sleeper:
        mv      s0, a0
        system  SYS_SLEEP
        system  SYS_GETPID
        mv      a1, a0
        mv      a2, s0
        la      a0, text_slept
        call    print
        mv      a0, s0
        j       exit

# ---- Preemption --------------------------------------------------------------------------------------------

# counter(name): compute for a long time without any system call. That another counter begins before this
# one ends is the timer's doing alone. Exits with 0 if the timer took the processor from it five times or
# more.
counter:
        mv      s0, a0
        mv      a1, a0
        la      a0, text_begins
        call    print
        li      s1, 12000
        li      t0, 1
        li      t1, 69069               # a linear congruential generator
1:      mul     t0, t0, t1
        addi    t0, t0, 1
        addi    s1, s1, -1
        bnez    s1, 1b
        srli    a2, t0, 16
        system  SYS_PREEMPTED
        slti    s1, a0, 5
        la      a3, text_often
        beqz    s1, 2f
        la      a3, text_seldom
2:      mv      a1, s0
        la      a0, text_ends
        call    print
        mv      a0, s1
        j       exit

# ---- Families ----------------------------------------------------------------------------------------------

# family(n): have a child that is family(n - 1), wait for it, and exit with its code plus 1. The last
# generation finds that it has nobody to wait for.
family:
        mv      s0, a0
        beqz    a0, 1f
        li      a0, FAMILY
        addi    a1, s0, -1
        system  SYS_SPAWN
1:      li      a0, CODE
        system  SYS_WAIT
        mv      s1, a0
        li      t0, CODE
        lw      a3, 0(t0)
        beqz    s0, 2f
        mv      a2, s1
        mv      a1, s0
        la      a0, text_child
        call    print
        li      t0, CODE
        lw      a0, 0(t0)
        addi    a0, a0, 1
        j       exit
2:      la      a0, text_childless
        call    print
        addi    a0, s1, -ECHILD         # 0 if the answer was ECHILD
        j       exit

# parent: have a child and exit at once. The kernel becomes the child's parent.
parent:
        li      a0, ORPHAN
        li      a1, 0
        system  SYS_SPAWN
        li      a0, 0
        j       exit

# orphan: outlive the parent.
orphan:
        li      a0, 1
        system  SYS_SLEEP
        la      a0, text_orphan
        call    print
        li      a0, 0
        j       exit

# crowd: start children until the kernel refuses, then collect them. Their codes, 1, 2, 3 and so on, must
# add up.
crowd:
        li      s0, 0                   # children
        li      s1, 0                   # sum of the codes they are to bring
1:      li      a0, BRIEF
        addi    a1, s0, 1
        system  SYS_SPAWN
        bltz    a0, 2f
        addi    s0, s0, 1
        add     s1, s1, s0
        j       1b
2:      mv      a2, a0
        mv      a1, s0
        la      a0, text_crowd
        call    print
3:      li      a0, CODE
        system  SYS_WAIT
        li      t0, CODE
        lw      t0, 0(t0)
        sub     s1, s1, t0
        addi    s0, s0, -1
        bnez    s0, 3b
        mv      a0, s1
        j       exit

# brief(code): sleep a little, so that the crowd is complete; then exit with the code.
brief:
        mv      s0, a0
        li      a0, 2
        system  SYS_SLEEP
        mv      a0, s0
        j       exit

# ---- Disk --------------------------------------------------------------------------------------------------

# reader: show the first two lines, of 64 characters, of sector 0.
reader:
        li      a0, 0
        li      a1, BLOCK
        system  SYS_READ_BLOCK
        bnez    a0, 1f
        li      a0, 1
        li      a1, BLOCK
        li      a2, 128
        system  SYS_WRITE
        li      a0, 0
1:      j       exit

# scribe(sector): write a pattern to the sector, read it back to another place and compare. Exits with 0 if
# it was the same, else with 1.
scribe:
        mv      s0, a0
        li      t0, BLOCK
        li      t1, BLOCK+SECTOR_SIZE
        mv      t2, a0
1:      sw      t2, 0(t0)
        add     t2, t2, t0
        addi    t0, t0, 4
        bne     t0, t1, 1b

        li      a1, BLOCK
        system  SYS_WRITE_BLOCK
        mv      s1, a0
        mv      a0, s0
        li      a1, BLOCK_2
        system  SYS_READ_BLOCK
        or      s1, s1, a0              # an error of either

        li      t0, BLOCK
        li      t1, BLOCK+SECTOR_SIZE
2:      lw      t2, 0(t0)
        lw      a0, BLOCK_2-BLOCK(t0)
        xor     t2, t2, a0
        or      s1, s1, t2              # or a difference
        addi    t0, t0, 4
        bne     t0, t1, 2b

        la      a2, text_equal
        beqz    s1, 3f
        la      a2, text_different
3:      mv      a1, s0
        la      a0, text_scribe
        call    print
        snez    a0, s1
        j       exit

# ---- Programs that do what they must not -------------------------------------------------------------------
# Each is ended by the kernel; the `j exit` behind the deed is reached only if it is not.

# illegal: a word that is no instruction.
illegal:
        .word   0
        j       exit

# wild_load: an address where nothing is mapped.
wild_load:
        li      t0, 0x20000000
        lw      t0, 0(t0)
        j       exit

# code_store: its own code, which it may read and execute.
code_store:
        la      t0, code_store
        sw      zero, 0(t0)
        j       exit

# kernel_load: a page that is mapped, but for the kernel.
kernel_load:
        li      t0, FRAMES_START
        lw      t0, 0(t0)
        j       exit

# data_jump: its data, which it may read and write but not execute.
data_jump:
        li      t0, ANSWER
        jr      t0

# odd_load: a word that is not aligned.
odd_load:
        li      t0, ANSWER
        lw      t0, 2(t0)
        j       exit

# deep: call itself without end, until the stack meets the page below it.
deep:
        addi    sp, sp, -16
        sw      ra, 0(sp)
        call    deep
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret

# refused: system calls that the kernel must refuse, without harm to anybody. Exits with the number of those
# that it did not answer as it should.
refused:
        la      s0, attempts
        li      s1, 0
1:      lw      t0, 4(s0)
        lw      a0, 8(s0)
        lw      a1, 12(s0)
        lw      a2, 16(s0)
        ecall
        mv      a2, a0
        lw      t0, 20(s0)
        beq     a0, t0, 2f
        addi    s1, s1, 1
2:      lw      a1, 0(s0)
        la      a0, text_refused
        call    print
        addi    s0, s0, 24
        lw      t0, 0(s0)
        bnez    t0, 1b
        mv      a0, s1
        j       exit

# ---- Tables and texts: in the same pages, to be read -------------------------------------------------------
        .align  2

# A group: its title, how many processes; for each the program, its argument, and the exit code foreseen.
script:
        .word   title_hello, 3
        .word   HELLO, 0, 42
        .word   HELLO, 0, 42
        .word   HELLO, 0, 42
        .word   title_yield, 1
        .word   PLAYER, 0, 0
        .word   title_sleep, 2
        .word   SLEEPER, 6, 6
        .word   SLEEPER, 2, 2
        .word   title_preempt, 2
        .word   COUNTER, 'A', 0
        .word   COUNTER, 'B', 0
        .word   title_family, 2
        .word   FAMILY, 3, 3
        .word   PARENT, 0, 0
        .word   title_disk, 3
        .word   READER, 0, 0
        .word   SCRIBE, 8, 0
        .word   SCRIBE, 9, 0
        .word   title_fault, 7
        .word   ILLEGAL, 0, KILLED+2
        .word   WILD_LOAD, 0, KILLED+13
        .word   CODE_STORE, 0, KILLED+15
        .word   KERNEL_LOAD, 0, KILLED+13
        .word   DATA_JUMP, 0, KILLED+12
        .word   ODD_LOAD, 0, KILLED+4
        .word   DEEP, 0, KILLED+15
        .word   title_refused, 1
        .word   REFUSED, 0, 0
        .word   title_crowd, 1
        .word   CROWD, 0, 0
        .word   0

# An attempt: what it is, the number of the system call, three arguments, the answer foreseen.
attempts:
        .word   text_number, 999, 0, 0, 0, ENOSYS
        .word   text_file, SYS_WRITE, 7, LINE, 1, EBADF
        .word   text_unmapped, SYS_WRITE, 1, 0x20000000, 4, EFAULT
        .word   text_kernel, SYS_WRITE, 1, FRAMES_START, 4, EFAULT
        .word   text_across, SYS_WRITE, 1, USER_STACK_TOP-4, 8, EFAULT
        .word   text_around, SYS_WRITE, 1, USER_DATA, 0xffffffff, EFAULT
        .word   text_code, SYS_READ_BLOCK, 0, user_code, 0, EFAULT
        .word   text_beyond, SYS_READ_BLOCK, 1000, BLOCK, 0, EIO
        .word   text_program, SYS_SPAWN, 99, 0, 0, EINVAL
        .word   text_lonely, SYS_WAIT, CODE, 0, 0, ECHILD
        .word   0

title_hello:    .asciz  "Each process has its own memory:\n"
title_yield:    .asciz  "Two that give way to each other:\n"
title_sleep:    .asciz  "Two that sleep, the longer sleeper started first:\n"
title_preempt:  .asciz  "Two that never give way, so the timer makes them:\n"
title_family:   .asciz  "Parents and children:\n"
title_disk:     .asciz  "The disk, read and written by three at once:\n"
title_fault:    .asciz  "Seven that do what they must not:\n"
title_refused:  .asciz  "System calls that are refused:\n"
title_crowd:    .asciz  "As many processes as the table holds:\n"
text_hello:     .asciz  "  pid %d: hello, 41 + 1 = %d\n"
text_ping:      .asciz  "  ping %d\n"
text_pong:      .asciz  "          pong %d\n"
text_slept:     .asciz  "  pid %d: slept %d\n"
text_begins:    .asciz  "  counter %c begins\n"
text_ends:      .asciz  "  counter %c ends with %d, %s\n"
text_often:     .asciz  "preempted again and again"
text_seldom:    .asciz  "preempted less than five times"
text_child:     .asciz  "  family %d: my child, pid %d, left %d\n"
text_childless: .asciz  "  family 0: no children\n"
text_orphan:    .asciz  "  orphan: my parent is gone, I am still here\n"
text_crowd:     .asciz  "  %d children, then the answer was %d\n"
text_scribe:    .asciz  "  sector %d: written, read back, %s\n"
text_equal:     .asciz  "the same"
text_different: .asciz  "NOT THE SAME"
text_refused:   .asciz  "  %s: %d\n"
text_number:    .asciz  "call with an unknown number"
text_file:      .asciz  "write to an unknown file"
text_unmapped:  .asciz  "write from memory that is not there"
text_kernel:    .asciz  "write from the kernel's memory"
text_across:    .asciz  "write from the end of the stack and beyond"
text_around:    .asciz  "write from a range that wraps around"
text_code:      .asciz  "read a block over the program's code"
text_beyond:    .asciz  "read a block beyond the end of the disk"
text_program:   .asciz  "spawn a program that does not exist"
text_lonely:    .asciz  "wait without a child"
text_stranger:  .asciz  "  init: wait answered %d, which is not foreseen\n"
text_mistake:   .asciz  "  init: pid %d left %d, foreseen was %d\n"
text_summary:   .asciz  "init: %d processes collected, %d not as foreseen.\n"

        .align  12
user_code_end:
