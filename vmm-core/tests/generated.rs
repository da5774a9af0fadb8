//! Generated programs in every mode: each mode does what the bare machine does, instruction by instruction.
//!
//! The programs are those with which the engines are compared (`toy-isa/tests/common/programs.rs`): they use everything
//! that the machine has, from all rings, with and without paging, on all profiles.
//!
//! `TRAPEZE_FUZZ=N` multiplies the number of programs; `TRAPEZE_SEED=N` runs the program of that seed alone;
//! `TRAPEZE_ENGINE=E` runs the guests on another engine than the interpreter.

#[path = "../../toy-isa/tests/common/mod.rs"]
mod common;
#[path = "../../toy-isa/tests/common/engines.rs"]
mod engines;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::programs::generate;
use common::{c, li, n};
use toy_isa::cpu;
use toy_isa::image::{Image, Segment};
use toy_isa::instruction::{Registers, decode};
use toy_isa::machine::Machine;
use toy_isa::mmu::pte;
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::table::{Csr, Op};
use vmm_core::check::crowd::{self, Crowd};
use vmm_core::check::equivalence::{Grain, Pair};
use vmm_core::check::resource;
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::{Run, Stop};
use vmm_core::setup::Setup;
use vmm_core::several::EXIT_FUEL;

/// Programs for each mode.
const PROGRAMS: u64 = 2_000;
/// Attempts of either side at an instruction.
const BUDGET: u64 = 4_000;
/// The page of the code that brings the machine into the program's first state, and its entry in the page table.
const BOOT: u32 = 0xf000;
const BOOT_ENTRY: u32 = 0x5000 + 4 * (BOOT >> 12);

/// The modes, and whether the hardware under each traps where the guest's own would not: what user code does, no
/// mode but whole translation and pure emulation can change.
const MODES: [(ModeName, bool); 11] = [
    (ModeName::Interpret, false),
    (ModeName::Jit, false),
    (ModeName::Trap(Layout::RingDeprivileging), true),
    (ModeName::Trap(Layout::RingCompression), true),
    (ModeName::Translate(Scope::Kernel), true),
    (ModeName::Translate(Scope::Callouts), true),
    (ModeName::Translate(Scope::Everything), false),
    (ModeName::Hybrid, true),
    (ModeName::Hundred, true),
    (ModeName::Assist(Paging::Nested), false),
    (ModeName::Assist(Paging::Shadow), false),
];

/// What the guests run on.
fn engine() -> EngineName {
    std::env::var("TRAPEZE_ENGINE").map_or(EngineName::Interpreter, |name| {
        EngineName::from_name(&name).expect("TRAPEZE_ENGINE is an engine")
    })
}

/// The program of this seed as a guest: a boot sector that makes its first state, and its memory.
fn setup(seed: u64) -> Setup {
    let profile = generate(seed).machine.board.profile_handle();
    setup_on(seed, profile)
}

/// The same on a machine of this profile.
fn setup_on(seed: u64, profile: Arc<Profile>) -> Setup {
    let mut machine = generate(seed).machine;
    common::put(
        &mut machine,
        BOOT_ENTRY,
        &[pte::entry(BOOT, pte::V | pte::R | pte::X)],
    );
    let start = machine.hart.pc;
    let root = profile.root_operation();
    common::put(&mut machine, start, &seldom(seed, root));
    let code = boot(&machine);
    common::put(&mut machine, BOOT, &code);
    let ram = &machine.board.ram;
    let segment = Segment {
        address: 0,
        bytes: ram.slice(0, ram.size()).expect("all of memory").to_vec(),
        size: ram.size(),
        read: true,
        write: true,
        execute: true,
    };
    let image = Image {
        entry: BOOT,
        segments: vec![segment],
        ..Image::default()
    };
    Setup {
        image: Arc::new(image),
        memory: ram.size(),
        profile,
        disk: machine.board.devices.disk.data().to_vec(),
        input: if seed.is_multiple_of(4) {
            b"input".to_vec()
        } else {
            Vec::new()
        },
        ..Setup::new(Image::default(), ram.size(), Profile::new(ProfileName::Classic))
    }
}

