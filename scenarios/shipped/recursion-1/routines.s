# routines.s - the interpreter routines: one for each kind of privileged instruction.
#
# A routine does to the virtual processor what its instruction does to a real one, lets it retire there, and goes
# `onward`. s0 is the instruction's word throughout.

# reg = the guest's register whose number stands in the word from this bit on. There is no x16 to x31.
        .macro  operand reg, bit
        srli    \reg, s0, \bit-2
        andi    \reg, \reg, 31<<2       # four times the number: its place among the words at X
        li      t0, 16<<2
        bgeu    \reg, t0, illegal
        lw      \reg, X(\reg)
        .endm

# privileged: a1 = the word of an instruction that trapped as illegal. If the guest was in its own ring 0, it may
# execute it; else this is what would have happened on the bare machine too.
privileged:
        lw      t0, V_STATUS(zero)
        andi    t0, t0, RING
        bnez    t0, reflect
        mv      s0, a1
        srli    t2, s0, 12
        andi    t2, t2, 7               # which of the instructions with this opcode
        andi    t1, s0, 0x7f
        li      t0, 0x0b
        beq     t1, t0, custom
        li      t0, 0x73
        bne     t1, t0, illegal
        andi    t0, t2, 3
        bnez    t0, control
        li      t0, 0x30200073
        beq     s0, t0, return
        li      t0, 0x10500073
        beq     s0, t0, wait
        li      t0, 0xff087fff          # sfence.vma has two registers of sixteen, and here there is nothing to fence
        and     t0, t0, s0
        li      t1, 0x12000073
        bne     t0, t1, illegal
        jal     retire
        j       onward

# Illegal in ring 0 too.
illegal:
        li      a0, CAUSE_ILLEGAL
        mv      a1, s0
        j       reflect

# ---- csrrw, csrrs, csrrc, and with an immediate: t2 = 1, 2, 3, and 5, 6, 7 ---------------------------------

control:
        slli    t0, s0, 20
        bltz    t0, illegal             # rd is one of x16 to x31
        srli    a0, s0, 20
        li      a2, V_FIRST             # a2 = the row with this number
        li      a3, V_END
1:      lw      t0, 4(a2)
        beq     t0, a0, 2f
        addi    a2, a2, 12
        bne     a2, a3, 1b
        j       illegal

2:      srli    a4, s0, 15
        andi    a4, a4, 31              # the number of rs1, or the operand itself
        mv      a1, a4
        andi    t1, t2, 4
        bnez    t1, 3f
        operand a1, 15
3:      lw      a5, 0(a2)               # the result: what was there before
        andi    t2, t2, 3
        li      t0, 1
        beq     t2, t0, 6f
        bnez    a4, 4f
        jal     finish                  # to set or clear nothing is to read
        j       onward

4:      li      t0, 2
        beq     t2, t0, 5f
        not     a1, a1                  # csrrc
        and     a1, a1, a5
        j       6f
5:      or      a1, a1, a5              # csrrs
6:      li      t0, 0xc00
        bgeu    a0, t0, illegal
        lw      t0, 8(a2)               # only the bits of the mask change
        xor     a1, a1, a5
        and     a1, a1, t0
        xor     a1, a1, a5
        sw      a1, 0(a2)
        li      t0, V_TIMER
        bne     a2, t0, 7f
        jal     set_timer
7:      jal     finish
        li      t0, V_STATUS            # RE may be another now,
        beq     a2, t0, onward_elsewhere
        li      t0, V_BASE              # or what it turns on. Limits wait for `mret`: in ring 0 there are none
        beq     a2, t0, onward_elsewhere
        li      t0, V_PTBR
        bne     a2, t0, onward
        andi    a1, a1, 1
        beqz    a1, onward
        la      s0, text_paging
        j       died

# ---- mret: the ring, IE and RE before the trap come back; PRING = 3, PIE = 1, PRE = 0 ----------------------

return: lw      t0, V_STATUS(zero)
        srli    t1, t0, 2
        andi    t1, t1, RING
        srli    t0, t0, 1
        andi    t0, t0, IE|RE
        or      t0, t0, t1
        ori     t0, t0, PRING|PIE
        sw      t0, V_STATUS(zero)
        lw      t0, V_EPC(zero)
        sw      t0, PC(zero)
        jal     retired
        j       onward_elsewhere

# ---- wfi: the guest's clock skips to its timer's deadline. It is a virtual clock: nobody has to wait -------

wait:   jal     retire
        lw      t0, V_IRQ(zero)
        srli    t1, t0, 16
        and     t0, t0, t1
        bnez    t0, onward              # what it waits for is there already
        la      s0, text_waits
        andi    t1, t1, TIMER_LINE
        beqz    t1, died
        lw      a0, LEFT(zero)
        beqz    a0, died
        jal     advance
        j       onward

# ---- The opcode custom-0: t2 and the topmost seven bits tell which -----------------------------------------

