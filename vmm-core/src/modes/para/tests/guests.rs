//! Guests that run, and cheat.

use toy_isa::machine::LoadError;

use super::*;

/// Runs a guest that is watched, with a bug in the validator or without.
fn watched(text: &str, target: u32, bug: Option<Bug>) -> Run {
    let (machine, mut para) = build(&setup(text, target));
    if let Some(bug) = bug {
        para.plant(bug);
    }
    let mut run = Run::with(ModeName::Para, machine, Box::new(para), EngineName::Auto)
        .expect("the engine is everywhere");
    resource::guard(&mut run);
    run.finish(100_000);
    run
}

/// The machine frame of the monitor's save area.
fn save_area() -> u32 {
    let (_, para) = build(&setup("_start: j _start\n", 0));
    para.allocator.monitor() / PAGE + 1
}

/// Maps a frame of the monitor's at a page of its own, and writes there. Ends with 1 if that is refused.
const MAP_FOREIGN: &str = "
_start: li      t0, INFO
        lw      t0, BOOT(t0)
        addi    t0, t0, 1               # the table of the lowest 4 MiB
        slli    t0, t0, 2
        li      t1, P2M
        add     t0, t0, t1
        lw      t0, 0(t0)
        slli    t0, t0, 12
        addi    t0, t0, 4*SPARE
        li      a0, BUFFER
        sw      t0, 0(a0)
        li      t1, TARGET<<10|7
        sw      t1, 4(a0)
        li      a1, 1
        hypercall 1
        bnez    a0, 1f
        li      t0, SPARE<<12
        sw      zero, 256(t0)           # of the save area, no word that it uses
        off     0
1:      off     1
";

/// Maps its own page table at a page of its own, writable, writes an entry into it that names a frame of the monitor's,
/// and goes there. Ends with 1 if the first step is refused.
const WRITE_TABLE: &str = "
_start: li      t0, INFO
        lw      t0, BOOT(t0)
        addi    t0, t0, 1
        slli    t0, t0, 2
        li      t1, P2M
        add     t0, t0, t1
        lw      t0, 0(t0)               # the machine frame of the table
        li      a0, BUFFER
        slli    t1, t0, 10
        ori     t1, t1, 7
        sw      t1, 4(a0)
        slli    t0, t0, 12
        addi    t0, t0, 4*SPARE
        sw      t0, 0(a0)
        li      a1, 1
        hypercall 1
        bnez    a0, 1f
        li      t0, SPARE<<12           # here is the table now
        li      t1, TARGET<<10|7
        sw      t1, 4*(SPARE+1)(t0)
        li      t0, (SPARE+1)<<12
        sw      zero, 256(t0)
        off     0
1:      off     1
";

#[test]
fn a_guest_that_cheats_is_refused_and_nothing_is_touched() {
    for text in [MAP_FOREIGN, WRITE_TABLE] {
        let run = watched(text, save_area(), None);
        assert_eq!(run.ended(), Some(End::PowerOff(1)));
        let verdict = resource::judge(&run);
        assert!(verdict.holds, "{}", verdict.detail);
    }
}

#[test]
fn with_a_bug_in_the_validator_the_guest_gets_through_and_the_check_reports_it() {
    for (text, bug) in [
        (MAP_FOREIGN, Bug::OwnerUnchecked),
        (WRITE_TABLE, Bug::KindUnchecked),
    ] {
        let run = watched(text, save_area(), Some(bug));
        assert_eq!(run.ended(), Some(End::PowerOff(0)), "{bug:?}");
        let verdict = resource::judge(&run);
        assert!(!verdict.holds, "{bug:?}");
        assert!(
            verdict.detail.contains("which is not the guest's"),
            "{}",
            verdict.detail
        );
    }
}

/// Registers a handler for everything, tries something, and ends with the cause of the trap that it met.
fn trapped(attempt: &str) -> Run {
    let causes: String = (0..32).map(|cause| format!(".word {cause}, handler\n")).collect();
    let text = format!(
        "
_start: la      a0, traps
        li      a1, 32
        hypercall 0
        {attempt}
        off     99
handler:
        lw      a1, 16(zero)
        li      a0, 2
        hypercall 29
        .align  2
traps:  {causes}"
    );
    watched(&text, 0, None)
}