/// How many words at the beginning of a program are of rows that programs seldom use.
const SELDOM: usize = 12;

/// The beginning of the program of this seed: rows that generated code reaches too seldom for every ring and profile.
/// Root operation is not part of the machine that a monitor shows its guest, so a machine that has it leaves it out.
fn seldom(seed: u64, root: bool) -> Vec<u32> {
    let reads = Row::all().filter_map(|row| match row {
        Row::Read(csr) => Some(c(Op::Csrrs, 10, csr, 0)),
        _ => None,
    });
    let writes = [Csr::Scratch, Csr::Mstatus, Csr::Tval, Csr::Cause].map(|csr| c(Op::Csrrw, 11, csr, 12));
    let operations = [Op::Vmon, Op::Vmoff, Op::Vmenter, Op::Vmresume, Op::Vminval];
    let operations = operations.into_iter().filter(|_| !root).map(n);
    let rows: Vec<u32> = reads
        .chain(writes)
        .chain(operations)
        .chain([n(Op::Fence)])
        .collect();
    let first = seed as usize * SELDOM;
    (first..first + SELDOM)
        .map(|index| rows[index % rows.len()])
        .collect()
}

/// Code that brings a machine at reset into the state of `machine`.
fn boot(machine: &Machine) -> Vec<u32> {
    let csr = &machine.hart.csr;
    let mut code = Vec::new();
    let mut set = |register: Csr, value: u32| {
        code.extend(li(5, value));
        code.push(c(Op::Csrrw, 0, register, 5));
    };
    set(Csr::Tvec, csr.tvec);
    set(Csr::Epc, machine.hart.pc);
    set(Csr::Ptbr, csr.ptbr);
    let status = csr.status;
    let enabled = u32::from(status.interrupts()) << 5;
    set(Csr::Status, status.ring() << 2 | enabled | status.iopl() << 8);
    for register in 1..16 {
        code.extend(li(register, machine.hart.x[register as usize]));
    }
    code.push(n(Op::Mret));
    code
}

/// What is wrong with this program in this mode.
fn shortcoming(seed: u64, mode: ModeName, classic: bool, grain: Grain, engine: EngineName) -> Option<String> {
    let setup = match mode {
        // Only one profile has what these need.
        ModeName::Assist(_) => setup_on(seed, Arc::new(Profile::new(ProfileName::Assist))),
        _ => setup(seed),
    };
    let hardware = match classic {
        true => Arc::new(Profile::new(ProfileName::Classic)),
        false => Arc::clone(&setup.profile),
    };
    let bare = Run::new(&setup, ModeName::Bare, EngineName::Reference).expect("it fits");
    let (machine, monitor) = mode.build_on(&setup, hardware).expect("it fits");
    let guest = Run::with(mode, machine, monitor, engine).expect("the host has it");
    let mut pair = Pair::with(bare, guest);
    resource::guard(&mut pair.guest);
    let comparison = pair.compare(grain, BUDGET, |advance| advance());
    let control = resource::judge(&pair.guest);
    let place = format!("seed {seed}, {mode}, {}", setup.profile.describe());
    if let Some(difference) = comparison.difference {
        let pc = pair.bare.guest().hart.pc;
        return Some(format!(
            "{place}: equal {} times, then near {pc:#x}: {difference:?}",
            comparison.compared
        ));
    }
    (!control.holds).then(|| format!("{place}: {}", control.detail))
}

fn seeds() -> Vec<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    match number("TRAPEZE_SEED") {
        Some(seed) => vec![seed],
        None => (0..PROGRAMS * number("TRAPEZE_FUZZ").unwrap_or(1)).collect(),
    }
}

