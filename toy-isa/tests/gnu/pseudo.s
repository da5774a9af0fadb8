# Every pseudo-instruction, and every short form that GNU as takes.
        .include "ring32.inc"
        .text
        .globl  _start
_start:
        nop
        mv      a0, a1
        not     a0, a1
        neg     a0, a1
        seqz    a0, a1
        snez    a0, a1
        sltz    a0, a1
        sgtz    a0, a1
        sgt     a0, a1, a2
        sgtu    a0, a1, a2

back:   beqz    a0, back
        bnez    a0, forth
        blez    a0, back
        bgez    a0, forth
        bltz    a0, back
        bgtz    a0, forth
        bgt     a0, a1, back
        ble     a0, a1, forth
        bgtu    a0, a1, back
        bleu    a0, a1, forth
forth:
        j       back
        jal     forth
        jal     t0, back
        jr      a0
        jr      8(a0)
        jr      a0, 8
        jalr    a0
        jalr    8(a0)
        jalr    a0, 8
        jalr    a1, a0
        jalr    a1, a0, 8
        jalr    a1, 8(a0)
        jalr    a1, (a0)
        ret
        call    back
        call    t0, forth
        tail    back
        jump    forth, t2

        csrr    a0, status
        csrw    status, a0
        csrs    status, a0
        csrc    status, a0
        csrwi   status, 31
        csrsi   status, 1
        csrci   status, 0
        csrw    tvec, 5
        csrs    tvec, 5
        csrc    tvec, 5
        csrrw   a0, tvec, 5
        csrrs   a0, tvec, 5
        csrrc   a0, tvec, 5
        csrr    a0, 0x305
        csrrw   a0, 0x7ff, a1
        rdinstret a0
        rdinstreth a1

        add     a0, a1, -5
        slt     a0, a1, -5
        sltu    a0, a1, -5
        xor     a0, a1, -5
        or      a0, a1, -5
        and     a0, a1, -5
        sll     a0, a1, 5
        srl     a0, a1, 5
        sra     a0, a1, 5

        fence
        fence   r, w
        fence   iorw, o
        fence.i
        sfence.vma
        sfence.vma a0
        sfence.vma a0, a1
        unimp_is_not_here = 1

# All names of the registers.
        add     x0, x1, x2
        add     x3, x4, x5
        add     x6, x7, x8
        add     x9, x10, x11
        add     x12, x13, x14
        mv      x15, fp
        add     zero, ra, sp
        add     gp, tp, t0
        add     t1, t2, s0
        add     s1, a0, a1
        add     a2, a3, a4
        mv      a5, s0

# Loads and stores without a number, and of a symbol.
        lw      a0, (a1)
        sb      a0, (a1)
        lb      a0, word
        lh      a0, word
        lw      a0, word
        lbu     a0, word
        lhu     a0, word
        sb      a0, word, t0
        sh      a0, word, t0
        sw      a0, word, t0
        la      a0, word
        lla     a1, word + 8
        la      a2, _start
        la      a3, 0x12345678

        .data
        .word   1, 2
word:   .word   3
