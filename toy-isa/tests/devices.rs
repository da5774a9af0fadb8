//! The devices, as programs reach them: registers by port and by memory, time, the disk, interrupts, the end.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::*;
use toy_isa::bus::Bus;
use toy_isa::devices::Register;
use toy_isa::engine::{Engine, Exit, Reference};
use toy_isa::machine::Machine;
use toy_isa::profile::ProfileName;
use toy_isa::table::{Csr, Op};

const CONSOLE: u32 = 0;
const TIMER: u32 = 1;
const DISK: u32 = 2;
const POWER: u32 = 3;
const TIMER_INTERRUPT: u32 = 0x8000_0007;
const DEVICE_INTERRUPT: u32 = 0x8000_000b;
const IE: u32 = 1 << 4;
const SECTOR: u32 = 512;

fn fresh() -> Machine {
    machine(ProfileName::Classic)
}

fn with_input(input: &[u8]) -> Machine {
    let mut m = fresh();
    m.board.devices.console = toy_isa::devices::Console::new(input.to_vec());
    m
}

/// The two ways to a register.
#[derive(Clone, Copy, Debug)]
enum Way {
    Port,
    Memory,
}

const WAYS: [Way; 2] = [Way::Port, Way::Memory];

/// Reads register `index` of `device` with one instruction of a program.
fn read(m: &mut Machine, way: Way, device: u32, index: u32) -> u32 {
    let word = match way {
        Way::Port => {
            m.hart.x[5] = 16 * device + index;
            i(Op::In, 10, 5, 0)
        }
        Way::Memory => {
            m.hart.x[5] = 0xf000_0000 + 0x1000 * device + 4 * index;
            i(Op::Lw, 10, 5, 0)
        }
    };
    assert_eq!(execute(m, word), Exit::Fuel);
    m.hart.x[10]
}

/// Writes it.
fn write(m: &mut Machine, way: Way, device: u32, index: u32, value: u32) {
    m.hart.x[6] = value;
    let word = match way {
        Way::Port => {
            m.hart.x[5] = 16 * device + index;
            r(Op::Out, 0, 5, 6)
        }
        Way::Memory => {
            m.hart.x[5] = 0xf000_0000 + 0x1000 * device + 4 * index;
            s(Op::Sw, 6, 5, 0)
        }
    };
    assert_eq!(execute(m, word), Exit::Fuel);
}

#[test]
fn both_ways_reach_the_same_registers() {
    for write_way in WAYS {
        for read_way in WAYS {
            let mut m = fresh();
            for (device, index, value) in [(TIMER, 2, 0x1234), (DISK, 0, 7), (DISK, 1, 0x8000), (DISK, 2, 3)]
            {
                write(&mut m, write_way, device, index, value);
                assert_eq!(
                    read(&mut m, read_way, device, index),
                    value,
                    "device {device} register {index}"
                );
            }
            assert_eq!(read(&mut m, read_way, DISK, 5), 8);
            // What can only be read keeps its value.
            for (device, index) in [(CONSOLE, 1), (DISK, 4), (DISK, 5)] {
                let before = read(&mut m, read_way, device, index);
                write(&mut m, write_way, device, index, 0xffff_ffff);
                assert_eq!(read(&mut m, read_way, device, index), before);
            }
            write(&mut m, write_way, POWER, 0, 0xabcd);
            assert_eq!(step(&mut m), Exit::PowerOff(0xabcd));
        }
    }
}

#[test]
fn both_ways_reach_the_clock() {
    for way in WAYS {
        let mut m = fresh();
        m.board.pace.clock = 0x5_ffff_fffe;
        assert_eq!(read(&mut m, way, TIMER, 0), 0xffff_fffe);
        assert_eq!(read(&mut m, way, TIMER, 1), 5);
        assert_eq!(read(&mut m, way, TIMER, 0), 0);
        assert_eq!(read(&mut m, way, TIMER, 1), 6);
        write(&mut m, way, TIMER, 0, 99);
        write(&mut m, way, TIMER, 1, 99);
        assert_eq!(m.board.pace.clock, 0x6_0000_0004);
    }
}