/// Continues in ring 3 at `user`.
const TO_USER: &str = "
        la      t0, user
        sw      t0, 12(zero)
        li      t0, 3
        sw      t0, 24(zero)
        hypercall 23
user:";

#[test]
fn what_a_guest_must_not_do_is_a_trap_for_its_own_kernel() {
    let in_ring_3 = |attempt: &str| format!("{TO_USER} {attempt}");
    // A process cannot fetch: the boot tables give ring 3 nothing. What it does is then told from that.
    let cases = [
        ("csrw ptbr, zero".to_string(), Cause::Illegal),
        ("mret".to_string(), Cause::Illegal),
        ("out zero, zero".to_string(), Cause::Illegal),
        ("li t0, INFO\n sw zero, 0(t0)".to_string(), Cause::StorePage),
        ("li t0, P2M\n sw zero, 0(t0)".to_string(), Cause::StorePage),
        ("li t0, M2P\n sw zero, 0(t0)".to_string(), Cause::StorePage),
        (format!("li t0, {MONITOR}\n lw t0, 0(t0)"), Cause::LoadAccess),
        (format!("li t0, {MONITOR}\n sw zero, 0(t0)"), Cause::StoreAccess),
        (format!("li t0, {MONITOR}\n jr t0"), Cause::FetchAccess),
        ("ecall".to_string(), Cause::SystemCall(1)),
        (in_ring_3("nop"), Cause::FetchPage),
    ];
    for (attempt, cause) in cases {
        let run = trapped(&attempt);
        assert_eq!(run.ended(), Some(End::PowerOff(cause.code())), "{attempt}");
        let verdict = resource::judge(&run);
        assert!(verdict.holds, "{attempt}: {}", verdict.detail);
    }
}

#[test]
fn the_window_can_be_read() {
    let text = "
_start: li      t0, P2M+4*5
        lw      t0, 0(t0)               # the machine frame of frame 5
        slli    t0, t0, 2
        li      t1, M2P
        add     t0, t0, t1
        lw      a1, 0(t0)
        li      a0, 2
        hypercall 29
    ";
    let run = watched(text, 0, None);
    assert_eq!(run.ended(), Some(End::PowerOff(5)));
    assert!(resource::judge(&run).holds);
}

#[test]
fn a_guest_without_a_handler_ends_and_one_that_waits_for_nothing_is_stuck() {
    assert!(matches!(
        watched("_start: mret\n", 0, None).ended(),
        Some(End::DoubleFault(_))
    ));
    let wait = "_start: li a0, 1\n hypercall 29\n off 0\n";
    assert_eq!(watched(wait, 0, None).ended(), Some(End::Deadlock));
    // The timer's channel is masked, so the timer ends no wait.
    let masked = "_start: li a0, 100\n hypercall 15\n li a0, 1\n hypercall 29\n off 0\n";
    assert_eq!(watched(masked, 0, None).ended(), Some(End::Deadlock));
    // What is pending already ends it at once.
    let late = "
_start: sb      zero, 8(zero)
        li      a0, 1
        hypercall 15
        nop
        nop
        nop
        li      a0, 1
        hypercall 29
        off     7
    ";
    assert_eq!(watched(late, 0, None).ended(), Some(End::PowerOff(7)));
    let heard = "_start: sb zero, 8(zero)\n li a0, 100\n hypercall 15\n li a0, 1\n hypercall 29\n off 7\n";
    assert_eq!(watched(heard, 0, None).ended(), Some(End::PowerOff(7)));
}

#[test]
fn a_guest_whose_tables_do_not_fit_its_memory_is_refused_and_the_largest_fits() {
    let built = |memory| {
        let setup = Setup {
            memory,
            ..setup("_start: j _start\n", 0)
        };
        let port = setup.port.as_ref().expect("test guests are ports");
        Para::build(&setup, port, Arc::clone(&setup.profile)).map(|(_, para)| para.guest.frames.len())
    };
    assert_eq!(built(4 * PAGE), Ok(4));
    let (end, memory) = (4 * u64::from(PAGE), 3 * PAGE);
    assert_eq!(built(memory), Err(LoadError::TooLarge { end, memory }));
    assert_eq!(built(Setup::MEMORY_LIMIT), Ok(Setup::MEMORY_LIMIT / PAGE));
}
