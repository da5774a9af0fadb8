//! The monitor in a hundred lines, held to the bare machine; and its length.

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::engine::EngineName;
use toy_isa::profile::{Profile, ProfileName};

use crate::check::equivalence::Grain;
use crate::check::report::{Options, Report, compare};
use crate::mode::ModeName;
use crate::price::PriceList;
use crate::setup::Setup;

fn check(text: &str, profile: ProfileName) -> Report {
    let image = assemble(&[Source::new("guest.s", text)], &AsmOptions::default()).expect("it assembles");
    let setup = Setup::new(image, 1 << 20, Profile::new(profile));
    let options = Options {
        engine: EngineName::Auto,
        budget: 1_000_000,
        grain: Grain::Lockstep,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    compare(&setup, &[ModeName::Hundred], options)
        .expect("it fits")
        .remove(0)
}

#[test]
fn it_has_a_hundred_lines() {
    let source = include_str!("../hundred.rs");
    let lines = source
        .lines()
        .skip_while(|line| *line != "// ANCHOR: monitor")
        .skip(1)
        .take_while(|line| *line != "// ANCHOR_END: monitor");
    assert!(lines.count() <= 100);
}

/// A kernel with a timer, a program in ring 3 at another base, its system calls and its death beyond the limit.
const KERNEL: &str = "
        .equ    PROGRAM, 0x4000
_start: la      t0, on_trap
        csrw    tvec, t0
        li      t0, 0x10001             # the timer's line
        csrw    irq, t0
        csrr    t0, instret
        addi    t0, t0, 100
        csrw    timer, t0
        la      a0, program             # copy the program to its place
        la      a1, program_end
        li      a2, PROGRAM
1:      lw      t0, 0(a0)
        sw      t0, 0(a2)
        addi    a0, a0, 4
        addi    a2, a2, 4
        bltu    a0, a1, 1b
        fence.i
        li      t0, PROGRAM
        csrw    base, t0
        li      t0, 4096
        csrw    bound, t0
        csrw    xbound, t0
        csrw    epc, zero
        li      t0, 0xac                # to ring 3, with interrupts and relocation
        csrw    status, t0
        mret
on_trap:
        csrr    t0, cause
        bltz    t0, tick
        li      t1, 8
        bne     t0, t1, over
        out     zero, a0                # the system call: print
        csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        mret
tick:   li      t0, '.'
        out     zero, t0
        csrw    timer, zero
        mret
over:   csrr    a0, tval
        li      t1, 48
        out     t1, a0
program:
        li      a0, 'a'
        ecall
        li      t0, 100
1:      addi    t0, t0, -1
        bnez    t0, 1b
        lw      t0, 4(zero)             # its own second word
        li      a1, 4096
        sw      t0, 0(a1)               # beyond its limit
program_end:
";

#[test]
fn it_runs_a_kernel_with_a_timer_and_a_program_and_all_three_properties_hold() {
    let report = check(KERNEL, ProfileName::Classic);
    assert_eq!(
        (report.exit_code(), report.console.as_slice()),
        (Some(4096), &b"a."[..])
    );
    let verdict = report.verdict;
    for one in [verdict.equivalence, verdict.resource_control, verdict.efficiency] {
        assert!(one.holds, "{}", one.detail);
    }
}

#[test]
fn on_hardware_with_holes_it_is_not_equivalent() {
    let report = check(KERNEL, ProfileName::Leaky);
    assert!(!report.verdict.equivalence.holds);
    assert!(report.findings.is_some_and(|findings| findings.cured));
}
