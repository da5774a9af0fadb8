//! Numbers, pointers, counts.

use super::*;

#[test]
fn every_hypercall_has_a_number_of_its_own_and_a_name() {
    for (index, call) in Hypercall::ALL.into_iter().enumerate() {
        assert_eq!(Hypercall::from_number(call.documentation().number), Some(call));
        let later = &Hypercall::ALL[index + 1..];
        assert!(later.iter().all(|other| other.name() != call.name()));
        assert!(
            later
                .iter()
                .all(|other| other.documentation().number > call.documentation().number)
        );
    }
}

#[test]
fn a_number_that_no_hypercall_has_is_refused() {
    let mut bench = Bench::new();
    for number in [2, 3, 47, 50, u32::MAX] {
        assert_eq!(bench.call_number(number, 0, 0).0, Errno::NoSuchCall.code());
    }
    assert_eq!(bench.counts.hypercalls["unknown"], 5);
}

#[test]
fn a_hypercall_returns_behind_itself_and_counts_as_an_instruction() {
    let mut bench = Bench::new();
    let before = (
        bench.para.allocator.load(&bench.machine.board).pc,
        bench.para.guest.pace.clock,
    );
    assert_eq!(bench.call(Hypercall::SchedOp, sched::YIELD, 0).0, 0);
    let after = (
        bench.para.allocator.load(&bench.machine.board).pc,
        bench.para.guest.pace.clock,
    );
    assert_eq!(after, (before.0 + 4, before.1 + 1));
}

#[test]
fn a_pointer_to_where_the_guest_cannot_read_is_refused() {
    let mut bench = Bench::new();
    // Beyond its memory, in the monitor's, misaligned, from the last word that there is into the first.
    for address in [
        MEMORY,
        MONITOR,
        MONITOR - 4,
        BUFFER + 2,
        u32::MAX - 3,
        0x4000_0000,
    ] {
        assert_eq!(
            bench.call(Hypercall::MmuUpdate, address, 1).0,
            Errno::Fault.code(),
            "{address:#x}"
        );
        assert_eq!(
            bench.call(Hypercall::SetTrapTable, address, 1).0,
            Errno::Fault.code(),
            "{address:#x}"
        );
    }
    // The first pair can be read and is carried out, the second cannot.
    bench.poke(MEMORY - 8, bench.entry_of(SPARE));
    bench.poke(MEMORY - 4, 0);
    assert_eq!(
        bench.call(Hypercall::MmuUpdate, MEMORY - 8, 2),
        (Errno::Fault.code(), 1)
    );
    bench.audit();
}

#[test]
fn a_batch_has_a_limit() {
    let mut bench = Bench::new();
    for count in [BATCH_LIMIT + 1, u32::MAX] {
        assert_eq!(
            bench.call(Hypercall::MmuUpdate, BUFFER, count),
            (Errno::Invalid.code(), 0)
        );
    }
    assert_eq!(
        bench.call(Hypercall::SetTrapTable, BUFFER, HANDLERS + 1).0,
        Errno::Invalid.code()
    );
    bench.poke(BUFFER, HANDLERS);
    assert_eq!(
        bench.call(Hypercall::SetTrapTable, BUFFER, 1).0,
        Errno::Invalid.code()
    );
    let spare = bench.entry_of(SPARE);
    let requests: Vec<(u32, u32)> = (0..64).map(|_| (spare, 0)).collect();
    assert_eq!(bench.update(&requests), (0, 64));
    assert_eq!(bench.counts.batches[&64], 1);
    assert_eq!(bench.counts.mmu_updates, 64);
}

#[test]
fn a_request_that_is_refused_is_the_last_of_its_batch() {
    let mut bench = Bench::new();
    let entry = bench.entry_of(SPARE);
    let good = pte::entry(bench.frame(SPARE) * PAGE, pte::V | pte::R);
    let monitor = pte::entry(bench.para.allocator.monitor(), pte::V | pte::R);
    let done = bench.update(&[(entry, good), (entry, monitor), (entry, 0)]);
    assert_eq!(done, (Errno::Permission.code(), 1));
    let board = &bench.machine.board;
    assert_eq!(board.ram.read(entry, Width::Word), Some(good));
    bench.audit();
}

#[test]
fn the_guest_pays_for_the_work_that_it_makes() {
    let mut bench = Bench::new();
    let before = bench.machine.attempts;
    let root = bench.command_about(bench.boot_table() - 1);
    bench.update(&[(root, update::NEW_BASE)]);
    // A root and a table, taken and given back.
    assert!(bench.machine.attempts - before > 4000);
}
