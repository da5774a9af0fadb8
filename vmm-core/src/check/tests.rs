//! The checks can fail: with a protection lifted, with a hole in the hardware, with control given away.

use std::sync::Arc;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::table::Csr;

use crate::check::equivalence::{Grain, Pair};
use crate::check::report::{Options, Report, compare};
use crate::check::{Verdict, resource};
use crate::engine::EngineName;
use crate::event::Event;
use crate::mode::{End, ModeName};
use crate::modes::assist::Paging;
use crate::modes::trap::{Bug, Layout, TrapAndEmulate};
use crate::price::PriceList;
use crate::run::Run;
use crate::setup::Setup;

const LAYOUTS: [Layout; 2] = [Layout::RingDeprivileging, Layout::RingCompression];
const BUDGET: u64 = 400_000;

/// A guest of one page or so, on this hardware.
fn guest(profile: Profile, text: &str) -> Setup {
    let source = Source::new("guest.s", text);
    let image = assemble(&[source], &AsmOptions::default()).expect("the test's guest assembles");
    Setup::new(image, 1 << 20, profile)
}

fn with(row: Row, behaviour: Behaviour) -> Profile {
    let mut profile = Profile::new(ProfileName::Classic);
    profile.set(row, behaviour).expect("the row can behave so");
    profile
}

