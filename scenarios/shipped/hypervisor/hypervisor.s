# hypervisor.s - a monitor that runs one guest in non-root operation, with the five instructions of root operation.
#
# A loader has put the guest into memory at GUEST, and says where it wants to begin, GUEST_ENTRY. The guest runs at full
# speed, all four rings its own, on what it takes for 4 MiB of memory from address 0: the nested table says where they
# really are. Of system calls, page faults and changes of address spaces nothing is seen here. The guest leaves for
#
#   in, out                 the console is passed through; the clock and power-off are not
#   csrw timer, csrw irq    its timer is a countdown, its interrupts are injected
#   the disk's registers    passed through, but for the address of the buffer
#   the disk's interrupt    handed on
#
# and each exit goes through three steps: `exit` finds out why, a routine does what is asked, `go` enters the guest again.
#
# Registers: sp = the control structure, gp = the guest's pc, s1 = the time of the exit, a1, a2 = what it is about.

# ---- The control structure, as the machine defines it -------------------------------------------------------
        .equ    PC,             0x000           # then x1 to x15: while a routine runs, PC is the guest's x0
        .equ    STATUS,         0x040
        .equ    STATE,          0x0c4
        .equ    OPTIONS,        0x0d8
        .equ    EXTERNAL,       1               # real interrupts are exits
        .equ    WINDOW,         2               # being able to take an interrupt is one
        .equ    COUNTDOWN,      0x0e0
        .equ    OFFSET,         0x0e4
        .equ    INJECT,         0x0ec
        .equ    INJECT_CAUSE,   0x0f0
        .equ    REASON,         0x100
        .equ    VALUE,          0x104
        .equ    DETAIL,         0x108
        .equ    ERROR,          0x114

# Words of the same page that the processor leaves to us.
        .equ    TIMER,          0x200           # what the guest wrote to `timer`
        .equ    IRQ,            0x204           # what it wrote to `irq`
        .equ    LINES,          0x208           # its disk's interrupt line, 2 or 0
        .equ    EXITS,          0x210           # how many exits, by the kinds of `kinds`

        .equ    CAUSE_TIMER,    0x80000007
        .equ    CAUSE_DEVICE,   0x8000000b
        .equ    CAUSE_COUNTDOWN,0x80000018
        .equ    CAUSE_WINDOW,   0x80000019
        .equ    CAUSE_LOAD,     21              # of nested faults
        .equ    CAUSE_ROW,      22              # an instruction that the structure names
        .equ    CAUSE_STORE,    23

        .equ    PORT_NOW,       16
        .equ    PORT_OFF,       48
        .equ    DISK,           0xf0002         # the page of its registers
        .equ    DISK_ADDRESS,   4
        .equ    DISK_STATUS,    16
        .equ    DISK_LINE,      0x20000         # enabled in `irq`

# One more exit of this kind.
        .macro  count kind
        lw      t0, EXITS+4*\kind(sp)
        addi    t0, t0, 1
        sw      t0, EXITS+4*\kind(sp)
        .endm

# reg = the address of the guest's register that the instruction in a2 names from this bit on.
        .macro  place reg, bit
        srli    \reg, a2, \bit
        andi    \reg, \reg, 31
        slli    \reg, \reg, 2
        add     \reg, \reg, sp
        .endm

# ---- Begin -------------------------------------------------------------------------------------------------
        .text
        .globl  _start
_start: vmon
        la      sp, structure
        lw      gp, PC(sp)
        li      t0, DISK_LINE
        csrw    irq, t0
        li      s1, 0                           # the guest's time begins with ours
        j       go

# ---- Exit: why? --------------------------------------------------------------------------------------------
exit:   csrr    s1, instret
        lw      gp, PC(sp)
        sw      zero, PC(sp)
        lw      a0, REASON(sp)
        lw      a1, VALUE(sp)
        lw      a2, DETAIL(sp)                  # the instruction
        li      t0, CAUSE_ROW
        beq     a0, t0, row
        li      t0, CAUSE_LOAD
        beq     a0, t0, device_load
        li      t0, CAUSE_STORE
        beq     a0, t0, device_store
        li      t0, CAUSE_COUNTDOWN
        beq     a0, t0, countdown
        li      t0, CAUSE_WINDOW
        beq     a0, t0, window
        li      t0, CAUSE_DEVICE
        beq     a0, t0, interrupt
stop:   la      a0, text_stop                   # a guest that does what we do not foresee
        call    puts
        li      a0, 1
        j       power_off

# ---- What is asked -----------------------------------------------------------------------------------------

# An instruction: in and out, and writes to timer and irq by `csrw`, are all that the structure names.
row:    place   t1, 15
        lw      a3, 0(t1)                       # its first operand
        andi    t0, a2, 0x7f
        li      t1, 0x0b
        beq     t0, t1, port
        count   2
        srli    t0, a2, 7
        andi    t0, t0, 0xff
        li      t1, 0x20                        # csrrw x0, and no other access
        bne     t0, t1, stop
        srli    t0, a2, 20
        li      t1, 0x7c6
        beq     t0, t1, 1f
        li      t1, 0x7c7
        bne     t0, t1, stop
        sw      a3, IRQ(sp)
        j       skip
1:      sw      a3, TIMER(sp)
        j       skip

port:   srli    t0, a2, 25                      # 1 for in, 2 for out
        li      t1, 2
        beq     t0, t1, 3f
        bgtu    t0, t1, stop                    # an instruction of root operation, which the guest does not have
        count   1
        place   t1, 7
        in      t2, a3
        li      t0, PORT_NOW
        bne     a3, t0, 2f
        lw      t2, OFFSET(sp)                  # the clock is the guest's own
        add     t2, t2, s1
2:      sw      t2, 0(t1)
        j       skip
3:      count   0
        place   t1, 20
        lw      t2, 0(t1)
        li      t0, PORT_OFF
        beq     a3, t0, over
        out     a3, t2
        j       skip

# A register of the disk. Host and guest have it at the same physical address; only what it says of memory differs.
device_load:
        count   3
        srli    t0, a1, 12
        li      t1, DISK
        bne     t0, t1, stop
        place   t1, 7
        lw      t2, 0(a1)
        sw      t2, 0(t1)
        j       skip

device_store:
        count   3
        srli    t0, a1, 12
        li      t1, DISK
        bne     t0, t1, stop
        place   t1, 20
        lw      t2, 0(t1)
        andi    t0, a1, 0xff
        addi    t1, t0, -DISK_ADDRESS
        bnez    t1, 1f
        li      t1, GUEST
        add     t2, t2, t1
1:      sw      t2, 0(a1)
        addi    t1, t0, -DISK_STATUS
        bnez    t1, skip
        sw      zero, LINES(sp)                 # acknowledged: the real line may come again
        li      t0, DISK_LINE
        csrw    irq, t0
        # fall through

# The instruction is done, and has taken the guest one tick.
skip:   addi    gp, gp, 4
        lw      t0, OFFSET(sp)
        addi    t0, t0, 1
        sw      t0, OFFSET(sp)
        j       go

# The disk is ready: a line of the guest's, until it acknowledges it. Ours is pending as long, so we look away.
interrupt:
        count   6
        li      t0, 2
        sw      t0, LINES(sp)
        csrw    irq, zero
        j       go

window: count   5
        j       go

countdown:
        count   4
        # fall through

# ---- Go: what is due, what time is it, enter ---------------------------------------------------------------
go:     sw      gp, PC(sp)
        lw      a1, LINES(sp)
        sw      zero, COUNTDOWN(sp)
        lw      t1, TIMER(sp)
        beqz    t1, 1f                          # the guest has no deadline
        lw      t0, OFFSET(sp)
        add     t0, t0, s1
        sub     t1, t1, t0                      # ticks to go
        ori     a1, a1, 1
        blez    t1, 1f                          # due
        sw      t1, COUNTDOWN(sp)
        andi    a1, a1, 2
