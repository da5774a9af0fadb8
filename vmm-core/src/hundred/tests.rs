//! The monitor in a hundred lines, held to the bare machine; and its length.

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Profile, ProfileName};

use crate::check::equivalence::Grain;
use crate::check::report::{Options, Report, compare};
use crate::engine::EngineName;
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

/// In lockstep the guest is resumed for every instruction, and its turn still ends.
#[test]
fn a_guest_that_loops_gives_the_processor_back_however_often_it_is_resumed() {
    let report = check("1: j 1b", ProfileName::Classic);
    let control = report.verdict.resource_control;
    assert!(control.holds, "{}", control.detail);
    assert_eq!(report.counts.exits, 1_000_000 / Setup::QUANTUM);
}

/// Prints through the device register, without a port; then counts down from 100 and switches itself off.
const PLAIN: &str = "
        li      t0, 0xf0000000
        li      t1, '.'
        sw      t1, 0(t0)
        li      t0, 100
1:      addi    t0, t0, -1
        bnez    t0, 1b
        li      t1, 48
        out     t1, zero
";

#[test]
fn a_device_that_is_reached_as_memory_does_not_count_against_its_efficiency() {
    let report = check(PLAIN, ProfileName::Classic);
    assert_eq!(
        (report.exit_code(), report.console.as_slice()),
        (Some(0), &b"."[..])
    );
    assert_eq!((report.counts.device_accesses, report.counts.above_limit), (1, 0));
    let efficiency = report.verdict.efficiency;
    assert!(efficiency.holds, "{}", efficiency.detail);
    assert!(
        efficiency
            .detail
            .ends_with("not counted against it: 1 device access"),
        "{}",
        efficiency.detail
    );
}

#[test]
fn a_guest_that_pages_is_interpreted_and_that_is_not_efficient() {
    // One superpage at 0 and one for the devices, each where it is; then the same program.
    let paging = "
        li      a0, 0x8000
        li      a1, 0xcf
        sw      a1, 0(a0)
        li      a1, 0x3c0000cf
        li      a2, 0x8f00
        sw      a1, 0(a2)
        ori     t0, a0, 1
        csrw    ptbr, t0
        ";
    let report = check(&(paging.to_string() + PLAIN), ProfileName::Classic);
    let verdict = report.verdict;
    assert!(verdict.equivalence.holds, "{}", verdict.equivalence.detail);
    assert_eq!(report.console, b".");
    // All after the write to `ptbr`, but for the power-off: that is sensitive, and would have trapped anyway.
    let innocuous = report.counts.above_limit;
    assert_eq!((innocuous, report.counts.emulated["out"]), (205, 1));
    let detail = verdict.efficiency.detail;
    assert!(!verdict.efficiency.holds, "{detail}");
    for part in [
        "205 innocuous instructions were interpreted",
        "this monitor's hardware cannot page",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[test]
fn on_hardware_with_holes_it_is_not_equivalent() {
    let report = check(KERNEL, ProfileName::Leaky);
    assert!(!report.verdict.equivalence.holds);
    assert!(report.findings.is_some_and(|findings| findings.cured));
}
