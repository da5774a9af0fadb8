//! The monitor by itself: what it needs, what makes a guest leave, and that its checks can fail.

use std::sync::Arc;

use toy_isa::asm::{Options as AsmOptions, Source, assemble};
use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::root::EntryError;
use toy_isa::row::Row;
use toy_isa::table::{Csr, Op};
use toy_isa::trap::{Cause, Trap};

use super::{Assist, Bug, Paging};
use crate::check::equivalence::{Grain, Pair};
use crate::check::report::{Options, Report, compare};
use crate::check::{Verdict, resource};
use crate::engine::EngineName;
use crate::mode::{End, ModeName};
use crate::price::PriceList;
use crate::run::Run;
use crate::setup::{Setup, StartError};

const BOTH: [Paging; 2] = [Paging::Nested, Paging::Shadow];

/// A guest of 1 MiB on the profile that has root operation.
fn guest(text: &str) -> Setup {
    let source = Source::new("guest.s", text);
    let image = assemble(&[source], &AsmOptions::default()).expect("the test's guest assembles");
    Setup::new(image, 1 << 20, Profile::new(ProfileName::Assist))
}

fn run(setup: &Setup, paging: Paging) -> Report {
    let options = Options {
        engine: EngineName::Auto,
        budget: 400_000,
        grain: Grain::Lockstep,
        prices: &PriceList::textbook(),
        now: || 0,
    };
    compare(setup, &[ModeName::Assist(paging)], options)
        .expect("the guest fits")
        .remove(0)
}

/// Runs a guest that must keep all three properties.
fn holds(setup: &Setup, paging: Paging) -> Report {
    let report = run(setup, paging);
    let verdict = &report.verdict;
    for verdict in [
        &verdict.equivalence,
        &verdict.resource_control,
        &verdict.efficiency,
    ] {
        assert!(verdict.holds, "{paging:?}: {}", verdict.detail);
    }
    report
}

fn exits(report: &Report, reason: &str) -> u64 {
    report.counts.vm_exits.get(reason).copied().unwrap_or(0)
}

/// Ends the guest with the exit code in a0.
const OFF: &str = "\nli t0, 48\nout t0, a0\n";

#[test]
fn hardware_without_root_operation_is_told_to_the_user() {
    for profile in [ProfileName::Classic, ProfileName::Leaky, ProfileName::Hybrid] {
        let mut setup = guest(OFF);
        setup.profile = Arc::new(Profile::new(profile));
        let error = Run::new(&setup, ModeName::Assist(Paging::Nested), EngineName::Auto).err();
        assert_eq!(
            error,
            Some(StartError::NoRootOperation(profile.name().to_string()))
        );
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            text.contains(profile.name()) && text.contains("--profile assist"),
            "{text}"
        );
        assert!(!ModeName::Assist(Paging::Nested).runs_on(&setup.profile));
    }
    // What the rows do outside ring 0 does not matter, only whether there is root operation.
    let mut other = Profile::new(ProfileName::Assist);
    other
        .set(Row::Read(Csr::Tvec), Behaviour::Ignored)
        .expect("it can");
    assert!(ModeName::Assist(Paging::Shadow).runs_on(&other));
}

#[test]
fn system_calls_and_returns_never_leave_and_devices_do() {
    let text = "
        la      t0, handler
        csrw    tvec, t0
        li      a1, 10
1:      la      t0, user
        csrw    epc, t0
        li      t0, 12
        csrs    status, t0              # to ring 3
        mret
user:   ecall
handler: addi   a1, a1, -1
        bnez    a1, 1b
        li      t0, 1
        in      a0, t0                  # console STATUS
    ";
    for paging in BOTH {
        let report = holds(&guest(&format!("{text}{OFF}")), paging);
        assert_eq!((report.end, report.traps), (End::PowerOff(2), 10));
        assert_eq!((exits(&report, "in"), exits(&report, "out")), (1, 1));
        let counts = &report.counts;
        assert_eq!((counts.returns, counts.reflected, counts.injected), (10, 0, 0));
        assert_eq!(counts.vm_entries, counts.vm_exits_total());
        assert_eq!(counts.exits, counts.vm_exits_total());
        let pages = match paging {
            Paging::Nested => counts.nested_fills,
            Paging::Shadow => counts.shadow_fills,
        };
        assert_eq!(pages, 1, "the page of the code");
    }
}