#[test]
fn every_mode_does_what_the_bare_machine_does() {
    for (mode, classic) in MODES {
        if let Some(missing) = mode.missing() {
            println!("skipped: {missing}");
            continue;
        }
        let shortcomings: Vec<String> = seeds()
            .into_iter()
            .filter_map(|seed| shortcoming(seed, mode, classic, Grain::Lockstep, engine()))
            .take(3)
            .collect();
        assert!(shortcomings.is_empty(), "{}", shortcomings.join("\n"));
    }
}

/// After every instruction, an engine that translates blocks is left before it has executed one. So it is also compared
/// where the guest's processor changes hands, under modes that want different things of it.
#[test]
fn blocks_as_a_whole_do_what_the_bare_machine_does() {
    if let Err(missing) = EngineName::X86_64.build(true) {
        println!("skipped: {missing}");
        return;
    }
    let emitting = [
        ModeName::Jit,
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Translate(Scope::Kernel),
        ModeName::Hybrid,
        ModeName::Assist(Paging::Nested),
        ModeName::Assist(Paging::Shadow),
    ];
    for (mode, classic) in MODES.into_iter().filter(|(mode, _)| emitting.contains(mode)) {
        let shortcomings: Vec<String> = seeds()
            .into_iter()
            .step_by(4)
            .filter_map(|seed| shortcoming(seed, mode, classic, Grain::SyncPoints, EngineName::X86_64))
            .take(3)
            .collect();
        assert!(shortcomings.is_empty(), "{}", shortcomings.join("\n"));
    }
}

/// Programs for each mode that are run side by side, and how many at a time.
const NEIGHBOURS: u64 = 128;
const CROWD: u64 = 64;

/// A guest that does anything at all does it within its own frames, and as it does alone, whoever runs beside it.
#[test]
fn no_program_reaches_the_memory_of_another() {
    let modes = [
        ModeName::Trap(Layout::RingDeprivileging),
        ModeName::Translate(Scope::Kernel),
        ModeName::Assist(Paging::Nested),
        ModeName::Assist(Paging::Shadow),
    ];
    for mode in modes {
        let profile = match mode {
            ModeName::Assist(_) => ProfileName::Assist,
            _ => ProfileName::Classic,
        };
        for first in (0..NEIGHBOURS).step_by(CROWD as usize) {
            let seeds = first..first + CROWD;
            let guest = |seed: u64| {
                let setup = setup_on(seed, Arc::new(Profile::new(profile)));
                (format!("seed {seed}"), setup)
            };
            let crowd = Crowd {
                kinds: seeds.map(guest).collect(),
                members: (0..CROWD as usize)
                    .map(|kind| (kind, 1 + kind as u32 % 3))
                    .collect(),
            };
            let options = crowd::Options {
                mode,
                engine: engine(),
                exit_fuel: EXIT_FUEL,
                budget: 20 * BUDGET,
                fuel: u64::MAX,
                now: || 0,
            };
            let report = crowd::run(&crowd, options).expect("they fit");
            for verdict in [&report.isolation, &report.alone] {
                assert!(verdict.holds, "{mode}: {}", verdict.detail);
            }
            assert!(report.guests.iter().all(|guest| guest.turns > 0) && report.asked > 1000);
        }
    }
}

/// A monitor on hardware with holes is not equivalent, and the programs find that out.
#[test]
fn the_programs_find_the_holes_of_a_processor() {
    let mode = ModeName::Trap(Layout::RingDeprivileging);
    let found = (0..100)
        .filter(|seed| setup(*seed).profile.base() == ProfileName::Leaky)
        .filter_map(|seed| shortcoming(seed, mode, false, Grain::Lockstep, engine()))
        .count();
    assert!(found > 5, "{found}");
}

