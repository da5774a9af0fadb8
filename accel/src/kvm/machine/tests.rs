//! What the design rests on, each by itself: on every KVM that these tests meet, it holds.

use std::time::Instant;

use super::*;
use crate::kvm::calls::Calm;
use crate::kvm::place::WINDOW;

/// Memory of the process, from the beginning of a page.
#[repr(C, align(4096))]
struct Pages([u8; 4 * 4096]);

/// A machine with code, and with memory for Ring32's.
struct Bench {
    machine: Machine,
    tables: Tables,
    _code: Box<Pages>,
    ram: Box<Pages>,
}

impl Bench {
    /// `None`, with a word on the terminal, where there is no KVM.
    #[allow(unsafe_code, reason = "memory is given to a virtual machine")]
    fn new(name: &str, code: &[u8]) -> Option<Bench> {
        let mut machine = match Machine::new(Calls::new(Box::new(Calm))) {
            Err(error) if error.unavailable() => {
                crate::skipped(name, &error);
                return None;
            }
            machine => machine.expect("KVM does what it should"),
        };
        let mut pages = Box::new(Pages([0; 4 * 4096]));
        pages.0[..code.len()].copy_from_slice(code);
        let mut ram = Box::new(Pages([0; 4 * 4096]));
        let length = size_of::<Pages>() as u64;
        let addresses = [pages.0.as_mut_ptr() as u64, ram.0.as_mut_ptr() as u64];
        // SAFETY: both are page-aligned boxes that live as long as the machine, and that nobody else looks at while it
        // runs.
        unsafe {
            machine.give_code(addresses[0], length).expect("code");
            machine.give_ram(addresses[1], length).expect("memory");
        }
        let tables = Tables::new();
        Some(Bench {
            machine,
            tables,
            _code: pages,
            ram,
        })
    }

    /// Does the changes that are due, and resumes.
    fn run(&mut self) -> Left {
        let changes = self.tables.take(MOST_CHANGES);
        self.machine.prepare(&changes).expect("it fits");
        self.machine.run().expect("KVM does what it should")
    }
}

/// `int3; mov rbx, WINDOW; mov eax, [rbx]; out PORT, al; jmp to the beginning`, with eax where [`SEEN`] is.
fn reader() -> Vec<u8> {
    let mut code = vec![0xcc, 0x48, 0xbb];
    code.extend(WINDOW.to_le_bytes());
    code.extend([0x8b, 0x03, 0x89, 0x04, 0x25]);
    code.extend((CONTEXT as u32).to_le_bytes());
    code.extend([0xe6, PORT, 0xeb, 0]);
    let end = code.len() as i8;
    code[end as usize - 1] = (-end) as u8;
    code
}

fn seen(bench: &Bench) -> u64 {
    bench.machine.read(CONTEXT).expect("it is there") & 0xffff_ffff
}

#[test]
fn code_runs_in_ring_3_and_a_fault_says_where() {
    let name = "code_runs_in_ring_3_and_a_fault_says_where";
    let Some(mut bench) = Bench::new(name, &reader()) else {
        return;
    };
    // Nothing is mapped: the load faults, and does so again until something is.
    let load = CODE + 11;
    assert_eq!(bench.run(), Left::Fault(load));
    assert_eq!(bench.run(), Left::Fault(load));
    // Past the store, it leaves by its port.
    bench.machine.divert(load + 9).expect("the frame is there");
    assert_eq!(bench.run(), Left::Out);
}

#[test]
fn every_change_of_a_page_table_is_seen_at_once() {
    let name = "every_change_of_a_page_table_is_seen_at_once";
    let Some(mut bench) = Bench::new(name, &reader()) else {
        return;
    };
    for (page, value) in (1_u8..5).enumerate() {
        bench.ram.0[page * 4096] = value;
    }
    let start = Instant::now();
    for turn in 0..500_u32 {
        let page = turn % 4;
        bench.tables.map(0, 0, page * 4096, turn % 3 == 0);
        assert_eq!(bench.run(), Left::Out, "turn {turn}");
        assert_eq!(seen(&bench), u64::from(page) + 1, "turn {turn}");
        if turn % 5 == 0 {
            bench.tables.unmap(0, 0);
            assert_eq!(bench.run(), Left::Fault(CODE + 11), "turn {turn}");
            bench.machine.divert(CODE).expect("the frame is there");
        }
    }
    println!("{:?} for each change and its round trips", start.elapsed() / 600);
}

#[test]
fn each_tree_has_its_own_window_and_keeps_what_was_changed_while_another_was_in_use() {
    let name = "each_tree_has_its_own_window_and_keeps_what_was_changed_while_another_was_in_use";
    let Some(mut bench) = Bench::new(name, &reader()) else {
        return;
    };
    for (page, value) in (1_u8..5).enumerate() {
        bench.ram.0[page * 4096] = value;
    }
    for turn in 0..300_usize {
        // While tree 1 or 2 is in use, both are changed.
        let (used, other) = (1 + turn % 2, 2 - turn % 2);
        let (mine, its) = (turn % 4, (turn + 1) % 4);
        bench.tables.map(used, 0, mine as u32 * 4096, false);
        bench.tables.map(other, 0, its as u32 * 4096, false);
        for (tree, page) in [(used, mine), (other, its), (used, mine)] {
            bench.machine.enter_tree(Tables::root(tree));
            assert_eq!(bench.run(), Left::Out);
            assert_eq!(seen(&bench), page as u64 + 1, "turn {turn}");
        }
        if turn % 3 == 0 {
            bench.tables.unmap(other, 0);
            bench.machine.enter_tree(Tables::root(other));
            assert_eq!(bench.run(), Left::Fault(CODE + 11));
            // Past the load: trees change only where it has left by its port.
            bench.machine.divert(CODE + 20).expect("the frame is there");
            assert_eq!(bench.run(), Left::Out);
        }
    }
}

#[test]
fn what_is_read_only_or_misaligned_faults_and_what_is_ring_0_s_is_out_of_reach() {
    let name = "what_is_read_only_or_misaligned_faults_and_what_is_ring_0_s_is_out_of_reach";
    // int3; mov rbx, address; mov [rbx], eax; out; and then the same with a load.
    let access = |address: u64, opcode: u8| {
        let mut code = vec![0xcc, 0x48, 0xbb];
        code.extend(address.to_le_bytes());
        code.extend([opcode, 0x03, 0xe6, PORT]);
        code
    };
    let (store, load) = (0x89, 0x8b);
    let cases = [
        (WINDOW, load, Left::Out),
        (WINDOW, store, Left::Fault(CODE + 11)),
        (WINDOW + 2, load, Left::Fault(CODE + 11)),
        (WINDOW + 4096, store, Left::Out),
        (WINDOW + 4097, store, Left::Fault(CODE + 11)),
        (WINDOW - 4, load, Left::Fault(CODE + 11)),
        (WINDOW + (1 << 32), load, Left::Fault(CODE + 11)),
        (CONTEXT, store, Left::Out),
        (CODE, load, Left::Out),
        (CODE, store, Left::Fault(CODE + 11)),
        (GDT, load, Left::Fault(CODE + 11)),
        (super::super::place::TABLES, store, Left::Fault(CODE + 11)),
        (RAM, load, Left::Fault(CODE + 11)),
    ];
    for (address, opcode, left) in cases {
        let Some(mut bench) = Bench::new(name, &access(address, opcode)) else {
            return;
        };
        bench.tables.map(0, 0, 0, false);
        bench.tables.map(0, 1, 4096, true);
        assert_eq!(bench.run(), left, "{address:#x}, {opcode:#x}");
    }
}