#[test]
fn more_exits_change_nothing_but_the_price() {
    let text = "
        la      t0, handler
        csrw    tvec, t0
        csrr    s0, instret
        ecall
        ebreak
        .word   0
        csrr    s1, instret
        csrr    a1, tvec
        sfence.vma
        sub     a0, s1, s0
        li      t0, 48
        out     t0, a0
handler: csrr   t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        mret
    ";
    for paging in BOTH {
        let plain = holds(&guest(text), paging);
        let mut setup = guest(text);
        for row in [
            Row::Op(Op::Ecall),
            Row::Op(Op::Ebreak),
            Row::Op(Op::Mret),
            Row::Op(Op::SfenceVma),
            Row::Read(Csr::Instret),
            Row::Read(Csr::Tvec),
            Row::Write(Csr::Epc),
        ] {
            assert!(setup.exits.add_row(row), "{row}");
        }
        assert!(setup.exits.add_cause(Cause::Illegal));
        let more = holds(&setup, paging);
        assert_eq!((more.end, more.retired), (plain.end, plain.retired));
        assert!(more.cycles > plain.cycles);
        let found = [
            "system call from ring 0",
            "breakpoint",
            "illegal instruction",
            "mret",
            "sfence.vma",
            "csrr instret",
            "csrr tvec",
            "csrw epc",
        ]
        .map(|reason| exits(&more, reason));
        assert_eq!(found, [1, 1, 1, 3, 1, 2, 1, 3]);
        assert_eq!((more.counts.reflected, plain.counts.reflected), (3, 0));
        assert_eq!(more.counts.returns, 0, "all returns were the monitor's");
    }
}

#[test]
fn the_guest_has_no_root_operation_whatever_its_hardware_has() {
    let text = "
        la      t0, handler
        csrw    tvec, t0
        vmon
        j       .
handler: csrr   a0, cause
    ";
    for paging in BOTH {
        let mut run = Run::new(
            &guest(&format!("{text}{OFF}")),
            ModeName::Assist(paging),
            EngineName::Auto,
        )
        .expect("the guest fits");
        assert_eq!(run.finish(1_000), End::PowerOff(2));
        assert_eq!(run.counts().vm_exits.get("vmon"), Some(&1));
    }
}

#[test]
fn a_guest_that_loops_with_its_interrupts_off_does_not_keep_the_processor() {
    for paging in BOTH {
        let report = run(&guest("csrci status, 16\n1: j 1b"), paging);
        assert_eq!(report.end, End::Budget);
        assert!(exits(&report, "countdown") > 3, "{:?}", report.counts.vm_exits);
        assert!(report.verdict.resource_control.holds);
    }
}

#[test]
fn nor_does_one_that_only_traps_which_takes_no_time() {
    for paging in BOTH {
        let report = run(&guest("la t0, 1f\ncsrw tvec, t0\n1: ecall"), paging);
        assert_eq!(report.end, End::Budget);
        assert!(exits(&report, "trap limit") > 3, "{:?}", report.counts.vm_exits);
        assert!(report.verdict.equivalence.holds);
    }
}

#[test]
fn interrupts_come_before_the_same_instruction_as_on_the_bare_machine() {
    // A timer that is due while interrupts are off, and one that is due while they are on.
    let text = "
        la      t0, handler
        csrw    tvec, t0
        li      t0, 0x10000
        csrw    irq, t0
        csrr    t0, instret
        addi    t0, t0, 20
        csrw    timer, t0
        li      t1, 40
1:      addi    t1, t1, -1
        bnez    t1, 1b
        csrsi   status, 16
        li      t1, 100
2:      addi    t1, t1, -1
        bnez    t1, 2b
        wfi
        j       .
handler: addi   a0, a0, 1
        csrr    t0, instret
        addi    t0, t0, 33
        csrw    timer, t0
        li      t0, 5
        beq     a0, t0, 3f
        mret
3:
    ";
    for paging in BOTH {
        let report = holds(&guest(&format!("{text}{OFF}")), paging);
        assert_eq!((report.end, report.counts.injected), (End::PowerOff(5), 5));
        assert_eq!(exits(&report, "interrupt window"), 1);
    }
}