#[test]
fn only_aligned_words_reach_devices() {
    let deadline = 0xf000_1008;
    for (word, offset, cause) in [
        (i(Op::Lb, 10, 5, 0), 0, 5),
        (i(Op::Lbu, 10, 5, 0), 1, 5),
        (i(Op::Lh, 10, 5, 0), 0, 5),
        (i(Op::Lhu, 10, 5, 0), 2, 5),
        (i(Op::Lw, 10, 5, 0), 2, 4),
        (s(Op::Sb, 6, 5, 0), 0, 7),
        (s(Op::Sh, 6, 5, 0), 2, 7),
        (s(Op::Sw, 6, 5, 0), 1, 6),
    ] {
        let mut m = fresh();
        m.hart.x[5] = deadline + offset;
        m.hart.x[6] = 0x55;
        execute(&mut m, word);
        assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (cause, deadline + offset));
        assert_eq!(m.board.devices.timer.value(), 0);
    }
}

#[test]
fn registers_that_do_not_exist_are_access_faults_in_memory() {
    let exist = [2, 3, 6, 1];
    for device in 0..6 {
        for index in (0..8).chain([15, 16, 0x3ff]) {
            let exists = exist.get(device as usize).is_some_and(|count| index < *count);
            for (word, cause) in [(i(Op::Lw, 10, 5, 0), 5), (s(Op::Sw, 6, 5, 0), 7)] {
                let mut m = fresh();
                m.hart.x[5] = 0xf000_0000 + 0x1000 * device + 4 * index;
                let trapped = execute(&mut m, word) != Exit::Fuel;
                assert_eq!(trapped, !exists, "device {device} register {index}");
                if trapped {
                    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (cause, m.hart.x[5]));
                }
            }
        }
    }
    // The first word below the devices, the last of the address space; and no code can be there.
    for address in [0xefff_fffc, 0xffff_fffc] {
        let mut m = fresh();
        m.hart.x[5] = address;
        execute(&mut m, i(Op::Lw, 10, 5, 0));
        assert_eq!(m.hart.csr.cause, 5);
    }
    let mut m = fresh();
    m.hart.pc = 0xf000_0000;
    step(&mut m);
    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (1, 0xf000_0000));
}

#[test]
fn the_console_sends_bytes_and_takes_them() {
    for way in WAYS {
        let mut m = with_input(b"ok");
        assert_eq!(read(&mut m, way, CONSOLE, 1), 3);
        assert_eq!(read(&mut m, way, CONSOLE, 0), u32::from(b'o'));
        assert_eq!(read(&mut m, way, CONSOLE, 0), u32::from(b'k'));
        assert_eq!(read(&mut m, way, CONSOLE, 1), 2);
        assert_eq!(read(&mut m, way, CONSOLE, 0), 0xffff_ffff);
        for value in [0x41, 0xffff_ff42, 0x1b] {
            write(&mut m, way, CONSOLE, 0, value);
        }
        assert_eq!(m.board.devices.console.output(), b"AB\x1b");
    }
}

#[test]
fn the_console_drops_what_is_beyond_its_limit() {
    let mut m = fresh();
    let limit = toy_isa::devices::Console::LIMIT;
    for _ in 0..limit + 10 {
        m.board.devices.console.print(b'x');
    }
    assert_eq!(m.board.devices.console.output().len(), limit);
}

#[test]
fn the_deadline_is_the_next_clock_value_with_that_low_word() {
    // clock when it is written, what is written, the deadline
    for (clock, value, deadline) in [
        (0, 1, Some(1)),
        (100, 100, Some(100)),
        (100, 101, Some(101)),
        (100, 99, Some(0x1_0000_0063)),
        (0xffff_fff0, 5, Some(0x1_0000_0005)),
        (0x1_0000_0000, 0xffff_ffff, Some(0x1_ffff_ffff)),
        (0x7_ffff_ffff, 0xffff_ffff, Some(0x7_ffff_ffff)),
        (0x7_ffff_ffff, 1, Some(0x8_0000_0001)),
        (100, 0, None),
        (0x1_0000_0000, 0, None),
    ] {
        for by_csr in [false, true] {
            let mut m = fresh();
            m.board.pace.clock = clock;
            if by_csr {
                m.hart.x[6] = value;
                execute(&mut m, c(Op::Csrrw, 0, Csr::Timer, 6));
            } else {
                write(&mut m, Way::Port, TIMER, 2, value);
            }
            assert_eq!(
                m.board.devices.timer.deadline(),
                deadline,
                "{value:#x} at {clock:#x}"
            );
            assert_eq!(read(&mut m, Way::Memory, TIMER, 2), value);
            execute(&mut m, c(Op::Csrrs, 11, Csr::Timer, 0));
            assert_eq!(m.hart.x[11], value);
        }
    }
}

#[test]
fn the_timer_line_is_pending_until_the_timer_is_written() {
    let pending = |m: &mut Machine| {
        execute(m, c(Op::Csrrs, 10, Csr::Irq, 0));
        m.hart.x[10] & 1
    };
    let mut m = fresh();
    write(&mut m, Way::Port, TIMER, 2, 4);
    // The clock is 1, 2, 3 and then 4.
    let seen: Vec<u32> = (0..5).map(|_| pending(&mut m)).collect();
    assert_eq!(seen, [0, 0, 0, 1, 1]);
    write(&mut m, Way::Port, TIMER, 2, 0x1000);
    assert_eq!(pending(&mut m), 0);
    write(&mut m, Way::Port, TIMER, 2, 1);
    assert_eq!(pending(&mut m), 0, "1 is past, and comes again in 2^32 ticks");
    m.board.pace.clock = 0x1_0000_0001;
    assert_eq!(pending(&mut m), 1);
    write(&mut m, Way::Port, TIMER, 2, 0);
    assert_eq!(pending(&mut m), 0);
}

#[test]
fn pending_lines_are_read_only_and_enables_are_kept() {
    let mut m = with_input(b"x");
    m.hart.x[6] = 0x1234_5678;
    execute(&mut m, c(Op::Csrrw, 0, Csr::Irq, 6));
    execute(&mut m, c(Op::Csrrs, 10, Csr::Irq, 0));
    assert_eq!(m.hart.x[10], 0x1234_0004);
    m.hart.x[6] = 0x0004_0004;
    execute(&mut m, c(Op::Csrrs, 0, Csr::Irq, 6));
    m.hart.x[6] = 0x1000_ffff;
    execute(&mut m, c(Op::Csrrc, 0, Csr::Irq, 6));
    execute(&mut m, c(Op::Csrrs, 10, Csr::Irq, 0));
    assert_eq!(m.hart.x[10], 0x0234_0004);
}

#[test]
fn lines_enables_and_priority() {
    // Every set of pending lines, of enabled lines, and IE: the cause, if an interrupt is taken.
    for pending in 0..8 {
        for enabled in 0..8 {
            for ie in [0, IE] {
                for ring in 0..4 {
                    let mut m = with_input(if pending & 4 != 0 { b"x" } else { b"" });
                    if pending & 2 != 0 {
                        write(&mut m, Way::Port, DISK, 3, 1);
                        m.board.pace.clock += 400;
                        step(&mut m);
                    }
                    m.board.devices.timer.set(pending & 1, 0);
                    m.board.pace.clock += 10;
                    m.board.devices.enabled = enabled;
                    program(&mut m, &[n(Op::Fence)]);
                    m.hart.csr.status.0 = ring | ie;
                    let exit = step(&mut m);
                    let wanted = pending & enabled;
                    let cause = match exit {
                        Exit::Trap(trap) => trap.cause.code(),
                        _ => 0,
                    };
                    let want = match (ie, wanted) {
                        (0, _) | (_, 0) => 0,
                        (_, 1) => TIMER_INTERRUPT,
                        _ => DEVICE_INTERRUPT,
                    };
                    assert_eq!(
                        cause, want,
                        "pending {pending} enabled {enabled} ie {ie} ring {ring}"
                    );
                    assert_eq!(m.board.devices.lines(m.board.pace.clock), pending);
                }
            }
        }
    }
}

