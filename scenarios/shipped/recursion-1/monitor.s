# monitor.s - a monitor that can be its own guest. Read this file first.
#
# It gives its guest a virtual machine of the kind that it runs on itself. So the guest can be a kernel; or a
# copy of this monitor, which has a guest of its own; and so on. Popek and Goldberg (1974) call such a machine
# recursively virtualizable. Their theorem 2 asks for two things: the machine is virtualizable, and a monitor
# without timing dependencies can be written for it. All time on Ring32 is the clock in `instret`, and the
# monitor keeps a clock for its guest that counts the guest's own instructions and nothing else. Not even by
# the clock can a guest tell how many monitors are below it.
#
# The method is that of vmm-core/src/hundred.rs. The guest runs outside ring 0: its rings 0 to 2 in real ring 1,
# its ring 3 in real ring 3. There every sensitive instruction traps, and the monitor does to a *virtual*
# processor, a few words of its own memory, what the instruction would have done to the real one.
#
#       on_trap         the dispatcher: whose affair is this trap?
#       reflect         hands a trap to the guest's own handler
#       switch          the allocator: which relocation and limits the processor gets for this guest, now
#       resume          gives the processor back to the guest
#       routines.s      the interpreter routines: what a privileged instruction does to the virtual processor
#       report.s        the end of a guest
#
# What it costs to be such a guest. On a higher level than the first, each privileged instruction of a monitor
# traps to the monitor below. From trap entry to `mret`, this one executes k of them:
#
#       instret epc cause tval ... epc instret timer mret           k =  8    the guest's ring stays what it is
#       the same, and the `in` or `out` itself                      k =  9    the console
#       the same, and status base bound xbound                      k = 12    the guest's ring is another now
#
# and of an interrupt, which has no `tval`, one less. `trapeze recursion` counts them.
#
# One trap of a guest is one trap to reflect and k instructions to emulate for the level below: 1 + k traps
# there, and (1 + k) to the power of n, n levels below. So k is to be small; and not even `scratch` is needed to
# save the registers, because the monitor keeps them at its lowest addresses, which the zero register reaches.
#
# What the virtual machine lacks. Page tables: a guest that turns paging on is ended. Device registers in memory,
# and the disk: its only devices are the timer, the power switch and the monitor's own console, by their ports;
# its only interrupt is the timer's. Relocation around the end of the address space: a base beyond its memory
# leaves a guest none. And in rings 1 and 2, fetches beyond `bound` fault as those beyond `xbound` do.

        .equ    MONITOR_SIZE,   8192            # a page of data, a page of code; behind them, the first guest

# ---- Numbers of the machine --------------------------------------------------------------------------------

        .equ    RING,           3               # status: the current ring
        .equ    PRING,          12              #         the ring before the last trap
        .equ    IE,             16              #         interrupts enabled, and before the last trap
        .equ    PIE,            32
        .equ    RE,             64              #         relocation enabled, and before the last trap
        .equ    PRE,            128
        .equ    TIMER_LINE,     1               # irq: line 0; 16 bits to the left, what enables it

        .equ    CAUSE_ILLEGAL,  2
        .equ    CAUSE_TIMER,    0x80000007

        .equ    PORT_STATUS,    1               # console: DATA is 0
        .equ    PORT_NOW,       16              # timer: NOW, NOWH, DEADLINE
        .equ    PORT_DEADLINE,  18
        .equ    PORT_OFF,       48              # power

# ---- How a guest begins ------------------------------------------------------------------------------------
#
# At its address 0, in ring 0, with all registers as at power-on. Guests stand one behind the other, the first
# behind the monitor, and fill its memory. The first words of each say what it is:
#
#               0                               # its first instruction; 0 asks for a copy of this monitor
        .equ    ROOM,           4               # how many bytes of memory it gets, in words
        .equ    MISTAKE,        8               # of a monitor: 1 plants a mistake; see recursion-killed
        .equ    LEVEL,          12              # of a monitor: what it calls itself
        .equ    HEADER,         16              # so long is this

monitor:
        j       boot
        .word   MEMORY, 0, 1

# ---- The monitor's memory ----------------------------------------------------------------------------------
#
# All of it below address 2048, where an offset from the zero register reaches. A trap turns relocation off: so
# these are the right addresses in the handler, on every level.

        .equ    GUEST,          16              # where the running guest stands
        .equ    LIMIT,          20              # how much memory it has
        .equ    STARTED,        24              # our clock when it was resumed
        .equ    LEFT,           28              # ticks until its timer's line is pending; 0 if it is, or is off
        .equ    NUMBER,         32              # its number
        .equ    CODE,           36              # the exit code of the guest before it
        .equ    EMULATED,       40              # what was done for it: instructions emulated,
        .equ    REFLECTED,      44              # traps handed on,
        .equ    INTERRUPTS,     48              # interrupts delivered
        .equ    DIGITS_END,     63              # the last of the bytes in which a number is written for print
        .equ    X,              64              # its registers x0 to x15
        .equ    PC,             128             # its program counter
        .space  132-HEADER

