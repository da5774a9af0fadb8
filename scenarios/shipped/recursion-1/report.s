# report.s - the end of a guest. Power-off ends the guest that asks for it, and not the machine: the monitor prints
# a line about it, and goes on with the next one.

        .equ    DIED,           255             # the exit code of a guest that has left none

# died: s0 = a text that says why. A bare machine would stand still here.
died:   li      a2, DIED
        j       over
# ended: a2 = the code with which the guest has switched itself off.
ended:  jal     retire
        la      s0, text_off
over:   sw      a2, CODE(zero)

        .macro  print_word text, word
        la      a0, \text
        jal     print
        lw      a0, \word(zero)
        jal     print_number
        .endm

        print_word text_level, LEVEL
        print_word text_guest, NUMBER
        mv      a0, s0
        jal     print
        print_word text_code, CODE
        print_word text_emulated, EMULATED
        print_word text_reflected, REFLECTED
        print_word text_interrupts, INTERRUPTS
        la      a0, text_end
        jal     print

        lw      t0, GUEST(zero)
        lw      t1, LIMIT(zero)
        add     t0, t0, t1
        sw      t0, GUEST(zero)
        j       next_guest

# print: the text at a0, up to a 0.
print:  lbu     t0, 0(a0)
        beqz    t0, 1f
        out     zero, t0
        addi    a0, a0, 1
        j       print
1:      ret

# print_number: a0 in decimal.
print_number:
        li      a1, DIGITS_END
        sb      zero, 0(a1)
        li      t1, 10
1:      remu    t0, a0, t1
        addi    t0, t0, '0'
        addi    a1, a1, -1
        sb      t0, 0(a1)
        divu    a0, a0, t1
        bnez    a0, 1b
        mv      a0, a1
        j       print

text_level:     .asciz  "Level "
text_guest:     .asciz  ": guest "
text_off:       .asciz  " is off"
text_no_handler: .asciz " died: no trap handler"
text_waits:     .asciz  " died: waits for ever"
text_paging:    .asciz  " died: wants page tables"
text_code:      .asciz  ", code "
text_emulated:  .asciz  "; emulated "
text_reflected: .asciz  ", reflected "
text_interrupts: .asciz ", interrupts "
text_end:       .asciz  "\n"
        .align  2
monitor_end:
