//! The guests of these tests, ported to the paravirtual interface.

use super::DATA;

/// The words of the interface.
pub(super) const HEADER: &str = "
        .equ    SET_TRAP_TABLE, 0
        .equ    MMU_UPDATE,     1
        .equ    SET_CALLBACKS,  4
        .equ    SET_TIMER,      15
        .equ    IRET,           23
        .equ    SCHED,          29
        .equ    SHUTDOWN,       2
        .equ    INFO,           0xff800000
        .equ    INFO_BOOT,      8
        .equ    P2M,            0xff900000
        .equ    ENABLED,        0
        .equ    PENDING,        4
        .equ    MASK,           8
        .equ    TRAP_PC,        12
        .equ    SAVED_T0,       28
        .equ    OURS,           32
        .macro  hypercall number
        li      t0, \\number
        hcall
        .endm
        .macro  off
        li      a0, SHUTDOWN
        hypercall SCHED
        .endm
";

/// Handlers for all causes.
fn traps(handler: &str) -> String {
    let rows: String = (0..32)
        .map(|cause| format!("        .word {cause}, {handler}\n"))
        .collect();
    format!("        .align 2\ntraps:\n{rows}")
}

pub(super) fn worker(seed: usize, rounds: usize) -> String {
    format!(
        "
_start: la      a0, tick
        hypercall SET_CALLBACKS
        sw      zero, MASK(zero)
        li      a0, 500
        hypercall SET_TIMER
        li      t0, 1
        sb      t0, ENABLED(zero)
        li      a0, {seed}
        li      a1, {rounds}
        li      a2, {DATA}
1:      li      a3, 1664525
        mul     a0, a0, a3
        addi    a0, a0, 1013
        andi    a3, a0, 0x3fc
        add     a3, a3, a2
        sw      a0, 0(a3)
        addi    a1, a1, -1
        bnez    a1, 1b
        srli    a0, a0, 25
        addi    a0, a0, 1
        mv      a1, a0
        off
tick:   sw      t0, SAVED_T0(zero)
        sw      a0, OURS(zero)
        sb      zero, PENDING(zero)
        li      a0, 700
        hypercall SET_TIMER
        addi    a4, a4, 1
        lw      a0, OURS(zero)
        hypercall IRET
        "
    )
}

pub(super) const ENDLESS: [&str; 4] = [
    "1: addi a0, a0, 1\n j 1b\n",
    "1: hypercall 99\n j 1b\n",
    "sb zero, ENABLED(zero)\n1: j 1b\n",
    // An illegal instruction that is its own handler.
    "la a0, 2f\n li a1, 1\n hypercall SET_TRAP_TABLE\n1: .word 0\n .align 2\n2: .word 2, 1b\n",
];

pub(super) fn reader() -> String {
    let traps = traps("fault");
    format!(
        "
_start: la      a0, traps
        li      a1, 32
        hypercall SET_TRAP_TABLE
        li      a0, 0
        li      a1, 0x2000000
        li      a2, 0x1000
1:      lw      t1, 0(a0)
        add     a0, a0, a2
        bltu    a0, a1, 1b
        li      a1, 0
        off
fault:  sw      t0, SAVED_T0(zero)
        lw      t0, TRAP_PC(zero)
        addi    t0, t0, 4
        sw      t0, TRAP_PC(zero)
        hypercall IRET
{traps}"
    )
}

/// Asks to map each frame of the machine at a page of its own, reads there what it gets, and ends with how many it got.
pub(super) fn mapper() -> String {
    format!(
        "
        .equ    SPARE, 12
_start: li      t0, INFO
        lw      t0, INFO_BOOT(t0)
        addi    t0, t0, 1               # the table of the lowest 4 MiB
        slli    t0, t0, 2
        li      t1, P2M
        add     t0, t0, t1
        lw      t0, 0(t0)
        slli    a4, t0, 12
        addi    a4, a4, 4*SPARE
        li      a2, {DATA}
        li      a3, 0
        li      a5, 0
1:      sw      a4, 0(a2)
        slli    t0, a3, 10
        ori     t0, t0, 3               # valid, to be read
        sw      t0, 4(a2)
        mv      a0, a2
        li      a1, 1
        hypercall MMU_UPDATE
        bnez    a0, 2f
        li      t0, SPARE<<12
        lw      t0, 0(t0)
        addi    a5, a5, 1
2:      addi    a3, a3, 1
        li      t0, 8192                # more than the machine has
        bne     a3, t0, 1b
        mv      a1, a5
        off
        "
    )
}
