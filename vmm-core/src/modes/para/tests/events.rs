//! Events, the timer, and the ways into the kernel and back.

use super::*;

#[test]
fn an_event_waits_until_upcalls_are_enabled_and_its_channel_is_not_masked() {
    let mut bench = Bench::new();
    bench.call(Hypercall::SetCallbacks, 0x1234, 0);
    bench.call(Hypercall::SetTimerOp, 100, 0);
    bench.wait(99);
    assert!(!bench.pending(channel::TIMER));
    bench.wait(1);
    assert!(bench.pending(channel::TIMER));
    let (para, board) = (&mut bench.para, &mut bench.machine);
    assert_eq!(para.upcall(board), None, "all channels are masked at the start");
    para.shared.put(&mut board.board, shared::MASK, 0);
    assert_eq!(para.upcall(board), None, "upcalls are disabled at the start");
    para.shared.put(&mut board.board, shared::ENABLED, 7);
    let pc = para.allocator.load(&board.board).pc;
    assert_eq!(
        para.upcall(board).map(|trap| trap.cause),
        Some(Cause::DeviceInterrupt)
    );
    assert_eq!(para.upcall(board), None, "an upcall disables upcalls");
    let hart = para.allocator.load(&board.board);
    assert_eq!((hart.pc, hart.ring()), (0x1234, KERNEL));
    assert_eq!(para.shared.word(&board.board, shared::EPC), pc);
    assert_eq!(
        para.shared.word(&board.board, shared::PREVIOUS),
        KERNEL | shared::PREVIOUS_ENABLED
    );
    para.leave_kernel(board);
    assert_eq!(para.allocator.load(&board.board).pc, pc);
    assert_ne!(para.shared.word(&board.board, shared::ENABLED), 0);
}

#[test]
fn the_timer_is_taken_back_by_zero_and_by_another_wish() {
    let mut bench = Bench::new();
    bench.call(Hypercall::SetTimerOp, 100, 0);
    bench.call(Hypercall::SetTimerOp, 0, 0);
    bench.wait(1000);
    assert!(!bench.pending(channel::TIMER));
    bench.call(Hypercall::SetTimerOp, 100, 0);
    bench.call(Hypercall::SetTimerOp, u32::MAX, 0);
    bench.wait(1000);
    assert!(!bench.pending(channel::TIMER));
}

#[test]
fn a_return_goes_to_the_kernel_or_to_a_process_and_nowhere_else() {
    let mut bench = Bench::new();
    for (previous, ring) in [
        (0, KERNEL),
        (1, KERNEL),
        (2, KERNEL),
        (3, USER),
        (0xffff_fffc, KERNEL),
        (u32::MAX, USER),
    ] {
        let board = &mut bench.machine.board;
        bench.para.shared.put(board, shared::PREVIOUS, previous);
        bench.para.shared.put(board, shared::EPC, 0xffff_ffff);
        bench.para.shared.put(board, shared::T0, 77);
        bench.call(Hypercall::Iret, 0, 0);
        let hart = bench.para.allocator.load(&bench.machine.board);
        assert_eq!(
            (hart.ring(), hart.pc, hart.x[5]),
            (ring, 0xffff_fffc, 77),
            "{previous:#x}"
        );
        let real = bench.para.real_csrs(&hart);
        assert_eq!((real.bound, real.xbound), (MONITOR, MONITOR));
    }
}

#[test]
fn a_hypercall_of_a_process_is_a_trap_for_its_kernel() {
    let mut bench = Bench::new();
    let mut hart = bench.para.allocator.load(&bench.machine.board);
    hart.csr.status = Status(USER);
    hart.x[5] = Hypercall::SchedOp.documentation().number;
    hart.x[10] = sched::SHUTDOWN;
    bench.para.allocator.store(&mut bench.machine.board, &hart);
    let trap = Trap {
        cause: Cause::Hypercall,
        tval: 0,
    };
    let mut notes = Notes {
        log: &mut bench.log,
        counts: &mut bench.counts,
    };
    let answer = bench.para.answer(&mut bench.machine, trap, &mut notes);
    assert_eq!(answer, Answer::Sync(Sync::Enter(trap)));
    assert_eq!(bench.para.allocator.load(&bench.machine.board).ring(), KERNEL);
    assert!(bench.counts.hypercalls.is_empty());
}