# Its control registers: a row for each, with the value, the number, and the bits that a write changes. Numbers
# from 0xc00 on cannot be written, as on the real machine.

        .macro  csr name, number, mask, value=0
\name = . - monitor
        .word   \value, \number, \mask
        .endm

V_FIRST = . - monitor
        csr     V_INSTRET,      0xc02,  0       # its clock. These three are also the ports from PORT_NOW on
        csr     V_INSTRETH,     0xc82,  0
        csr     V_TIMER,        0x7c6,  ~0
        csr     V_EPC,          0x341,  ~3
        csr     V_CAUSE,        0x342,  ~0
        csr     V_TVAL,         0x343,  ~0
        csr     V_STATUS,       0x7c0,  PRING|IE|PIE|RE|PRE
        csr     V_BASE,         0x7c2,  ~3
        csr     V_BOUND,        0x7c3,  ~0
        csr     V_XBOUND,       0x7c4,  ~0
        csr     V_TVEC,         0x305,  ~3
        csr     V_IRQ,          0x7c7,  ~0xffff # bit 0 is kept as it must read: whether the timer is pending
        csr     V_SCRATCH,      0x340,  ~0
        csr     V_WINDOW,       0x7c5,  ~0
        csr     V_PTBR,         0x7c1,  ~0xffe
        csr     V_MSTATUS,      0x300,  0
        csr     V_MHARTID,      0xf14,  0
V_CONSTANT = . - monitor                        # nothing from here on changes
        csr     V_CPUID,        0xfc0,  0, 0x52333201
V_END = . - monitor

# ---- Power-on, and one guest after the other ---------------------------------------------------------------

        .align  12                      # apart from what is stored to: the engine decodes whole pages of code
boot:   la      t0, on_trap
        csrw    tvec, t0
        li      t0, TIMER_LINE<<16
        csrw    irq, t0
        li      t0, MONITOR_SIZE
        sw      t0, GUEST(zero)
        sw      zero, NUMBER(zero)

next_guest:
        lw      s0, GUEST(zero)
        lw      t0, ROOM(zero)          # of our own
        bgeu    s0, t0, all_over
        lw      t0, NUMBER(zero)
        addi    t0, t0, 1
        sw      t0, NUMBER(zero)
        lw      t0, ROOM(s0)
        sw      t0, LIMIT(zero)
        lw      t0, 0(s0)
        bnez    t0, 2f

# A copy of ourselves, one level higher. Its room, and whether it has a mistake, its header says already.
        lw      t0, 0(zero)
        sw      t0, 0(s0)
        lw      t0, LEVEL(zero)
        addi    t0, t0, 1
        sw      t0, LEVEL(s0)
        li      a0, HEADER
        la      a1, monitor_end
1:      lw      t0, 0(a0)
        add     t1, s0, a0
        sw      t0, 0(t1)
        addi    a0, a0, 4
        bltu    a0, a1, 1b

# The virtual machine at power-on.
2:      sw      zero, LEFT(zero)
        sw      zero, EMULATED(zero)
        sw      zero, REFLECTED(zero)
        sw      zero, INTERRUPTS(zero)
        li      a0, X
        li      a1, V_FIRST
3:      sw      zero, 0(a0)             # the registers, and behind them the program counter
        addi    a0, a0, 4
        bltu    a0, a1, 3b
        li      a1, V_CONSTANT
4:      sw      zero, 0(a0)             # the value in each row
        addi    a0, a0, 12
        bltu    a0, a1, 4b
        li      t0, -1
        sw      t0, V_BOUND(zero)
        sw      t0, V_XBOUND(zero)
        j       switch

all_over:
        li      t0, PORT_OFF            # with the code of the last guest
        lw      t1, CODE(zero)
        out     t0, t1

# ---- The dispatcher ----------------------------------------------------------------------------------------

on_trap:
        .irp    r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        sw      x\r, X+4*\r(zero)
        .endr
entered:
        csrr    a0, instret             # how long had the guest the processor?
        lw      t0, STARTED(zero)
        sub     a0, a0, t0
        addi    a0, a0, -OVERHEAD
        jal     advance
        csrr    t0, epc
        sw      t0, PC(zero)
        csrr    a0, cause
        bltz    a0, onward              # the timer, which is ours: it gives us the processor back, and that is all
        csrr    a1, tval
        li      t0, CAUSE_ILLEGAL
        beq     a0, t0, privileged

# All other traps are the guest's own affair. A system call is one from the ring that the guest believes to be
# in. An access beyond a limit has the right cause even if the limit is ours: there is no memory behind it.
        addi    t0, a0, -8
        li      t1, 4
        bgeu    t0, t1, reflect         # not one of the causes 8 to 11
        lw      t0, V_STATUS(zero)
        andi    t0, t0, RING
        li      a0, 11
        sub     a0, a0, t0

