# guests.s - level 1 with two guests: level 2, in which a mistake is planted, and a kernel. Level 2 has two guests
# of its own, and survives the first.
#
#       level 1                 8 KiB
#         level 2               8 KiB, and 8 KiB for its guests
#           sleeper             4 KiB     waits for an interrupt that nobody sends
#           vandal              4 KiB     breaks out
#         kernel                12 KiB    the one of recursion-1

        .equ    SLEEPER_ROOM,   4096
        .equ    VANDAL_ROOM,    4096
        .equ    LEVEL_2_ROOM,   MONITOR_SIZE + SLEEPER_ROOM + VANDAL_ROOM
        .equ    MEMORY,         MONITOR_SIZE + LEVEL_2_ROOM + KERNEL_ROOM

        .org    MONITOR_SIZE
        .word   0, LEVEL_2_ROOM, 1, 0           # a copy of the monitor, with the mistake
        .space  MONITOR_SIZE-HEADER

sleeper:
        j       1f
        .word   SLEEPER_ROOM, 0, 0
1:      wfi
        .align  12

# The mistake: for a base beyond the guest's memory, the allocator of level 2 subtracts without asking which is
# greater. A *negative* base then has more behind it than the guest has memory: it begins below the guest, where the
# monitor stands.

# From here on, all addresses lead so many bytes lower than before; so the program goes on that much higher. Without
# the mistake there is nothing at these addresses, nor at that of a handler. Changes t0 and t1.
        .macro  reach_below distance
        li      t0, -4
        csrw    tvec, t0
        li      t1, \distance
        la      t0, 1f
        add     t0, t0, t1
        csrw    epc, t0
        neg     t1, t1
        csrw    base, t1
        li      t0, PRE                 # to ring 0, where we are, with relocation on
        csrw    status, t0
        mret
1:
        .endm

vandal: j       1f
        .word   VANDAL_ROOM, 0, 0
1:      reach_below MONITOR_SIZE + SLEEPER_ROOM
        la      a0, loot                # level 2's dispatcher, at its own address, becomes
        li      a1, on_trap-monitor
        la      a2, loot_end
2:      lw      t0, 0(a0)
        sw      t0, 0(a1)
        addi    a0, a0, 4
        addi    a1, a1, 4
        bne     a0, a2, 2b
        ecall                           # and is called

# This runs in the place of level 2's dispatcher, in ring 0 of the virtual machine that was level 2's. It tries the same
# again, to get below level 1. That one does not make the mistake: what is relocated so is in no memory, and the next
# instruction cannot be fetched.
loot:   la      a0, text_mine
3:      lbu     t0, 0(a0)
        beqz    t0, 4f
        out     zero, t0
        addi    a0, a0, 1
        j       3b
4:      reach_below MONITOR_SIZE
        sw      zero, 0(zero)           # would be level 1's first instruction
text_mine:
        .asciz  "Vandal: level 2 is mine. Now level 1.\n"
        .align  2
loot_end:
        .align  12