#[test]
fn an_interrupt_comes_before_exactly_the_right_instruction() {
    // What makes it possible, by the last of several conditions to be met; each program is one `nop`, that
    // instruction, and more of them.
    let enable = c(Op::Csrrsi, 0, Csr::Status, 16);
    let lines = c(Op::Csrrw, 0, Csr::Irq, 6);
    let timer = c(Op::Csrrw, 0, Csr::Timer, 7);
    for (name, last, prepare) in [
        (
            "IE",
            enable,
            (|m| m.board.devices.enabled = 1) as fn(&mut Machine),
        ),
        ("the enable", lines, |m| m.hart.csr.status.0 = IE),
        ("the timer", timer, |m| {
            m.board.devices.enabled = 1;
            m.board.devices.timer.set(0, 0);
            m.hart.csr.status.0 = IE;
        }),
        ("mret", n(Op::Mret), |m| {
            m.board.devices.enabled = 1;
            m.hart.csr.epc = CODE + 8;
            m.hart.csr.status.0 = 1 << 5;
        }),
    ] {
        for engine in ENGINES {
            let mut m = fresh();
            program(&mut m, &[n(Op::Fence), last, n(Op::Fence), n(Op::Fence)]);
            m.hart.x[6] = 1 << 16;
            m.hart.x[7] = 2;
            m.board.devices.timer.set(1, 0);
            prepare(&mut m);
            let mut engine = engine.build();
            let mut exit = engine.run(&mut m, 10);
            if exit == Exit::Return {
                exit = engine.run(&mut m, 10);
            }
            assert!(matches!(exit, Exit::Trap(_)), "{name}");
            assert_eq!(
                (m.hart.csr.cause, m.hart.csr.epc),
                (TIMER_INTERRUPT, CODE + 8),
                "{name}"
            );
            assert_eq!(m.board.pace.clock, 2, "{name}");
        }
    }
}

#[test]
fn a_trap_comes_before_an_interrupt_that_its_instruction_would_have_met() {
    // The deadline is reached by the instruction before the `ecall`: the interrupt is first. One later: the trap,
    // and the interrupt waits for `mret`, and comes before the instruction that trapped.
    for (deadline, causes) in [(1, [TIMER_INTERRUPT, 11]), (2, [11, TIMER_INTERRUPT])] {
        let mut m = fresh();
        program(&mut m, &[n(Op::Fence), n(Op::Ecall)]);
        put(&mut m, HANDLER, &[n(Op::Fence), n(Op::Mret)]);
        m.hart.csr.status.0 = IE;
        m.board.devices.enabled = 1;
        m.board.devices.timer.set(deadline, 0);
        let mut seen = Vec::new();
        let mut at = Vec::new();
        while seen.len() < 2 {
            if let Exit::Trap(trap) = step(&mut m) {
                seen.push(trap.cause.code());
                at.push(m.hart.csr.epc);
                if trap.cause.code() == TIMER_INTERRUPT {
                    m.board.devices.timer.set(0, 0);
                }
            }
        }
        assert_eq!(seen, causes);
        assert_eq!(at, [CODE + 4; 2]);
    }
}

