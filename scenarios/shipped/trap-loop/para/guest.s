# The port of a trap for ever: the monitor enters handlers where it has been told to.

_start:
        la      a0, traps
        li      a1, 1
        li      t0, 0                   # set_trap_table
        hcall
on_trap:
        .word   0
        .align  2
traps:  .word   2, on_trap              # the cause of an illegal instruction, and its handler