# reflect: a0 = cause, a1 = tval. The virtual processor takes a trap or an interrupt, as a real one does.
reflect:
        li      a2, REFLECTED
        bgez    a0, 1f
        li      a2, INTERRUPTS
1:      lw      t0, 0(a2)
        addi    t0, t0, 1
        sw      t0, 0(a2)
        sw      a0, V_CAUSE(zero)
        sw      a1, V_TVAL(zero)
        lw      t0, PC(zero)
        sw      t0, V_EPC(zero)
        lw      t0, V_STATUS(zero)      # RING, IE and RE become PRING, PIE and PRE, and are then 0
        andi    t1, t0, RING
        slli    t1, t1, 2
        andi    t0, t0, IE|RE
        slli    t0, t0, 1
        or      t0, t0, t1
        sw      t0, V_STATUS(zero)
        lw      t0, V_TVEC(zero)
        sw      t0, PC(zero)
        lw      t1, LIMIT(zero)
        addi    t1, t1, -4
        bgeu    t1, t0, switch
        la      s0, text_no_handler     # no memory there: on a bare machine, a double fault
        j       died

# ---- The allocator -----------------------------------------------------------------------------------------

# To `inject` if the guest's timer may interrupt it here: pending, enabled, and IE = 1.
        .macro  deliver
        lw      t0, V_IRQ(zero)
        srli    t1, t0, 16
        and     t0, t0, t1
        lw      t1, V_STATUS(zero)
        andi    t1, t1, IE
        beqz    t0, 1f
        bnez    t1, inject
1:
        .endm

inject: li      a0, CAUSE_TIMER
        li      a1, 0
        j       reflect

# onward: where all routines end. The guest goes on, with R as it was;
onward: deliver
        j       resume

# onward_elsewhere: or with another R, because its ring or its relocation is another.
onward_elsewhere:
        deliver

# Whatever base and limits a guest asks for, it gets them within its own piece of memory. R = (base, bound,
# xbound) follows from the guest's *virtual* ring: rings 0 to 2 share real ring 1, but ring 0 knows no limits.
switch: lw      t0, V_STATUS(zero)
        lw      a0, V_BASE(zero)
        lw      a1, LIMIT(zero)
        andi    t1, t0, RE
        bnez    t1, 1f
        li      a0, 0                   # it does not relocate
1:      bgeu    a1, a0, 2f
        lw      t1, MISTAKE(zero)
        bnez    t1, 2f                  # (planted: to take the difference without asking which is greater)
        mv      a1, a0
2:      sub     a1, a1, a0              # a1 = how much of its memory lies behind its base
        mv      a2, a1
        andi    t0, t0, RING
        li      t1, PRE|PIE|1<<2        # the real `status`: mret leads to ring 1, relocation and interrupts on
        beqz    t0, 5f
        lw      t2, V_XBOUND(zero)
        bgeu    t2, a2, 3f
        mv      a2, t2
3:      lw      t2, V_BOUND(zero)
        bgeu    t2, a1, 4f
        mv      a1, t2
4:      addi    t0, t0, -3
        bnez    t0, 5f
        li      t1, PRE|PIE|3<<2        # or to ring 3
        j       6f
5:      bgeu    a1, a2, 6f              # in ring 1, code at or above `bound` may use windows, which know no limit:
        mv      a2, a1                  # the guest must not get there
6:      lw      t2, GUEST(zero)
        add     a0, a0, t2
        csrw    status, t1
        csrw    base, a0
        csrw    bound, a1
        csrw    xbound, a2

# ---- Back to the guest -------------------------------------------------------------------------------------

        .equ    QUANTUM,        50000           # ticks after which we have the processor back in any case

# From where the clock is read to where the guest runs, and from where it traps to where the clock is read again,
# is always the same number of instructions. Without these, the difference is the guest's own time, exactly.
        .equ    OVERHEAD,       (guest_runs-clock_read)/4 + (entered-on_trap)/4

resume: lw      t0, PC(zero)
        csrw    epc, t0
        lw      t0, LEFT(zero)
        addi    t0, t0, -1              # less 1, so that 0 is later than everything
        li      t1, QUANTUM
        bltu    t0, t1, 1f
        mv      t0, t1
1:      addi    t0, t0, 1+(guest_runs-clock_read)/4
clock_read:
        csrr    t1, instret
        sw      t1, STARTED(zero)
        add     t0, t0, t1
        seqz    t1, t0                  # once in 2^32 ticks the deadline is 0, which would be "never"
        add     t0, t0, t1
        csrw    timer, t0
        .irp    r, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        lw      x\r, X+4*\r(zero)
        .endr
        mret
guest_runs:
