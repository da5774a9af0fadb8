//! What becomes of requests that fail: they are repeated, or there is an error that says which it was. And what a trip
//! out of emitted code costs.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use toy_isa::engine::{Engine, Exit, Reference};
use toy_isa::instruction::Instruction;
use toy_isa::machine::{Config, Machine};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::table::Op;

use super::super::Kvm;
use super::*;
use crate::kvm::Errno;
use crate::kvm::calls::{Call, Weather};

/// Some requests of one kind fail.
struct Storm {
    call: Call,
    number: i32,
    /// So many come through before.
    spared: u32,
    /// And so many fail.
    times: u32,
    struck: Rc<Cell<u32>>,
}

impl Weather for Storm {
    fn strikes(&mut self, call: Call) -> Option<i32> {
        if call != self.call || self.times == 0 {
            return None;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return None;
        }
        self.times -= 1;
        self.struck.set(self.struck.get() + 1);
        Some(self.number)
    }
}

/// An engine whose requests of this kind fail with this number; and how many have.
fn engine(call: Call, number: i32, spared: u32, times: u32) -> (Result<Kvm, KvmError>, Rc<Cell<u32>>) {
    let struck = Rc::new(Cell::new(0));
    let storm = Storm {
        call,
        number,
        spared,
        times,
        struck: Rc::clone(&struck),
    };
    (Kvm::with_calls(0, Calls::new(Box::new(storm))), struck)
}

fn absent(name: &str) -> bool {
    let missing = crate::kvm::available().err();
    missing.inspect(|missing| crate::skipped(name, missing)).is_some()
}

/// A machine that stores and loads in a loop, and traps in the end.
fn machine() -> Machine {
    let mut machine = Machine::new(Config {
        memory: 1 << 16,
        profile: Arc::new(Profile::new(ProfileName::Classic)),
        disk: Vec::new(),
        input: Vec::new(),
        tlb: 64,
    });
    let row = |op, rd, rs1, rs2, imm| {
        Instruction {
            op,
            rd,
            rs1,
            rs2,
            imm,
        }
        .encode()
    };
    let words = [
        row(Op::Addi, 9, 0, 0, 500),
        row(Op::Lw, 4, 8, 0, 0),
        row(Op::Add, 4, 4, 9, 0),
        row(Op::Sw, 0, 8, 4, 0),
        row(Op::Addi, 9, 9, 0, -1),
        row(Op::Bne, 0, 9, 0, -16),
        row(Op::Ecall, 0, 0, 0, 0),
    ];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    machine.board.ram.load(0x1000, &bytes).expect("it fits");
    machine.hart.pc = 0x1000;
    machine.hart.x[8] = 0x8000;
    machine
}

fn assert_same(engine: &mut Kvm) {
    let (mut left, mut right) = (machine(), machine());
    let exits = (Reference.run(&mut left, 10_000), engine.run(&mut right, 10_000));
    assert_eq!(exits.0, exits.1);
    assert_eq!(left.hart, right.hart);
    assert_eq!(left.attempts, right.attempts);
    assert_eq!(left.histogram, right.histogram);
    let sum = |machine: &Machine| machine.board.ram.slice(0x8000, 4).map(<[u8]>::to_vec);
    assert_eq!(sum(&left), sum(&right));
}

#[test]
fn what_a_signal_interrupts_is_done_again() {
    if absent("what_a_signal_interrupts_is_done_again") {
        return;
    }
    for call in Call::ALL {
        for number in [libc::EINTR, libc::EAGAIN] {
            for spared in [0, 2] {
                let (engine, struck) = engine(call, number, spared, 3);
                let mut engine = engine.unwrap_or_else(|error| panic!("{call:?}, {number}: {error}"));
                assert_same(&mut engine);
                let often = spared == 0 || [Call::Run, Call::Memory].contains(&call);
                assert_eq!(struck.get(), if often { 3 } else { 0 }, "{call:?}");
                let repeated = engine.figures().exits.into_iter().last();
                assert_eq!(repeated.map(|(_, times)| times), Some(u64::from(struck.get())));
            }
        }
    }
}

#[test]
fn what_the_kernel_refuses_is_an_error_that_names_it() {
    if absent("what_the_kernel_refuses_is_an_error_that_names_it") {
        return;
    }
    for call in Call::ALL {
        for number in [libc::ENOMEM, libc::EFAULT] {
            let expected = KvmError::Call {
                call: call.name(),
                error: Errno(number),
            };
            let (engine, _) = engine(call, number, 0, 1);
            assert_eq!(engine.err(), Some(expected), "{call:?}");
        }
    }
}

#[test]
fn what_fails_in_the_midst_of_a_run_ends_it() {
    if absent("what_fails_in_the_midst_of_a_run_ends_it") {
        return;
    }
    // The third memory is that of the machine; the first run is that to where emitted code is entered.
    for (call, spared) in [(Call::Memory, 2), (Call::Run, 1), (Call::Run, 2), (Call::Run, 3)] {
        for number in [libc::ENOMEM, libc::EFAULT] {
            let (engine, struck) = engine(call, number, spared, 1);
            let mut engine = engine.expect("it is made");
            let mut machine = machine();
            for _ in 0..2 {
                assert_eq!(
                    engine.run(&mut machine, 10_000),
                    Exit::Failed,
                    "{call:?} {spared}"
                );
                let failure = engine.figures().failure.expect("it says why");
                assert!(failure.contains(call.name()), "{failure}");
            }
            assert_eq!(struck.get(), 1);
        }
    }
}

#[test]
fn a_request_that_is_interrupted_for_ever_has_failed() {
    if absent("a_request_that_is_interrupted_for_ever_has_failed") {
        return;
    }
    for number in [libc::EINTR, libc::EAGAIN] {
        let (engine, struck) = engine(Call::Run, number, 0, u32::MAX);
        let error = engine.err().expect("it is not made");
        assert!(error.to_string().starts_with("KVM: KVM_RUN failed"), "{error}");
        assert!(struck.get() > 1000);
    }
}

#[test]
fn most_of_a_loop_is_executed_inside() {
    if absent("most_of_a_loop_is_executed_inside") {
        return;
    }
    let mut engine = Kvm::new().expect("there is KVM");
    assert_same(&mut engine);
    let figures = engine.figures();
    assert!(figures.emitted > 2400 && figures.failure.is_none(), "{figures:?}");
    assert!(
        figures.exits.iter().take(2).all(|(_, times)| *times < 20),
        "{figures:?}"
    );
}

#[test]
fn a_trip_out_of_emitted_code_costs_hardly_more_than_the_system_call() {
    if absent("a_trip_out_of_emitted_code_costs_hardly_more_than_the_system_call") {
        return;
    }
    // Others use this computer, too: one quiet moment is enough.
    let ratios = (0..20).map(|_| {
        let trips = trips::measure(100, 5).expect("KVM does what it should");
        trips.trip / trips.floor
    });
    let seen: Vec<f64> = ratios.take_while(|ratio| *ratio > 1.15).collect();
    assert!(seen.len() < 20, "never within 1.15: {seen:?}");
}