#[test]
fn wfi_skips_to_the_next_deadline() {
    for engine in ENGINES {
        for ie in [0, IE] {
            let mut m = fresh();
            program(&mut m, &[n(Op::Wfi), c(Op::Csrrs, 10, Csr::Instret, 0)]);
            m.board.devices.enabled = 1;
            m.board.devices.timer.set(5000, 0);
            m.hart.csr.status.0 = ie;
            let exit = engine.build().run(&mut m, 2);
            assert_eq!(
                (m.board.pace.skipped, m.board.pace.retired()),
                (4999, if ie == 0 { 2 } else { 1 })
            );
            if ie == 0 {
                assert_eq!((exit, m.hart.x[10]), (Exit::Fuel, 5000));
            } else {
                // An interrupt returns behind the wfi.
                assert!(matches!(exit, Exit::Trap(_)));
                assert_eq!((m.hart.csr.epc, m.board.pace.clock), (CODE + 4, 5000));
            }
        }
    }
}

#[test]
fn wfi_goes_on_at_once_if_an_enabled_line_is_pending() {
    let mut m = with_input(b"x");
    program(&mut m, &[n(Op::Wfi), n(Op::Fence)]);
    m.board.devices.enabled = 4;
    assert_eq!(Reference.run(&mut m, 2), Exit::Fuel);
    assert_eq!((m.board.pace.clock, m.board.pace.skipped), (2, 0));
}

#[test]
fn wfi_without_a_deadline_that_counts_is_a_deadlock() {
    // enabled lines, timer, disk running: does it wake up?
    for (enabled, timer, disk, wakes) in [
        (0, 0, false, None),
        (0, 100, true, None),
        (1, 0, true, None),
        (2, 100, false, None),
        (4, 100, true, None),
        (1, 100, false, Some(100)),
        (1, 100, true, Some(100)),
        (2, 0, true, Some(500)),
        (3, 0, true, Some(500)),
        (3, 700, true, Some(500)),
        (1, 700, true, Some(700)),
    ] {
        for engine in ENGINES {
            let mut m = fresh();
            m.board.devices.enabled = enabled;
            m.board.devices.timer.set(timer, 0);
            if disk {
                for (index, value) in [(1, DATA), (2, 1), (3, 1)] {
                    let register = Register { device: DISK, index };
                    m.board.devices.write(register, value, 0).expect("a register");
                }
            }
            program(&mut m, &[n(Op::Wfi), n(Op::Fence)]);
            let exit = engine.build().run(&mut m, 2);
            match wakes {
                None => assert_eq!(
                    exit,
                    Exit::Deadlock,
                    "enabled {enabled} timer {timer} disk {disk}"
                ),
                Some(clock) => {
                    assert_eq!((exit, m.board.pace.clock), (Exit::Fuel, clock + 1));
                    // The disk has finished on its way, even if nobody listens.
                    assert_eq!(m.board.devices.disk.done(), disk && clock >= 500);
                }
            }
        }
    }
}

#[test]
fn the_clock_ends_before_its_arithmetic_does() {
    // A command for 2^32 - 1 sectors takes 4 * 10^11 ticks: a program that waits for one after the other must not
    // bring the clock to wrap around.
    let late = (1 << 63) - 1000;
    for (sectors, end) in [(1, Exit::Fuel), (u32::MAX, Exit::Deadlock)] {
        for engine in ENGINES {
            let mut m = fresh();
            m.board.pace.clock = late;
            write(&mut m, Way::Port, DISK, 2, sectors);
            write(&mut m, Way::Port, DISK, 3, 1);
            m.board.devices.enabled = 2;
            program(&mut m, &[n(Op::Wfi), n(Op::Fence)]);
            assert_eq!(engine.build().run(&mut m, 2), end);
        }
    }
}

/// A machine whose disk has been given a command at clock 0.
fn command(way: Way, sector: u32, address: u32, count: u32, command: u32) -> Machine {
    let mut m = fresh();
    write(&mut m, way, DISK, 0, sector);
    write(&mut m, way, DISK, 1, address);
    write(&mut m, way, DISK, 2, count);
    m.board.pace.clock = 0;
    write(&mut m, way, DISK, 3, command);
    m
}

fn status(m: &mut Machine, clock: u64) -> u32 {
    m.board.pace.clock = clock;
    m.board.attend();
    read(m, Way::Port, DISK, 4)
}

