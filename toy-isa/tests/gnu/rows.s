# Written by `cargo xtask gnu-corpus` from the table of toy-isa.

        .include "ring32.inc"
        .text
        lui a0, 0x0
        lui a0, 0x1
        lui a0, 0x7ffff
        lui a0, 0x80000
        lui a5, 0x0
        lui a5, 0x1
        lui a5, 0x7ffff
        lui a5, 0x80000
        lui s1, 0x0
        lui s1, 0x1
        lui s1, 0x7ffff
        lui s1, 0x80000
        lui zero, 0x0
        lui zero, 0x1
        lui zero, 0x7ffff
        lui zero, 0x80000
        auipc a0, 0x0
        auipc a0, 0x1
        auipc a0, 0x7ffff
        auipc a0, 0x80000
        auipc a5, 0x0
        auipc a5, 0x1
        auipc a5, 0x7ffff
        auipc a5, 0x80000
        auipc s1, 0x0
        auipc s1, 0x1
        auipc s1, 0x7ffff
        auipc s1, 0x80000
        auipc zero, 0x0
        auipc zero, 0x1
        auipc zero, 0x7ffff
        auipc zero, 0x80000
        addi a0, a1, -2048
        addi a0, a1, -1
        mv a0, a1
        addi a0, a1, 2047
        addi a5, ra, -2048
        addi a5, ra, -1
        mv a5, ra
        addi a5, ra, 2047
        li s1, -2048
        li s1, -1
        li s1, 0
        li s1, 2047
        addi zero, a5, -2048
        addi zero, a5, -1
        mv zero, a5
        addi zero, a5, 2047
        slti a0, a1, -2048
        slti a0, a1, -1
        slti a0, a1, 0
        slti a0, a1, 2047
        slti a5, ra, -2048
        slti a5, ra, -1
        slti a5, ra, 0
        slti a5, ra, 2047
        slti s1, zero, -2048
        slti s1, zero, -1
        slti s1, zero, 0
        slti s1, zero, 2047
        slti zero, a5, -2048
        slti zero, a5, -1
        slti zero, a5, 0
        slti zero, a5, 2047
        sltiu a0, a1, -2048
        sltiu a0, a1, -1
        sltiu a0, a1, 0
        sltiu a0, a1, 2047
        sltiu a5, ra, -2048
        sltiu a5, ra, -1
        sltiu a5, ra, 0
        sltiu a5, ra, 2047
        sltiu s1, zero, -2048
        sltiu s1, zero, -1
        sltiu s1, zero, 0
        sltiu s1, zero, 2047
        sltiu zero, a5, -2048
        sltiu zero, a5, -1
        sltiu zero, a5, 0
        sltiu zero, a5, 2047
        xori a0, a1, -2048
        not a0, a1
        xori a0, a1, 0
        xori a0, a1, 2047
        xori a5, ra, -2048
        not a5, ra
        xori a5, ra, 0
        xori a5, ra, 2047
        xori s1, zero, -2048
        not s1, zero
        xori s1, zero, 0
        xori s1, zero, 2047
        xori zero, a5, -2048
        not zero, a5
        xori zero, a5, 0
        xori zero, a5, 2047
        ori a0, a1, -2048
        ori a0, a1, -1
        ori a0, a1, 0
        ori a0, a1, 2047
        ori a5, ra, -2048
        ori a5, ra, -1
        ori a5, ra, 0
        ori a5, ra, 2047
        ori s1, zero, -2048
        ori s1, zero, -1
        ori s1, zero, 0
        ori s1, zero, 2047
        ori zero, a5, -2048
        ori zero, a5, -1
        ori zero, a5, 0
        ori zero, a5, 2047
        andi a0, a1, -2048
        andi a0, a1, -1
        andi a0, a1, 0
        andi a0, a1, 2047
        andi a5, ra, -2048
        andi a5, ra, -1
        andi a5, ra, 0
        andi a5, ra, 2047
        andi s1, zero, -2048
        andi s1, zero, -1
        andi s1, zero, 0
        andi s1, zero, 2047
        andi zero, a5, -2048
        andi zero, a5, -1
        andi zero, a5, 0
        andi zero, a5, 2047
        slli a0, a1, 0
        slli a0, a1, 1
        slli a0, a1, 31
        slli a5, ra, 0
        slli a5, ra, 1
        slli a5, ra, 31
        slli s1, zero, 0
        slli s1, zero, 1
        slli s1, zero, 31
        slli zero, a5, 0
        slli zero, a5, 1
        slli zero, a5, 31
        srli a0, a1, 0
        srli a0, a1, 1
        srli a0, a1, 31
        srli a5, ra, 0
        srli a5, ra, 1
        srli a5, ra, 31
        srli s1, zero, 0
        srli s1, zero, 1
        srli s1, zero, 31
        srli zero, a5, 0
        srli zero, a5, 1
        srli zero, a5, 31
        srai a0, a1, 0
        srai a0, a1, 1
        srai a0, a1, 31
        srai a5, ra, 0
        srai a5, ra, 1
        srai a5, ra, 31
        srai s1, zero, 0
        srai s1, zero, 1
        srai s1, zero, 31
        srai zero, a5, 0
        srai zero, a5, 1
        srai zero, a5, 31
        add a0, a1, a2
        add a5, ra, s0
        add s1, zero, a0
        add zero, a5, zero
        sub a0, a1, a2
        sub a5, ra, s0
        neg s1, a0
        sub zero, a5, zero
        sll a0, a1, a2
        sll a5, ra, s0
        sll s1, zero, a0
        sll zero, a5, zero
        slt a0, a1, a2
        slt a5, ra, s0
        sgtz s1, a0
        sltz zero, a5
        sltu a0, a1, a2
        sltu a5, ra, s0
        snez s1, a0
        sltu zero, a5, zero
        xor a0, a1, a2
        xor a5, ra, s0
        xor s1, zero, a0
        xor zero, a5, zero
        srl a0, a1, a2
        srl a5, ra, s0
        srl s1, zero, a0
        srl zero, a5, zero
        sra a0, a1, a2
        sra a5, ra, s0
        sra s1, zero, a0
        sra zero, a5, zero
        or a0, a1, a2
        or a5, ra, s0
        or s1, zero, a0
        or zero, a5, zero
        and a0, a1, a2
        and a5, ra, s0
        and s1, zero, a0
        and zero, a5, zero
        mul a0, a1, a2
        mul a5, ra, s0
        mul s1, zero, a0
        mul zero, a5, zero
        mulh a0, a1, a2
        mulh a5, ra, s0
        mulh s1, zero, a0
        mulh zero, a5, zero
        mulhsu a0, a1, a2
        mulhsu a5, ra, s0
        mulhsu s1, zero, a0
        mulhsu zero, a5, zero
        mulhu a0, a1, a2
        mulhu a5, ra, s0
        mulhu s1, zero, a0
        mulhu zero, a5, zero
        div a0, a1, a2
        div a5, ra, s0
        div s1, zero, a0
        div zero, a5, zero
        divu a0, a1, a2
        divu a5, ra, s0
        divu s1, zero, a0
        divu zero, a5, zero
        rem a0, a1, a2
        rem a5, ra, s0
        rem s1, zero, a0
        rem zero, a5, zero
        remu a0, a1, a2
        remu a5, ra, s0
        remu s1, zero, a0
        remu zero, a5, zero
        jal a0, . + -8
        jal a0, . + 0
        jal a0, . + 4
        jal a0, . + 1048574
        jal a5, . + -8
        jal a5, . + 0
        jal a5, . + 4
        jal a5, . + 1048574
        jal s1, . + -8
        jal s1, . + 0
        jal s1, . + 4
        jal s1, . + 1048574
        j . + -8
        j . + 0
        j . + 4
        j . + 1048574
        jalr a0, -2048(a1)
        jalr a0, -1(a1)
        jalr a0, a1
        jalr a0, 2047(a1)
        jalr a5, -2048(ra)
        jalr a5, -1(ra)
        jalr a5, ra
        jalr a5, 2047(ra)
        jalr s1, -2048(zero)
        jalr s1, -1(zero)
        jalr s1, zero
        jalr s1, 2047(zero)
        jr -2048(a5)
        jr -1(a5)
        jr a5
        jr 2047(a5)
        beq a1, a2, . + -8
        beq a1, a2, . + 0
        beq a1, a2, . + 4
        beq a1, a2, . + 4094
        beq ra, s0, . + -8
        beq ra, s0, . + 0
        beq ra, s0, . + 4
        beq ra, s0, . + 4094
        beq zero, a0, . + -8
        beq zero, a0, . + 0
        beq zero, a0, . + 4
        beq zero, a0, . + 4094
        beqz a5, . + -8
        beqz a5, . + 0
        beqz a5, . + 4
        beqz a5, . + 4094
        bne a1, a2, . + -8
        bne a1, a2, . + 0
        bne a1, a2, . + 4
        bne a1, a2, . + 4094
        bne ra, s0, . + -8
        bne ra, s0, . + 0
        bne ra, s0, . + 4
        bne ra, s0, . + 4094
        bne zero, a0, . + -8
        bne zero, a0, . + 0
        bne zero, a0, . + 4
        bne zero, a0, . + 4094
        bnez a5, . + -8
        bnez a5, . + 0
        bnez a5, . + 4
        bnez a5, . + 4094
        blt a1, a2, . + -8
        blt a1, a2, . + 0
        blt a1, a2, . + 4
        blt a1, a2, . + 4094
        blt ra, s0, . + -8
        blt ra, s0, . + 0
        blt ra, s0, . + 4
        blt ra, s0, . + 4094
        bgtz a0, . + -8
        bgtz a0, . + 0
        bgtz a0, . + 4
        bgtz a0, . + 4094
        bltz a5, . + -8
        bltz a5, . + 0
        bltz a5, . + 4
        bltz a5, . + 4094
        bge a1, a2, . + -8
        bge a1, a2, . + 0
        bge a1, a2, . + 4
        bge a1, a2, . + 4094
        bge ra, s0, . + -8
        bge ra, s0, . + 0
        bge ra, s0, . + 4
        bge ra, s0, . + 4094
        blez a0, . + -8
        blez a0, . + 0
        blez a0, . + 4
        blez a0, . + 4094
        bgez a5, . + -8
        bgez a5, . + 0
        bgez a5, . + 4
        bgez a5, . + 4094
        bltu a1, a2, . + -8
        bltu a1, a2, . + 0
        bltu a1, a2, . + 4
        bltu a1, a2, . + 4094
        bltu ra, s0, . + -8
        bltu ra, s0, . + 0
        bltu ra, s0, . + 4
        bltu ra, s0, . + 4094
        bltu zero, a0, . + -8
        bltu zero, a0, . + 0
        bltu zero, a0, . + 4
        bltu zero, a0, . + 4094
        bltu a5, zero, . + -8
        bltu a5, zero, . + 0
        bltu a5, zero, . + 4
        bltu a5, zero, . + 4094
        bgeu a1, a2, . + -8
        bgeu a1, a2, . + 0
        bgeu a1, a2, . + 4
        bgeu a1, a2, . + 4094
        bgeu ra, s0, . + -8
        bgeu ra, s0, . + 0
        bgeu ra, s0, . + 4
        bgeu ra, s0, . + 4094
        bgeu zero, a0, . + -8
        bgeu zero, a0, . + 0
        bgeu zero, a0, . + 4
        bgeu zero, a0, . + 4094
        bgeu a5, zero, . + -8
        bgeu a5, zero, . + 0
        bgeu a5, zero, . + 4
        bgeu a5, zero, . + 4094
        lb a0, -2048(a1)
        lb a0, -1(a1)
        lb a0, 0(a1)
        lb a0, 2047(a1)
        lb a5, -2048(ra)
        lb a5, -1(ra)
        lb a5, 0(ra)
        lb a5, 2047(ra)
        lb s1, -2048(zero)
        lb s1, -1(zero)
        lb s1, 0(zero)
        lb s1, 2047(zero)
        lb zero, -2048(a5)
        lb zero, -1(a5)
        lb zero, 0(a5)
        lb zero, 2047(a5)
        lh a0, -2048(a1)
        lh a0, -1(a1)
        lh a0, 0(a1)
        lh a0, 2047(a1)
        lh a5, -2048(ra)
        lh a5, -1(ra)
        lh a5, 0(ra)
        lh a5, 2047(ra)
        lh s1, -2048(zero)
        lh s1, -1(zero)
        lh s1, 0(zero)
        lh s1, 2047(zero)
        lh zero, -2048(a5)
        lh zero, -1(a5)
        lh zero, 0(a5)
        lh zero, 2047(a5)
        lw a0, -2048(a1)
        lw a0, -1(a1)
        lw a0, 0(a1)
        lw a0, 2047(a1)
        lw a5, -2048(ra)
        lw a5, -1(ra)
        lw a5, 0(ra)
        lw a5, 2047(ra)
        lw s1, -2048(zero)
        lw s1, -1(zero)
        lw s1, 0(zero)
        lw s1, 2047(zero)
        lw zero, -2048(a5)
        lw zero, -1(a5)
        lw zero, 0(a5)
        lw zero, 2047(a5)
        lbu a0, -2048(a1)
        lbu a0, -1(a1)
        lbu a0, 0(a1)
        lbu a0, 2047(a1)
        lbu a5, -2048(ra)
        lbu a5, -1(ra)
        lbu a5, 0(ra)
        lbu a5, 2047(ra)
        lbu s1, -2048(zero)
        lbu s1, -1(zero)
        lbu s1, 0(zero)
        lbu s1, 2047(zero)
        lbu zero, -2048(a5)
        lbu zero, -1(a5)
        lbu zero, 0(a5)
        lbu zero, 2047(a5)
        lhu a0, -2048(a1)
        lhu a0, -1(a1)
        lhu a0, 0(a1)
        lhu a0, 2047(a1)
        lhu a5, -2048(ra)
        lhu a5, -1(ra)
        lhu a5, 0(ra)
        lhu a5, 2047(ra)
        lhu s1, -2048(zero)
        lhu s1, -1(zero)
        lhu s1, 0(zero)
        lhu s1, 2047(zero)
        lhu zero, -2048(a5)
        lhu zero, -1(a5)
        lhu zero, 0(a5)
        lhu zero, 2047(a5)
        sb a2, -2048(a1)
        sb a2, -1(a1)
        sb a2, 0(a1)
        sb a2, 2047(a1)
        sb s0, -2048(ra)
        sb s0, -1(ra)
        sb s0, 0(ra)
        sb s0, 2047(ra)
        sb a0, -2048(zero)
        sb a0, -1(zero)
        sb a0, 0(zero)
        sb a0, 2047(zero)
        sb zero, -2048(a5)
        sb zero, -1(a5)
        sb zero, 0(a5)
        sb zero, 2047(a5)
        sh a2, -2048(a1)
        sh a2, -1(a1)
        sh a2, 0(a1)
        sh a2, 2047(a1)
        sh s0, -2048(ra)
        sh s0, -1(ra)
        sh s0, 0(ra)
        sh s0, 2047(ra)
        sh a0, -2048(zero)
        sh a0, -1(zero)
        sh a0, 0(zero)
        sh a0, 2047(zero)
        sh zero, -2048(a5)
        sh zero, -1(a5)
        sh zero, 0(a5)
        sh zero, 2047(a5)
        sw a2, -2048(a1)
        sw a2, -1(a1)
        sw a2, 0(a1)
        sw a2, 2047(a1)
        sw s0, -2048(ra)
        sw s0, -1(ra)
        sw s0, 0(ra)
        sw s0, 2047(ra)
        sw a0, -2048(zero)
        sw a0, -1(zero)
        sw a0, 0(zero)
        sw a0, 2047(zero)
        sw zero, -2048(a5)
        sw zero, -1(a5)
        sw zero, 0(a5)
        sw zero, 2047(a5)
        fence w, w
        fence rw, rw
        fence iorw, w
        fence
        fence w, w
        fence rw, rw
        fence iorw, w
        fence
        fence w, w
        fence rw, rw
        fence iorw, w
        fence
        fence w, w
        fence rw, rw
        fence iorw, w
        fence
        fence.i
        fence.i
        fence.i
        fence.i
        csrrw a0, mstatus, a1
        csrrw a0, tvec, a1
        csrrw a0, scratch, a1
        csrrw a0, epc, a1
        csrrw a0, cause, a1
        csrrw a0, tval, a1
        csrrw a0, status, a1
        csrrw a0, ptbr, a1
        csrrw a0, base, a1
        csrrw a0, bound, a1
        csrrw a0, xbound, a1
        csrrw a0, window, a1
        csrrw a0, timer, a1
        csrrw a0, irq, a1
        csrrw a5, mstatus, ra
        csrrw a5, tvec, ra
        csrrw a5, scratch, ra
        csrrw a5, epc, ra
        csrrw a5, cause, ra
        csrrw a5, tval, ra
        csrrw a5, status, ra
        csrrw a5, ptbr, ra
        csrrw a5, base, ra
        csrrw a5, bound, ra
        csrrw a5, xbound, ra
        csrrw a5, window, ra
        csrrw a5, timer, ra
        csrrw a5, irq, ra
        csrrw s1, mstatus, zero
        csrrw s1, tvec, zero
        csrrw s1, scratch, zero
        csrrw s1, epc, zero
        csrrw s1, cause, zero
        csrrw s1, tval, zero
        csrrw s1, status, zero
        csrrw s1, ptbr, zero
        csrrw s1, base, zero
        csrrw s1, bound, zero
        csrrw s1, xbound, zero
        csrrw s1, window, zero
        csrrw s1, timer, zero
        csrrw s1, irq, zero
        csrw mstatus, a5
        csrw tvec, a5
        csrw scratch, a5
        csrw epc, a5
        csrw cause, a5
        csrw tval, a5
        csrw status, a5
        csrw ptbr, a5
        csrw base, a5
        csrw bound, a5
        csrw xbound, a5
        csrw window, a5
        csrw timer, a5
        csrw irq, a5
        csrrs a0, mstatus, a1
        csrrs a0, tvec, a1
        csrrs a0, scratch, a1
        csrrs a0, epc, a1
        csrrs a0, cause, a1
        csrrs a0, tval, a1
        csrrs a0, status, a1
        csrrs a0, ptbr, a1
        csrrs a0, base, a1
        csrrs a0, bound, a1
        csrrs a0, xbound, a1
        csrrs a0, window, a1
        csrrs a0, timer, a1
        csrrs a0, irq, a1
        csrrs a5, mstatus, ra
        csrrs a5, tvec, ra
        csrrs a5, scratch, ra
        csrrs a5, epc, ra
        csrrs a5, cause, ra
        csrrs a5, tval, ra
        csrrs a5, status, ra
        csrrs a5, ptbr, ra
        csrrs a5, base, ra
        csrrs a5, bound, ra
        csrrs a5, xbound, ra
        csrrs a5, window, ra
        csrrs a5, timer, ra
        csrrs a5, irq, ra
        csrr s1, mstatus
        csrr s1, tvec
        csrr s1, scratch
        csrr s1, epc
        csrr s1, cause
        csrr s1, tval
        csrr s1, status
        csrr s1, ptbr
        csrr s1, base
        csrr s1, bound
        csrr s1, xbound
        csrr s1, window
        csrr s1, timer
        csrr s1, irq
        rdinstret s1
        rdinstreth s1
        csrr s1, mhartid
        csrr s1, cpuid
        csrs mstatus, a5
        csrs tvec, a5
        csrs scratch, a5
        csrs epc, a5
        csrs cause, a5
        csrs tval, a5
        csrs status, a5
        csrs ptbr, a5
        csrs base, a5
        csrs bound, a5
        csrs xbound, a5
        csrs window, a5
        csrs timer, a5
        csrs irq, a5
        csrrc a0, mstatus, a1
        csrrc a0, tvec, a1
        csrrc a0, scratch, a1
        csrrc a0, epc, a1
        csrrc a0, cause, a1
        csrrc a0, tval, a1
        csrrc a0, status, a1
        csrrc a0, ptbr, a1
        csrrc a0, base, a1
        csrrc a0, bound, a1
        csrrc a0, xbound, a1
        csrrc a0, window, a1
        csrrc a0, timer, a1
        csrrc a0, irq, a1
        csrrc a5, mstatus, ra
        csrrc a5, tvec, ra
        csrrc a5, scratch, ra
        csrrc a5, epc, ra
        csrrc a5, cause, ra
        csrrc a5, tval, ra
        csrrc a5, status, ra
        csrrc a5, ptbr, ra
        csrrc a5, base, ra
        csrrc a5, bound, ra
        csrrc a5, xbound, ra
        csrrc a5, window, ra
        csrrc a5, timer, ra
        csrrc a5, irq, ra
        csrrc s1, mstatus, zero
        csrrc s1, tvec, zero
        csrrc s1, scratch, zero
        csrrc s1, epc, zero
        csrrc s1, cause, zero
        csrrc s1, tval, zero
        csrrc s1, status, zero
        csrrc s1, ptbr, zero
        csrrc s1, base, zero
        csrrc s1, bound, zero
        csrrc s1, xbound, zero
        csrrc s1, window, zero
        csrrc s1, timer, zero
        csrrc s1, irq, zero
        csrrc s1, instret, zero
        csrrc s1, instreth, zero
        csrrc s1, mhartid, zero
        csrrc s1, cpuid, zero
        csrc mstatus, a5
        csrc tvec, a5
        csrc scratch, a5
        csrc epc, a5
        csrc cause, a5
        csrc tval, a5
        csrc status, a5
        csrc ptbr, a5
        csrc base, a5
        csrc bound, a5
        csrc xbound, a5
        csrc window, a5
        csrc timer, a5
        csrc irq, a5
        csrrwi a0, mstatus, 11
        csrrwi a0, tvec, 11
        csrrwi a0, scratch, 11
        csrrwi a0, epc, 11
        csrrwi a0, cause, 11
        csrrwi a0, tval, 11
        csrrwi a0, status, 11
        csrrwi a0, ptbr, 11
        csrrwi a0, base, 11
        csrrwi a0, bound, 11
        csrrwi a0, xbound, 11
        csrrwi a0, window, 11
        csrrwi a0, timer, 11
        csrrwi a0, irq, 11
        csrrwi a5, mstatus, 1
        csrrwi a5, tvec, 1
        csrrwi a5, scratch, 1
        csrrwi a5, epc, 1
        csrrwi a5, cause, 1
        csrrwi a5, tval, 1
        csrrwi a5, status, 1
        csrrwi a5, ptbr, 1
        csrrwi a5, base, 1
        csrrwi a5, bound, 1
        csrrwi a5, xbound, 1
        csrrwi a5, window, 1
        csrrwi a5, timer, 1
        csrrwi a5, irq, 1
        csrrwi s1, mstatus, 0
        csrrwi s1, tvec, 0
        csrrwi s1, scratch, 0
        csrrwi s1, epc, 0
        csrrwi s1, cause, 0
        csrrwi s1, tval, 0
        csrrwi s1, status, 0
        csrrwi s1, ptbr, 0
        csrrwi s1, base, 0
        csrrwi s1, bound, 0
        csrrwi s1, xbound, 0
        csrrwi s1, window, 0
        csrrwi s1, timer, 0
        csrrwi s1, irq, 0
        csrwi mstatus, 15
        csrwi tvec, 15
        csrwi scratch, 15
        csrwi epc, 15
        csrwi cause, 15
        csrwi tval, 15
        csrwi status, 15
        csrwi ptbr, 15
        csrwi base, 15
        csrwi bound, 15
        csrwi xbound, 15
        csrwi window, 15
        csrwi timer, 15
        csrwi irq, 15
        csrrsi a0, mstatus, 11
        csrrsi a0, tvec, 11
        csrrsi a0, scratch, 11
        csrrsi a0, epc, 11
        csrrsi a0, cause, 11
        csrrsi a0, tval, 11
        csrrsi a0, status, 11
        csrrsi a0, ptbr, 11
        csrrsi a0, base, 11
        csrrsi a0, bound, 11
        csrrsi a0, xbound, 11
        csrrsi a0, window, 11
        csrrsi a0, timer, 11
        csrrsi a0, irq, 11
        csrrsi a5, mstatus, 1
        csrrsi a5, tvec, 1
        csrrsi a5, scratch, 1
        csrrsi a5, epc, 1
        csrrsi a5, cause, 1
        csrrsi a5, tval, 1
        csrrsi a5, status, 1
        csrrsi a5, ptbr, 1
        csrrsi a5, base, 1
        csrrsi a5, bound, 1
        csrrsi a5, xbound, 1
        csrrsi a5, window, 1
        csrrsi a5, timer, 1
        csrrsi a5, irq, 1
        csrrsi s1, mstatus, 0
        csrrsi s1, tvec, 0
        csrrsi s1, scratch, 0
        csrrsi s1, epc, 0
        csrrsi s1, cause, 0
        csrrsi s1, tval, 0
        csrrsi s1, status, 0
        csrrsi s1, ptbr, 0
        csrrsi s1, base, 0
        csrrsi s1, bound, 0
        csrrsi s1, xbound, 0
        csrrsi s1, window, 0
        csrrsi s1, timer, 0
        csrrsi s1, irq, 0
        csrrsi s1, instret, 0
        csrrsi s1, instreth, 0
        csrrsi s1, mhartid, 0
        csrrsi s1, cpuid, 0
        csrsi mstatus, 15
        csrsi tvec, 15
        csrsi scratch, 15
        csrsi epc, 15
        csrsi cause, 15
        csrsi tval, 15
        csrsi status, 15
        csrsi ptbr, 15
        csrsi base, 15
        csrsi bound, 15
        csrsi xbound, 15
        csrsi window, 15
        csrsi timer, 15
        csrsi irq, 15
        csrrci a0, mstatus, 11
        csrrci a0, tvec, 11
        csrrci a0, scratch, 11
        csrrci a0, epc, 11
        csrrci a0, cause, 11
        csrrci a0, tval, 11
        csrrci a0, status, 11
        csrrci a0, ptbr, 11
        csrrci a0, base, 11
        csrrci a0, bound, 11
        csrrci a0, xbound, 11
        csrrci a0, window, 11
        csrrci a0, timer, 11
        csrrci a0, irq, 11
        csrrci a5, mstatus, 1
        csrrci a5, tvec, 1
        csrrci a5, scratch, 1
        csrrci a5, epc, 1
        csrrci a5, cause, 1
        csrrci a5, tval, 1
        csrrci a5, status, 1
        csrrci a5, ptbr, 1
        csrrci a5, base, 1
        csrrci a5, bound, 1
        csrrci a5, xbound, 1
        csrrci a5, window, 1
        csrrci a5, timer, 1
        csrrci a5, irq, 1
        csrrci s1, mstatus, 0
        csrrci s1, tvec, 0
        csrrci s1, scratch, 0
        csrrci s1, epc, 0
        csrrci s1, cause, 0
        csrrci s1, tval, 0
        csrrci s1, status, 0
        csrrci s1, ptbr, 0
        csrrci s1, base, 0
        csrrci s1, bound, 0
        csrrci s1, xbound, 0
        csrrci s1, window, 0
        csrrci s1, timer, 0
        csrrci s1, irq, 0
        csrrci s1, instret, 0
        csrrci s1, instreth, 0
        csrrci s1, mhartid, 0
        csrrci s1, cpuid, 0
        csrci mstatus, 15
        csrci tvec, 15
        csrci scratch, 15
        csrci epc, 15
        csrci cause, 15
        csrci tval, 15
        csrci status, 15
        csrci ptbr, 15
        csrci base, 15
        csrci bound, 15
        csrci xbound, 15
        csrci window, 15
        csrci timer, 15
        csrci irq, 15
        ecall
        ecall
        ecall
        ecall
        ebreak
        ebreak
        ebreak
        ebreak
        mret
        mret
        mret
        mret
        wfi
        wfi
        wfi
        wfi
        sfence.vma a1, a2
        sfence.vma ra, s0
        sfence.vma zero, a0
        sfence.vma a5
        hcall
        hcall
        hcall
        hcall
        in a0, a1
        in a5, ra
        in s1, zero
        in zero, a5
        out a1, a2
        out ra, s0
        out zero, a0
        out a5, zero
        prober a0, a1, a2
        prober a5, ra, s0
        prober s1, zero, a0
        prober zero, a5, zero
        probew a0, a1, a2
        probew a5, ra, s0
        probew s1, zero, a0
        probew zero, a5, zero
        wlw a0, -2048(a1)
        wlw a0, -1(a1)
        wlw a0, 0(a1)
        wlw a0, 2047(a1)
        wlw a5, -2048(ra)
        wlw a5, -1(ra)
        wlw a5, 0(ra)
        wlw a5, 2047(ra)
        wlw s1, -2048(zero)
        wlw s1, -1(zero)
        wlw s1, 0(zero)
        wlw s1, 2047(zero)
        wlw zero, -2048(a5)
        wlw zero, -1(a5)
        wlw zero, 0(a5)
        wlw zero, 2047(a5)
        wsw a2, -2048(a1)
        wsw a2, -1(a1)
        wsw a2, 0(a1)
        wsw a2, 2047(a1)
        wsw s0, -2048(ra)
        wsw s0, -1(ra)
        wsw s0, 0(ra)
        wsw s0, 2047(ra)
        wsw a0, -2048(zero)
        wsw a0, -1(zero)
        wsw a0, 0(zero)
        wsw a0, 2047(zero)
        wsw zero, -2048(a5)
        wsw zero, -1(a5)
        wsw zero, 0(a5)
        wsw zero, 2047(a5)
        vmon
        vmon
        vmon
        vmon
        vmoff
        vmoff
        vmoff
        vmoff
        vmenter a1
        vmenter ra
        vmenter zero
        vmenter a5
        vmresume a1
        vmresume ra
        vmresume zero
        vmresume a5
        vminval a1
        vminval ra
        vminval zero
        vminval a5