custom: operand a1, 15                  # all of them have an rs1
        li      t0, 3
        beq     t2, t0, store_window
        slli    t1, s0, 20
        bltz    t1, illegal             # and all others an rd, or zeros in its place
        li      t0, 2
        beq     t2, t0, load_window
        bnez    t2, illegal
        srli    t1, s0, 25
        addi    t1, t1, -1
        beqz    t1, input
        operand a2, 20
        addi    t1, t1, -1
        beqz    t1, output
        addi    t1, t1, -1
        beqz    t1, probe
        addi    t1, t1, -1
        bnez    t1, illegal

# prober, probew: may ring a2 load, or store, the byte at a1? Without page tables this is one question.
probe:  andi    a2, a2, 3
        lw      t0, V_BOUND(zero)
        sltu    a5, a1, t0
        bnez    a2, 1f
        li      a5, 1                   # ring 0 may
1:      jal     finish
        j       onward

# in: from port a1. The console is the one device that is passed on.
input:  srli    t0, s0, 20
        andi    t0, t0, 31
        bnez    t0, illegal
        slli    a1, a1, 16              # ports have 16 bits
        srli    a1, a1, 16
        li      t0, PORT_STATUS
        bgtu    a1, t0, 1f
        in      a5, a1
        j       3f
1:      addi    t0, a1, -PORT_OFF       # 0 from the power switch,
        snez    a5, t0
        neg     a5, a5                  # and -1 from where nothing is
        addi    t0, a1, -PORT_NOW
        li      t1, 3
        bgeu    t0, t1, 3f
        li      t1, V_INSTRETH-V_INSTRET
        mul     t0, t0, t1
        lw      a5, V_INSTRET(t0)
3:      jal     finish
        j       onward

# out: a2 to port a1.
output: srli    t0, s0, 7
        andi    t0, t0, 31
        bnez    t0, illegal
        slli    a1, a1, 16
        srli    a1, a1, 16
        addi    t0, a1, -PORT_OFF
        beqz    t0, ended
        li      t0, PORT_STATUS
        bgtu    a1, t0, 1f
        out     a1, a2
1:      addi    t0, a1, -PORT_DEADLINE
        bnez    t0, 2f
        mv      a1, a2
        sw      a1, V_TIMER(zero)
        jal     set_timer
2:      jal     retire
        j       onward

# wlw and wsw, with rs1 in a1. In ring 0 a window knows no relocation, and no limit but that of memory.
load_window:
        srai    t1, s0, 20
        jal     window
        lw      a5, 0(a1)
        jal     finish
        j       onward

store_window:
        operand a2, 20
        srai    t1, s0, 25              # the offset stands in two parts
        slli    t1, t1, 5
        srli    t0, s0, 7
        andi    t0, t0, 31
        or      t1, t1, t0
        jal     window
        sw      a2, 0(a1)
        jal     retire
        j       onward

# window: a1 = where the guest's address a1 + t1 in its window is for us. t2 = 2 for a load, 3 for a store.
window: lw      t0, V_WINDOW(zero)
        add     a1, a1, t1
        add     a1, a1, t0
        slli    a0, t2, 1               # cause 4 or 6: misaligned
        andi    t0, a1, 3
        bnez    t0, reflect
        addi    a0, a0, 1               # cause 5 or 7: no memory
        lw      t0, LIMIT(zero)
        bgeu    a1, t0, reflect
        lw      t0, GUEST(zero)
        add     a1, a1, t0
        ret

# ---- What the routines share -------------------------------------------------------------------------------

# finish: rd = a5, and the instruction is done.
finish: srli    t0, s0, 5
        andi    t0, t0, 31<<2
        sw      a5, X(t0)
        sw      zero, X(zero)           # x0 stays 0
# retire: the instruction is done, and the next one is behind it.
retire: lw      t0, PC(zero)
        addi    t0, t0, 4
        sw      t0, PC(zero)
# retired: the instruction is done. That is one tick.
retired:
        lw      t0, EMULATED(zero)
        addi    t0, t0, 1
        sw      t0, EMULATED(zero)
        li      a0, 1
# advance: the guest's clock goes on by a0 ticks, of which one may be its timer's deadline.
advance:
        lw      t0, V_INSTRET(zero)
        add     t0, t0, a0
        sw      t0, V_INSTRET(zero)
        sltu    t0, t0, a0              # the carry
        lw      t1, V_INSTRETH(zero)
        add     t1, t1, t0
        sw      t1, V_INSTRETH(zero)
        lw      t0, LEFT(zero)
        bltu    a0, t0, 1f
        beqz    t0, 2f
        mv      a0, t0
        lw      t1, V_IRQ(zero)
        ori     t1, t1, TIMER_LINE
        sw      t1, V_IRQ(zero)
1:      sub     t0, t0, a0
        sw      t0, LEFT(zero)
2:      ret

# set_timer: the guest's timer was written, with a1. 0 turns it off; else its line is pending from the tick on at
# which the clock's low word is a1. That may be this one.
set_timer:
        lw      t0, V_INSTRET(zero)
        sub     t0, a1, t0
        lw      t1, V_IRQ(zero)
        andi    t1, t1, ~TIMER_LINE
        bnez    a1, 1f
        li      t0, 0
        j       2f
1:      bnez    t0, 2f
        ori     t1, t1, TIMER_LINE
2:      sw      t0, LEFT(zero)
        sw      t1, V_IRQ(zero)
        ret