fn memory(m: &Machine, address: u32, length: u32) -> &[u8] {
    m.board.ram.slice(address, length).expect("memory")
}

fn disk(m: &Machine, sector: u32, count: u32) -> &[u8] {
    &m.board.devices.disk.data()[(sector * SECTOR) as usize..((sector + count) * SECTOR) as usize]
}

#[test]
fn a_transfer_takes_400_ticks_and_100_for_each_sector() {
    for way in WAYS {
        for count in 1..=4 {
            let due = 400 + 100 * u64::from(count);
            let mut m = command(way, 2, DATA, count, 1);
            let (_, blank) = (status(&mut m, 1), memory(&m, DATA, 4 * SECTOR).to_vec());
            assert_eq!(status(&mut m, due - 1), 1, "busy");
            assert_eq!(memory(&m, DATA, 4 * SECTOR), blank, "nothing moves before");
            assert_eq!(status(&mut m, due), 2, "done");
            assert_eq!(memory(&m, DATA, count * SECTOR), disk(&m, 2, count));
            assert_eq!(memory(&m, DATA + count * SECTOR, SECTOR), [0; SECTOR as usize]);
            assert_eq!(m.board.devices.lines(due), 2);
            write(&mut m, way, DISK, 4, 0);
            assert_eq!(read(&mut m, way, DISK, 4), 0);
            assert_eq!(m.board.devices.lines(due), 0);
        }
    }
}

#[test]
fn a_write_moves_memory_to_the_disk_as_it_is_when_it_is_due() {
    let mut m = command(Way::Port, 3, DATA + 1, 2, 2);
    put(&mut m, DATA, &[0x1122_3344]);
    assert_eq!(status(&mut m, 600), 2);
    assert_eq!(disk(&m, 3, 1)[..3], [0x33, 0x22, 0x11]);
    assert_eq!(disk(&m, 3, 2), memory(&m, DATA + 1, 2 * SECTOR));
}

#[test]
fn a_transfer_that_cannot_be_moves_nothing_and_fails() {
    // Sector, address, count: beyond the disk, outside memory, around the end of the address space; nothing.
    for (sector, address, count) in [
        (8, DATA, 1),
        (7, DATA, 2),
        (0, DATA, 9),
        (0, DATA, u32::MAX),
        (1, DATA, u32::MAX),
        (u32::MAX, DATA, 1),
        (u32::MAX, DATA, u32::MAX),
        (0x0080_0000, DATA, 1),
        (0, MEMORY - SECTOR + 1, 1),
        (0, MEMORY, 1),
        (0, MEMORY - SECTOR, 2),
        (0, 0xf000_2000, 1),
        (0, 0xffff_fe00, 1),
        (0, 0xffff_ff00, 1),
        (0, 0xffff_fe00, 2),
        (0, DATA, 0),
    ] {
        for to_disk in [1, 2] {
            let mut m = command(Way::Port, sector, address, count, to_disk);
            let due = 400 + 100 * u64::from(count);
            assert_eq!(status(&mut m, due - 1), 1, "busy");
            let before = m.clone();
            assert_eq!(
                status(&mut m, due),
                6,
                "sector {sector:#x} address {address:#x} count {count:#x}"
            );
            assert_eq!(m.board.devices.disk.data(), before.board.devices.disk.data());
            assert_eq!(
                memory(&m, DATA, MEMORY - DATA),
                memory(&before, DATA, MEMORY - DATA)
            );
        }
    }
    // The last sector, to the last of the memory.
    let mut m = command(Way::Port, 7, MEMORY - SECTOR, 1, 1);
    assert_eq!(status(&mut m, 500), 2);
    assert_eq!(memory(&m, MEMORY - SECTOR, SECTOR), disk(&m, 7, 1));
}