#[test]
fn windows_under_relocation_and_a_page_table() {
    // In ring 0, with relocation on, through a shadow or a nested table.
    let text = "
        li      t0, 0x10000
        li      t1, 0xf
        sw      t1, 0(t0)               # the lowest 4 MiB are themselves
        li      t0, 0x10001
        csrw    ptbr, t0
        li      t0, 0x40000
        csrw    window, t0
        li      t0, 0x20
        wsw     t0, 0(t0)
        wlw     a0, 0(t0)
        li      t1, 0x40000
        lw      a1, 0x20(t1)
        sub     a0, a0, a1
    ";
    for paging in BOTH {
        assert_eq!(
            holds(&guest(&format!("{text}{OFF}")), paging).end,
            End::PowerOff(0)
        );
    }
}

#[test]
fn a_handler_that_is_not_there_is_the_end_of_the_guest_and_not_of_the_monitor() {
    for (text, cause) in [
        ("li t0, 0x800000\ncsrw tvec, t0\necall", Cause::FetchAccess),
        ("li t0, 0x10001\ncsrw ptbr, t0", Cause::FetchPage),
    ] {
        for paging in BOTH {
            let report = holds(&guest(text), paging);
            let End::DoubleFault(Trap { cause: found, .. }) = report.end else {
                panic!("{text}, {paging:?}: {}", report.end);
            };
            assert_eq!(found, cause, "{paging:?}");
        }
    }
}

/// A guest that writes over real memory beyond its own: the monitor's page tables of the second level.
const VANDAL: &str = "
        la      t0, on_trap
        csrw    tvec, t0
        li      a1, 0x403000
        li      a2, 0x410000
1:      sw      zero, 0(a1)
        addi    a1, a1, 256
        bltu    a1, a2, 1b
        li      t0, 48
        out     t0, a0
on_trap:
        addi    a0, a0, 1
        csrr    t0, epc
        addi    t0, t0, 4
        csrw    epc, t0
        mret
";

/// The vandal beside the bare machine: whether it was the same, its verdict on resource control, and its end.
fn vandalise(text: &str, bug: Option<Bug>) -> (bool, Verdict, Option<End>) {
    let setup = guest(text);
    let bare = Run::new(&setup, ModeName::Bare, EngineName::Auto).expect("the guest fits");
    let hardware = Arc::clone(&setup.profile);
    let (machine, mut monitor) = Assist::build(&setup, Paging::Nested, hardware).expect("the guest fits");
    if let Some(bug) = bug {
        monitor.plant(bug);
    }
    let mode = ModeName::Assist(Paging::Nested);
    let guest =
        Run::with(mode, machine, Box::new(monitor), EngineName::Auto).expect("the engine is everywhere");
    let mut pair = Pair::with(bare, guest);
    resource::guard(&mut pair.guest);
    let comparison = pair.compare(Grain::SyncPoints, 100_000, |advance| advance());
    pair.guest.finish(100_000);
    let control = resource::judge(&pair.guest);
    (comparison.difference.is_none(), control, pair.guest.ended())
}

#[test]
fn the_nested_table_keeps_a_guest_out_of_the_monitors_memory() {
    let (equal, control, _) = vandalise(VANDAL, None);
    assert!(equal && control.holds, "{}", control.detail);
}

#[test]
fn with_the_protection_lifted_the_check_reports_the_guest() {
    let (equal, control, _) = vandalise(VANDAL, Some(Bug::ProtectionLifted));
    assert!(!equal, "the stores did not trap as on the bare machine");
    assert!(!control.holds);
    assert!(
        control
            .detail
            .contains("code in non-root ring 0 reached real address 0x403000"),
        "{}",
        control.detail
    );
}

#[test]
fn a_structure_that_the_guest_has_spoilt_is_refused_and_nothing_panics() {
    // The page of the structure; the word that names its revision.
    let text = "li t0, 0x4010c0\nsw zero, 0(t0)\nli t1, 1\nin a0, t1\nj .";
    let (_, control, end) = vandalise(text, Some(Bug::ProtectionLifted));
    assert!(!control.holds);
    assert_eq!(end, Some(End::Refused(EntryError::Revision)));
    // Any word of it, with any of a few values.
    for offset in (0..0x220).step_by(4) {
        for value in ["-1", "1", "0x80000019"] {
            let text = format!("li t0, 0x401000+{offset}\nli t1, {value}\nsw t1, 0(t0)\nin a0, t1\nj .");
            let (_, control, _) = vandalise(&text, Some(Bug::ProtectionLifted));
            assert!(!control.holds, "{offset:#x}");
        }
    }
}