fn check(setup: &Setup, mode: ModeName) -> Report {
    let options = Options {
        engine: EngineName::Auto,
        budget: BUDGET,
        grain: Grain::SyncPoints,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    compare(setup, &[mode], options)
        .expect("the guest fits")
        .remove(0)
}

/// A guest that writes where the monitor keeps its shadow tables, into those of the second level from address
/// 0xffc03000 on, and goes on behind each store that traps. It counts the traps in a5 and switches itself off with
/// that number.
const VANDAL: &str = "
        la      t0, on_trap
        csrw    tvec, t0
        li      a0, 0xffc03000
        li      a1, 0xffc08000
1:      sw      zero, 0(a0)
        addi    a0, a0, 256
        bltu    a0, a1, 1b
        li      t0, 48
        out     t0, a5
on_trap:
        addi    a5, a5, 1
        csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        mret
";

/// The vandal beside the bare machine, with the bug or without: how many sync points were equal and then a difference,
/// and the verdict on resource control.
fn vandalise(layout: Layout, bug: Option<Bug>) -> (bool, Verdict) {
    let setup = guest(Profile::new(ProfileName::Classic), VANDAL);
    let bare = Run::new(&setup, ModeName::Bare, EngineName::Auto).expect("the guest fits");
    let (machine, mut monitor) = TrapAndEmulate::build(&setup, layout).expect("the guest fits");
    if let Some(bug) = bug {
        monitor.plant(bug);
    }
    let mode = ModeName::Trap(layout);
    let mut pair = Pair::with(
        bare,
        Run::with(mode, machine, Box::new(monitor), EngineName::Auto).expect("the engine is everywhere"),
    );
    resource::guard(&mut pair.guest);
    let comparison = pair.compare(Grain::SyncPoints, BUDGET, |advance| advance());
    (comparison.difference.is_none(), resource::judge(&pair.guest))
}

#[test]
fn the_hardware_keeps_a_guest_out_of_the_monitors_memory() {
    for layout in LAYOUTS {
        let (equal, control) = vandalise(layout, None);
        assert!(equal, "{layout:?}");
        assert!(control.holds, "{layout:?}: {}", control.detail);
    }
}

#[test]
fn with_the_protection_lifted_a_guest_corrupts_a_shadow_table_and_the_check_reports_it() {
    for layout in LAYOUTS {
        let (equal, control) = vandalise(layout, Some(Bug::ProtectionLifted));
        assert!(
            !equal,
            "{layout:?}: the stores did not trap as on the bare machine"
        );
        assert!(!control.holds, "{layout:?}");
        assert!(
            control.detail.contains("which is not the guest's"),
            "{}",
            control.detail
        );
    }
}

#[test]
fn a_guest_that_turns_its_interrupts_off_and_loops_does_not_keep_the_processor() {
    let setup = guest(Profile::new(ProfileName::Classic), "csrci status, 16\n1: j 1b");
    for mode in [
        ModeName::Trap(LAYOUTS[0]),
        ModeName::Trap(LAYOUTS[1]),
        ModeName::Hundred,
    ] {
        let report = check(&setup, mode);
        assert_eq!(report.end, End::Budget, "{mode}");
        assert!(report.counts.exits > 3, "{mode}: {} exits", report.counts.exits);
        let control = report.verdict.resource_control;
        assert!(control.holds, "{mode}: {}", control.detail);
    }
}

/// RING32.md: where a write to `ptbr`, `bound` or `tvec` takes effect outside ring 0, control is lost.
#[test]
fn a_row_that_gives_the_guest_a_control_register_breaks_resource_control() {
    for (csr, name) in [(Csr::Ptbr, "ptbr"), (Csr::Bound, "bound"), (Csr::Tvec, "tvec")] {
        let profile = with(Row::Write(csr), Behaviour::TakesEffect);
        let text = format!("li t0, 0x8000\ncsrw {name}, t0\nli t1, 48\nout t1, zero\n");
        for mode in [
            ModeName::Trap(LAYOUTS[0]),
            ModeName::Trap(LAYOUTS[1]),
            ModeName::Hundred,
        ] {
            let control = check(&guest(profile.clone(), &text), mode)
                .verdict
                .resource_control;
            assert!(!control.holds, "{name}, {mode}: {}", control.detail);
            let row = format!("`csrw {name}`");
            assert!(
                control.detail.contains(&row),
                "{name}, {mode}: {}",
                control.detail
            );
        }
    }
}

#[test]
fn the_guilty_rows_are_listed_in_order_and_confirmed_by_reruns() {
    let text = "
        csrr    a0, ptbr
        csrsi   status, 16
        csrr    a1, tvec
        prober  a2, zero, zero
        li      t1, 48
        out     t1, zero
    ";
    let setup = guest(Profile::new(ProfileName::Leaky), text);
    let report = check(&setup, ModeName::Trap(Layout::RingDeprivileging));
    let findings = report.findings.expect("the guest falls into holes");
    let rows: Vec<String> = findings.holes.iter().map(|hole| hole.row.to_string()).collect();
    assert_eq!(rows, ["csrr ptbr", "csrw status", "csrr tvec"]);
    assert!(findings.holes.iter().all(|hole| hole.confirmed));
    assert!(findings.cured);
    let first = findings.first.expect("there is a first one");
    assert_eq!((first.clock, first.instruction.as_str()), (0, "csrr a0, ptbr"));
}

#[test]
fn an_instruction_that_is_no_hole_is_not_called_one() {
    // The monitor runs a guest of another machine than the one it is compared with: what differs is the monitor's.
    let setup = guest(
        Profile::new(ProfileName::Classic),
        "csrr a0, tvec\nli t1, 48\nout t1, zero\n",
    );
    let mut other = setup.clone();
    other.profile = Arc::new(Profile::new(ProfileName::Classic));
    let source = Source::new("guest.s", "li a0, 7\nli t1, 48\nout t1, zero\n");
    other.image = Arc::new(assemble(&[source], &AsmOptions::default()).expect("it assembles"));
    let bare = Run::new(&setup, ModeName::Bare, EngineName::Auto).expect("it fits");
    let mode = ModeName::Trap(Layout::RingDeprivileging);
    let guest = Run::new(&other, mode, EngineName::Auto).expect("it fits");
    let comparison = Pair::with(bare, guest).compare(Grain::Lockstep, BUDGET, |advance| advance());
    let difference = comparison.difference.expect("they are different programs");
    assert_eq!(
        (comparison.compared, difference.what.as_str()),
        (0, "register a0")
    );
}

#[test]
fn without_a_monitor_no_property_is_defined() {
    let report = check(&guest(Profile::new(ProfileName::Classic), VANDAL), ModeName::Bare);
    let verdict = report.verdict;
    for one in [verdict.equivalence, verdict.resource_control, verdict.efficiency] {
        assert!(
            one.detail.starts_with("not defined without a monitor: "),
            "{}",
            one.detail
        );
    }
}

#[test]
fn an_event_tells_where_relocation_has_put_the_instruction() {
    // To ring 3, relocated by the address of the program, which makes a system call.
    let text = "
        la      t0, handler
        csrw    tvec, t0
        la      t0, program
        csrw    base, t0
        csrw    epc, zero
        li      t0, 0x8c
        csrw    status, t0
        mret
handler:
        li      t1, 48
        out     t1, zero
program:
        nop
        ecall
";
    let setup = guest(Profile::new(ProfileName::Classic), text);
    let program = setup.image.symbol("program").expect("it is there").address;
    for mode in [
        ModeName::Bare,
        ModeName::Interpret,
        ModeName::Trap(LAYOUTS[0]),
        ModeName::Hundred,
    ] {
        let report = check(&setup, mode);
        let mut records = report.log.records();
        let call = records
            .find(|record| matches!(record.event, Event::Enter { .. }))
            .expect("the system call");
        let root = call.exit.and_then(|exit| report.log.get(exit)).unwrap_or(call);
        assert_eq!(
            (root.pc, root.base, root.address(), root.ring),
            (4, program, program + 4, 3),
            "{mode}"
        );
    }
}

#[test]
fn efficiency_is_strict_for_trap_and_emulate_and_denied_to_pure_emulation() {
    let setup = guest(
        Profile::new(ProfileName::Classic),
        "csrr a0, tvec\nli t1, 48\nout t1, zero\n",
    );
    let trap = check(&setup, ModeName::Trap(Layout::RingDeprivileging))
        .verdict
        .efficiency;
    assert!(trap.holds && trap.detail.starts_with("strict"), "{}", trap.detail);
    assert!(!check(&setup, ModeName::Interpret).verdict.efficiency.holds);
}

#[test]
fn emulation_by_host_code_is_judged_by_what_that_can_reach_and_how_long_it_keeps_the_processor() {
    if let Some(missing) = ModeName::Jit.missing() {
        println!("skipped: {missing}");
        return;
    }
    let mut setup = guest(
        Profile::new(ProfileName::Classic),
        "li t0, 0x8000\n 1: sw t0, 0(t0)\n addi t1, t1, 1\n j 1b\n",
    );
    let Report { verdict, counts, .. } = check(&setup, ModeName::Jit);
    let control = verdict.resource_control;
    assert!(
        control.holds && control.detail.contains("could reach at most"),
        "{}",
        control.detail
    );
    assert!(
        counts.units > 0 && counts.emitted_total() >= BUDGET - 1 && counts.direct_total() == 0,
        "{counts:?}"
    );
    let (efficient, why) = (verdict.efficiency.holds, verdict.efficiency.detail);
    assert!(!efficient && why.contains("translated code of the host"), "{why}");
    // A monitor that gives away more of the processor than it may.
    setup.quantum = 4 * Setup::QUANTUM;
    let control = check(&setup, ModeName::Jit).verdict.resource_control;
    assert!(
        !control.holds && control.detail.contains("kept the host's processor"),
        "{}",
        control.detail
    );
}

/// One side loops to the end of the budget, and so never comes to where the other one went.
#[test]
fn what_happens_to_one_side_only_is_a_difference_though_the_budget_ends_the_other() {
    for (real, virtual_machine) in [("j .", "ecall"), ("ecall", "j .")] {
        let text = format!("csrr t0, tvec\n bnez t0, 1f\n {real}\n1: {virtual_machine}\n");
        let setup = guest(with(Row::Read(Csr::Tvec), Behaviour::Leaks), &text);
        let report = check(&setup, ModeName::Trap(LAYOUTS[0]));
        assert!(!report.verdict.equivalence.holds, "{text}");
        assert!(report.findings.is_some_and(|findings| findings.cured), "{text}");
    }
}

#[test]
fn a_guest_that_wants_root_operation_is_told_what_no_virtual_machine_has() {
    let setup = guest(
        Profile::new(ProfileName::Assist),
        "1: csrw tvec, zero\n vmon\n j 1b",
    );
    for (mode, expected) in [
        (ModeName::Interpret, true),
        (ModeName::Trap(LAYOUTS[0]), false),
        (ModeName::Assist(Paging::Nested), false),
    ] {
        let equivalence = check(&setup, mode).verdict.equivalence;
        assert_eq!(equivalence.holds, expected, "{mode}: {}", equivalence.detail);
        let told = equivalence
            .detail
            .contains("a virtual machine has no root operation");
        assert_eq!(told, !expected, "{mode}: {}", equivalence.detail);
    }
}