#[test]
fn a_busy_disk_cannot_be_changed() {
    let mut m = command(Way::Port, 1, DATA, 2, 1);
    for (index, value) in [(0, 5), (1, 0x4000), (2, 7), (3, 2), (3, 1), (4, 0), (5, 1)] {
        write(&mut m, Way::Port, DISK, index, value);
    }
    let registers: Vec<u32> = (0..6)
        .map(|index| read(&mut m, Way::Memory, DISK, index))
        .collect();
    assert_eq!(registers, [1, DATA, 2, 0, 1, 8]);
    assert_eq!(status(&mut m, 599), 1);
    assert_eq!(status(&mut m, 600), 2);
    assert_eq!(memory(&m, DATA, 2 * SECTOR), disk(&m, 1, 2));
}

#[test]
fn the_next_command_takes_back_what_the_last_one_reported() {
    let mut m = command(Way::Port, 9, DATA, 1, 1);
    assert_eq!(status(&mut m, 500), 6);
    write(&mut m, Way::Port, DISK, 0, 0);
    for unknown in [0, 3, u32::MAX] {
        write(&mut m, Way::Port, DISK, 3, unknown);
        assert_eq!(read(&mut m, Way::Port, DISK, 4), 6, "no command");
    }
    m.board.pace.clock = 1000;
    write(&mut m, Way::Port, DISK, 3, 1);
    assert_eq!(read(&mut m, Way::Port, DISK, 4), 1);
    assert_eq!(m.board.devices.lines(1002), 0);
    assert_eq!(status(&mut m, 1500), 2);
}

#[test]
fn a_disk_interrupt_comes_at_the_tick_that_the_transfer_is_due() {
    for engine in ENGINES {
        let mut m = command(Way::Port, 0, DATA, 1, 1);
        // A loop of two instructions that will never see the data.
        program(&mut m, &[n(Op::Fence), word(Op::Jal, 0, 0, 0, -4)]);
        m.board.devices.enabled = 2;
        m.hart.csr.status.0 = IE | 3;
        let clock = m.board.pace.clock;
        let exit = engine.build().run(&mut m, 10_000);
        assert!(matches!(exit, Exit::Trap(trap) if trap.cause.code() == DEVICE_INTERRUPT));
        assert_eq!(m.board.pace.clock, 500);
        assert_eq!(m.hart.csr.epc, CODE + 4 * ((500 - clock) % 2) as u32);
        assert_eq!(memory(&m, DATA, SECTOR), disk(&m, 0, 1));
    }
}

#[test]
fn code_from_the_disk_runs_at_once() {
    for engine in ENGINES {
        let mut m = fresh();
        let fresh_code = i(Op::Addi, 10, 10, 1).to_le_bytes();
        m.board.devices.disk.data_mut()[..4].copy_from_slice(&fresh_code);
        // The loop is overwritten where it begins: its first word becomes the one from the disk.
        program(&mut m, &[n(Op::Fence), word(Op::Jal, 0, 0, 0, -4)]);
        let rest = memory(&m, CODE + 4, SECTOR - 4).to_vec();
        m.board.devices.disk.data_mut()[4..SECTOR as usize].copy_from_slice(&rest);
        for (index, value) in [(1, CODE), (2, 1), (3, 1)] {
            let register = Register { device: DISK, index };
            m.board.devices.write(register, value, 0).expect("a register");
        }
        assert_eq!(engine.build().run(&mut m, 520), Exit::Fuel);
        assert_eq!(m.hart.x[10], 10, "at clock 500, 502, ..., 518");
    }
}

#[test]
fn power_off_ends_the_run_before_the_next_instruction() {
    for engine in ENGINES {
        let mut m = fresh();
        m.hart.x[5] = 0x30;
        m.hart.x[6] = 0xffff_ffff;
        program(&mut m, &[r(Op::Out, 0, 5, 6), 0]);
        assert_eq!(engine.build().run(&mut m, 10), Exit::PowerOff(0xffff_ffff));
        assert_eq!((m.attempts, m.board.pace.clock, m.hart.pc), (1, 1, CODE + 4));
    }
}