/// By everything that makes a guest leave under hardware assistance, programs leave.
#[test]
fn the_programs_find_every_way_out() {
    let mut reasons = BTreeMap::<String, u64>::new();
    for paging in [Paging::Nested, Paging::Shadow] {
        for seed in 0..PROGRAMS / 4 {
            let setup = setup_on(seed, Arc::new(Profile::new(ProfileName::Assist)));
            let mut run = Run::new(&setup, ModeName::Assist(paging), engine()).expect("it fits");
            run.finish(BUDGET);
            for (reason, count) in run.counts().vm_exits {
                *reasons.entry(reason).or_default() += count;
            }
        }
    }
    let devices = [
        "in",
        "out",
        "wfi",
        "csrr timer",
        "csrw timer",
        "csrr irq",
        "csrw irq",
    ];
    let tables = ["csrr ptbr", "csrw ptbr", "prober", "probew"];
    let faults = [
        "nested fetch fault",
        "nested load fault",
        "nested store fault",
        "double fault",
    ];
    let shadows = ["fetch page fault", "load page fault", "store page fault"];
    let others = ["countdown", "interrupt window"];
    for reason in devices
        .iter()
        .chain(&tables)
        .chain(&faults)
        .chain(&shadows)
        .chain(&others)
    {
        assert!(reasons.contains_key(*reason), "{reason}: {reasons:?}");
    }
}

/// What the programs reach on the bare machine.
#[derive(Default)]
struct Reached {
    /// How often each row was tried, by number, profile, ring, and whether paging was on.
    tried: BTreeMap<(usize, &'static str, u32, bool), u64>,
    /// For each program, the instructions that retired.
    retired: Vec<u64>,
    /// And the traps.
    traps: Vec<u64>,
}

impl Reached {
    fn run(&mut self, seed: u64) {
        let setup = setup(seed);
        let mut run = Run::new(&setup, ModeName::Bare, EngineName::Interpreter).expect("it fits");
        while run.machine().attempts < BUDGET {
            let machine = run.machine_mut();
            // Looking ahead sets no bit that the processor does not set a moment later.
            let word = cpu::fetch(&machine.hart, &mut machine.board).ok();
            let insn = word.and_then(|word| decode(word, Registers::Sixteen));
            if let Some(insn) = insn {
                let (ring, paging) = (machine.hart.ring(), machine.hart.csr.paging());
                let key = (insn.row().index(), setup.profile.base().name(), ring, paging);
                *self.tried.entry(key).or_default() += 1;
            }
            if let Stop::End(_) = run.advance(1) {
                break;
            }
        }
        self.retired.push(run.guest().pace.retired());
        self.traps.push(run.counts().traps_total());
    }
}

#[test]
fn the_programs_are_worth_comparing() {
    let mut reached = Reached::default();
    (0..PROGRAMS).for_each(|seed| reached.run(seed));
    reached.retired.sort_unstable();
    let median = reached.retired[reached.retired.len() / 2];
    let trapping = reached.traps.iter().filter(|traps| **traps >= 3).count() as u64 * 100 / PROGRAMS;
    println!(
        "{PROGRAMS} programs: median {median} instructions retired, {trapping} percent with three traps or more"
    );
    println!("tried, in ring 0..3, without paging | with paging:");
    let mut missing = Vec::new();
    for profile in ProfileName::ALL {
        for row in Row::all() {
            let count = |ring, paging| {
                let key = (row.index(), profile.name(), ring, paging);
                reached.tried.get(&key).copied().unwrap_or(0)
            };
            let counts = [false, true].map(|paging| [0, 1, 2, 3].map(|ring| count(ring, paging)));
            println!(
                "{:<8} {row:<14} {:>5?} | {:>5?}",
                profile.name(),
                counts[0],
                counts[1]
            );
            let operation = matches!(
                row,
                Row::Op(Op::Vmon | Op::Vmoff | Op::Vmenter | Op::Vmresume | Op::Vminval)
            );
            let left_out = operation && profile == ProfileName::Assist;
            if !left_out && counts.iter().flatten().any(|count| *count == 0) {
                missing.push(format!("{} {row} {counts:?}", profile.name()));
            }
        }
    }
    assert!(median >= 200, "{median}");
    assert!(trapping >= 30, "{trapping}");
    assert!(
        missing.is_empty(),
        "{} not reached:\n{}",
        missing.len(),
        missing.join("\n")
    );
}
