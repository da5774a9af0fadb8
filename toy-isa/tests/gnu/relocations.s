# Relocation functions, and distances at their extremes.
        .text
        .globl  _start
_start:
        lui     a0, %hi(far)
        addi    a0, a0, %lo(far)
        lw      a1, %lo(far)(a0)
        sw      a1, %lo(far + 4)(a0)
        lui     a0, %hi(0x12345fff)
        addi    a0, a0, %lo(0x12345fff)
1:      auipc   a0, %pcrel_hi(far)
        addi    a1, a0, %pcrel_lo(1b)
        lw      a2, %pcrel_lo(1b)(a0)
        sw      a2, %pcrel_lo(1b)(a0)
        .word   far, far - _start
        j       back
        beq     a0, a1, near
        .space  4088
near:   beq     a0, a1, near - 4096
        call    far
        tail    _start
        la      a0, data
        lw      a0, data + 2044
        lui     a0, 0xfffff
        auipc   a0, 0
        addi    a0, a0, 0xffffffff
        andi    a0, a0, 0xfffff800
        .space  0x12340
back:   nop
far:    jal     _start
        .insn   r 0x0b, 0, 1, a0, a1, x0
        .insn   r CUSTOM_0, 7, 127, a0, a1, a2
        .insn   i 0x0b, 2, a0, -4(a1)
        .insn   i CUSTOM_0, 2, a0, a1, -4
        .insn   s 0x0b, 3, a0, 2047(a1)
        .insn   u LUI, a0, 0x12345
        .insn   0x00000013
        .data
        .space  2000
data:   .word   data