1:      lw      t0, IRQ(sp)
        srli    t0, t0, 16
        and     a1, a1, t0                      # lines that are pending and enabled
        li      t0, EXTERNAL
        beqz    a1, 3f
        li      t0, EXTERNAL|WINDOW             # if not now, then as soon as the guest is ready
        lw      t1, STATUS(sp)
        andi    t1, t1, 16                      # IE
        beqz    t1, 3f
        li      t1, CAUSE_TIMER
        andi    a1, a1, 2
        beqz    a1, 2f
        li      t1, CAUSE_DEVICE                # a device wins
2:      sw      t1, INJECT_CAUSE(sp)
        li      t1, 1
        sw      t1, INJECT(sp)
3:      sw      t0, OPTIONS(sp)

# The guest must not see the time that we took: from its exit to here, and the nine instructions from here on.
        csrr    t0, instret
        sub     t0, t0, s1
        lw      t1, OFFSET(sp)
        sub     t1, t1, t0
        addi    t1, t1, -9
        sw      t1, OFFSET(sp)
        lw      t0, STATE(sp)
        beqz    t0, first
        vmresume sp
        j       refused
first:  vmenter sp

# Only an entry that is refused comes here.
refused:
        la      a0, text_refused
        call    puts
        lw      a0, ERROR(sp)
        call    put_decimal
        li      a0, 2
        j       power_off

# ---- The end -----------------------------------------------------------------------------------------------

# The guest switches itself off, with exit code t2: the books, and the same.
over:   mv      s1, t2
        la      a0, text_exits
        call    puts
        la      s0, kinds
        addi    gp, sp, EXITS
1:      lw      a0, 0(s0)
        call    puts
        lw      a0, 0(gp)
        call    put_decimal
        addi    s0, s0, 4
        addi    gp, gp, 4
        lw      t0, 0(s0)
        bnez    t0, 1b
        li      t0, '\n'
        out     zero, t0
        mv      a0, s1
        # fall through

power_off:
        li      t0, PORT_OFF
        out     t0, a0

# puts(address of a text that ends with 0)
puts:   lbu     t0, 0(a0)
        beqz    t0, 1f
        out     zero, t0
        addi    a0, a0, 1
        j       puts
1:      ret

# put_decimal(number)
put_decimal:
        la      t1, digits_end
        li      t2, 10
1:      remu    t0, a0, t2
        addi    t0, t0, '0'
        addi    t1, t1, -1
        sb      t0, 0(t1)
        divu    a0, a0, t2
        bnez    a0, 1b
        mv      a0, t1
        j       puts

        .section .rodata
        .align  2
kinds:  .word   text_out, text_in, text_csr, text_disk, text_countdown, text_window, text_interrupt, 0
text_exits:     .asciz  "Hypervisor: exits:"
text_out:       .asciz  " out "
text_in:        .asciz  ", in "
text_csr:       .asciz  ", csrw "
text_disk:      .asciz  ", disk registers "
text_countdown: .asciz  ", countdown "
text_window:    .asciz  ", interrupt window "
text_interrupt: .asciz  ", disk interrupt "
text_stop:      .asciz  "Hypervisor: an exit that is not foreseen\n"
text_refused:   .asciz  "Hypervisor: the processor refuses the guest, error "

        .data
        .space  10
digits_end:
        .byte   0

# The control structure, filled in like a form. What is 0 at reset is 0 here.
        .align  12
structure:
        .word   GUEST_ENTRY                     # the guest: pc
        .space  0x5c
        .word   -1, -1                          #   bound and xbound
        .space  0x18
        .word   exit, structure                 # the host: pc and sp
        .space  0x20
        .word   -1, -1                          #   bound and xbound
        .space  0x10
        .word   1, 0                            # revision 1, not entered yet
        .word   0x18                            # exits by in and out,
        .word   0x1800, 0x1800                  #   by reading and writing timer and irq,
        .word   0, 0                            #   by no trap of the guest's; options
        .word   nested + 1                      # the nested table, on
        .word   0                               # countdown
        .word   0, -1                           # the offset of its clock: that is behind ours
        .align  12

# The nested table: the guest's 4 MiB are one page, at GUEST; nothing else is there.
nested: .word   GUEST>>2 | 0xf
        .align  12
