# A guest that tries to find out whether it is alone on its machine. It knows what it has set itself and what the manual
# says, and prints everything that is not so. The exit code is how many things that were.
#
# What is asked is loaded with the right answer first, so that a question that traps, and is skipped by the handler, has
# the right answer too.

        .equ    MEMORY,         0x00010000      # 64 KiB: the first address behind it
        .equ    TOP,            0xfffff000      # the last page of the address space
        .equ    IDENTITY,       0x52333201      # cpuid: "R32", version 1
        .equ    UNLIMITED,      0xffffffff      # bound at reset
        .equ    RING,           3               # bits of `status`
        .equ    RING_USER,      3
        .equ    ILLEGAL,        2               # causes
        .equ    BREAKPOINT,     3
        .equ    LOAD_ACCESS,    5
        .equ    STORE_ACCESS,   7
        .equ    SYSTEM_CALL,    8
        .equ    HYPERCALL,      24
        .equ    PORT_NOW,       16              # the timer's clock
        .equ    PORT_OFF,       48

# What must be in a register, and the text that says what it means if it is not.
        .macro  expect reg, expected, text
        li      t2, \expected
        la      a0, \text
        sub     t2, t2, \reg
        call    note
        .endm

# The same, for the address of a label.
        .macro  expect_address reg, label, text
        la      t2, \label
        la      a0, \text
        sub     t2, t2, \reg
        call    note
        .endm

# The last trap must have had this cause, and this in `tval`.
        .macro  trapped cause, value
        expect  a4, \cause, text_trap
        expect  a5, \value, text_trap
        li      a4, 0
        .endm

_start:
        li      s1, 0                           # things found
        la      t0, on_trap
        csrw    tvec, t0

# What the processor says of itself.
        csrr    a1, status
        andi    a1, a1, RING
        expect  a1, 0, text_ring
        csrr    a1, tvec
        expect_address a1, on_trap, text_vector
        csrr    a1, ptbr
        expect  a1, 0, text_table
        csrr    a1, bound
        expect  a1, UNLIMITED, text_limit
        csrr    a1, cpuid
        expect  a1, IDENTITY, text_name

# Memory: there is none behind the end, and none at the top, where monitors live.
        li      a1, MEMORY
        lw      a2, 0(a1)
        trapped LOAD_ACCESS, MEMORY
        sw      a2, 0(a1)
        trapped STORE_ACCESS, MEMORY
        li      a1, TOP
        lw      a2, 0(a1)
        trapped LOAD_ACCESS, TOP

# Strange instructions: each has its own way to trap.
        .word   0xffffffff
        trapped ILLEGAL, 0xffffffff
stop:   ebreak
        expect  a4, BREAKPOINT, text_trap
        expect_address a5, stop, text_trap
        li      a4, 0
        hcall
        trapped HYPERCALL, 0

# Time: five instructions are five ticks, also where some of them need a monitor's help.
        csrr    a1, instret
        csrw    scratch, a1
        csrr    a2, scratch
        csrr    a3, irq
        csrw    irq, a3
        csrr    a2, instret
        sub     a2, a2, a1
        expect  a2, 5, text_clock
        li      t0, PORT_NOW
        in      a1, t0
        csrr    a3, irq
        in      a2, t0
        sub     a2, a2, a1
        expect  a2, 2, text_clock

# The same questions from a program.
        la      t0, program
        csrw    epc, t0
        mret                                    # into ring 3: the handler's last mret has left it in PRING

answers:
        expect_address a1, on_trap, text_program_vector
        expect  a2, RING_USER, text_program_ring
        expect  a3, 1, text_program_clock
        bnez    s1, off
        la      a0, text_nothing
        call    say
off:    li      t0, PORT_OFF
        out     t0, s1

program:
        la      a1, on_trap
        csrr    a1, tvec
        li      a2, RING_USER
        csrr    a2, status
        andi    a2, a2, RING
        li      a3, 0                           # skipped, both reads of the clock give 1 tick between them
        li      a4, 1
        csrr    a3, instret
        csrr    a4, instret
        sub     a3, a4, a3
        li      a4, 0
        ecall

# If t2 is not 0, something was found: a0 says what.
note:   beqz    t2, back
        addi    s1, s1, 1
say:    lbu     t1, 0(a0)
        beqz    t1, back
        out     zero, t1
        addi    a0, a0, 1
        j       say
back:   ret

# A program's call brings its answers. Otherwise a4 = cause and a5 = tval, and the instruction is skipped.
        .align  2
on_trap:
        csrr    a5, cause
        li      t0, SYSTEM_CALL
        beq     a5, t0, answers
        csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        bnez    a4, 2f                          # in the program, a4 is its own
        mv      a4, a5
        csrr    a5, tval
2:      mret

        .section .rodata
text_nothing:           .asciz  "I am alone, as far as I can see.\n"
text_ring:              .asciz  "My kernel is not in ring 0.\n"
text_vector:            .asciz  "My trap vector is not where I have put it.\n"
text_table:             .asciz  "There is a page table, and it is not mine.\n"
text_limit:             .asciz  "There is a limit that I have not set.\n"
text_name:              .asciz  "The processor has another name.\n"
text_trap:              .asciz  "A trap is not as the manual says.\n"
text_clock:             .asciz  "My instructions take the wrong time.\n"
text_program_vector:    .asciz  "A program sees another trap vector.\n"
text_program_ring:      .asciz  "A program is not in ring 3.\n"
text_program_clock:     .asciz  "A program's instructions take the wrong time.\n"
