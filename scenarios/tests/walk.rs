//! What a walk says, held to the machine: it ends where the machine's own translation does, and what it foretells of an
//! access happens.

use scenarios::Scenario;
use toy_isa::bus::Width;
use toy_isa::machine::{Config, Machine};
use toy_isa::mmu::{self, Access, PAGE, pte};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::trap::{Cause, Trap};
use vmm_core::engine::EngineName;
use vmm_core::event::{Event, Record};
use vmm_core::mode::ModeName;
use vmm_core::modes::assist::Paging;
use vmm_core::modes::translate::Scope;
use vmm_core::modes::trap::Layout;
use vmm_core::run::{Run, Stop};
use vmm_core::walk::hardware::{Execution, Tables};
use vmm_core::walk::listing::{Holds, Listing};
use vmm_core::walk::{Keeping, Role, Sequel, Walk, nested_references, operand};

const ACCESSES: [Access; 3] = [Access::Fetch, Access::Load, Access::Store];

const TRAP: ModeName = ModeName::Trap(Layout::RingDeprivileging);
const COMPRESSED: ModeName = ModeName::Trap(Layout::RingCompression);
const TRANSLATE: ModeName = ModeName::Translate(Scope::Kernel);
const NESTED: ModeName = ModeName::Assist(Paging::Nested);
const SHADOW: ModeName = ModeName::Assist(Paging::Shadow);

fn start(scenario: &str, mode: ModeName) -> Run {
    let mut scenario = Scenario::shipped(scenario).expect("it ships");
    if !mode.runs_on(&scenario.setup.profile) {
        scenario.set_profile(Profile::new(ProfileName::Assist));
    }
    Run::new(&scenario.setup, mode, EngineName::Interpreter).expect("it fits")
}

/// Numbers that are the same on every host.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as u32
    }

    /// Addresses of all kinds: near what is mapped, and anywhere.
    fn addresses(&mut self, run: &Run) -> Vec<u32> {
        let hart = run.guest().hart;
        let ranges = Listing::of(run).ranges;
        let mut addresses = vec![hart.pc, hart.x[2], 0, u32::MAX, 0xffc0_0000];
        for range in ranges.iter().step_by(1 + ranges.len() / 40) {
            let page = range.first.wrapping_add(self.next() % (range.pages + 1) * PAGE);
            addresses.push(page + self.next() % PAGE);
        }
        addresses.extend((0..20).map(|_| self.next() << 1));
        addresses
    }
}

/// A bare machine in the state in which the guest sees itself.
fn bare(run: &Run) -> Machine {
    let view = run.guest();
    let mut machine = Machine::new(Config {
        memory: view.pages() * PAGE,
        profile: run.machine().board.profile_handle(),
        disk: Vec::new(),
        input: Vec::new(),
        tlb: 1,
    });
    machine.hart = view.hart.clone();
    for page in 0..view.pages() {
        let bytes = view.page(page).expect("it is there");
        machine.board.ram.load(page * PAGE, bytes).expect("it fits");
    }
    machine
}

/// What a machine makes of an address. Only accessed and dirty bits of its tables change.
fn translate(machine: &mut Machine, access: Access, address: u32) -> Result<u32, Trap> {
    machine.board.tlb.fence(None);
    mmu::translate(&machine.hart, &mut machine.board, access, address, Width::Byte)
}

/// Compares many walks of a run at rest with what the machines make of the same addresses. How many ended well.
fn compare(run: &Run, random: &mut Random) -> u64 {
    let hardware = run.hardware();
    // What runs the guest, or would as soon as it is resumed.
    let mut real = run.machine().clone();
    let resumed = real.hart.world() != 0 && hardware.execution != Execution::Emulated;
    if resumed && !matches!(hardware.tables, Tables::Own) {
        let (found, foretold) = (&real.hart, &hardware.hart);
        assert_eq!(found.nested, foretold.nested);
        assert_eq!(found.csr.ptbr, foretold.csr.ptbr);
        assert_eq!(
            (found.csr.bound, found.csr.xbound),
            (foretold.csr.bound, foretold.csr.xbound)
        );
        assert_eq!(
            (found.ring(), found.csr.relocation()),
            (foretold.ring(), foretold.csr.relocation())
        );
    }
    real.hart = hardware.hart.clone();
    let mut own = bare(run);
    let mut good = 0;
    for address in random.addresses(run) {
        for access in ACCESSES {
            let walk = Walk::of(run, access, address);
            let what = format!("{}, {access:?} of {address:#x}: {walk:#x?}", run.mode_name);
            if hardware.tables == Tables::Validated {
                assert_eq!(walk.own.end, translate(&mut real, access, address), "{what}");
            } else {
                assert_eq!(walk.own.end, translate(&mut own, access, address), "{what}");
            }
            if let Some(path) = walk
                .real
                .as_ref()
                .filter(|_| hardware.tables != (Tables::Shadow { begun: false }))
            {
                assert_eq!(path.end, translate(&mut real, access, address), "{what}");
                // What is translated is fetched from where its translation is.
                let here = walk.sequel != Sequel::Translated;
                if let (Ok(real), Some(host), true) = (path.end, walk.host, here) {
                    assert_eq!(real, host, "{what}");
                }
                good += u64::from(path.end.is_ok());
            }
            good += u64::from(walk.own.end.is_ok());
        }
    }
    good
}

#[test]
fn a_walk_ends_where_the_machines_translation_does() {
    let mut random = Random(1974);
    for (scenario, modes) in [
        (
            "guest-os",
            &[
                ModeName::Bare,
                ModeName::Interpret,
                TRAP,
                COMPRESSED,
                TRANSLATE,
                ModeName::Hybrid,
                ModeName::Para,
                NESTED,
                SHADOW,
            ][..],
        ),
        ("shadow", &[TRAP, NESTED, SHADOW]),
        ("cyclic-table", &[TRAP, NESTED]),
        (
            "relocation",
            &[ModeName::Bare, TRAP, ModeName::Hundred, NESTED, SHADOW],
        ),
        ("address-compression", &[TRAP, TRANSLATE]),
        // A guest with a nested table of its own.
        ("hypervisor", &[ModeName::Bare, ModeName::Interpret]),
    ] {
        for mode in modes {
            let mut run = start(scenario, *mode);
            let mut good = 0;
            for stretch in [300, 2_500, 4_001, 5_003, 7_017, 20_011] {
                let end = run.machine().attempts + stretch;
                while run.machine().attempts < end {
                    if let Stop::End(_) = run.advance(end - run.machine().attempts) {
                        break;
                    }
                }
                good += compare(&run, &mut random);
            }
            assert!(good > 40, "{scenario} under {mode}: {good}");
        }
    }
}

/// What happened while one instruction was attempted.
fn attempt(run: &mut Run) -> (Vec<Record>, bool) {
    let first = run.log.total();
    let stop = run.advance(1);
    let new: Vec<Record> = run
        .log
        .records()
        .filter(|record| record.number >= first)
        .cloned()
        .collect();
    (new, matches!(stop, Stop::End(_)))
}

/// Whether the events are what a walk foretold.
fn happened(sequel: Sequel, address: u32, events: &[Record]) -> bool {
    events.iter().any(|record| match (&record.event, sequel) {
        (Event::ShadowFill { address: filled, .. }, Sequel::Filled) => *filled == address,
        (Event::NestedFill { .. }, Sequel::Filled) => true,
        (Event::EmulateAccess { why, .. }, Sequel::CarriedOut(foretold)) => *why == foretold,
        // With assistance the monitor has it injected at the next entry.
        (Event::Enter { trap, .. } | Event::VmExit { trap }, Sequel::Trap(foretold)) => *trap == foretold,
        _ => false,
    })
}

/// Boots, and foretells each memory access of the guest. How often something was foretold beside plain memory.
fn foretell(scenario: &str, mode: ModeName, attempts: u64) -> [u64; 3] {
    let mut run = start(scenario, mode);
    let mut found = [0; 3];
    while run.machine().attempts < attempts {
        let hart = run.guest().hart;
        let fetch = Walk::of(&run, Access::Fetch, hart.pc);
        let word = fetch.guest.and_then(|at| run.guest().word(at));
        let data = word
            .and_then(|word| operand(&hart, word))
            .map(|(access, address)| Walk::of(&run, access, address));
        // The fetch comes first; what is in order is not to be heard of.
        let walk = Some(&fetch)
            .filter(|walk| walk.sequel != Sequel::Reached)
            .or(data.as_ref());
        let translated = run.hardware().execution == Execution::Translated;
        let (events, over) = attempt(&mut run);
        if over {
            break;
        }
        // Of interrupts, and of addresses that are refused before they are looked up, a walk knows nothing.
        let interrupted = events.iter().any(|record| match &record.event {
            Event::Exit { trap, .. } | Event::VmExit { trap } | Event::Enter { trap, .. } => {
                trap.cause.is_interrupt() || matches!(trap.cause, Cause::Countdown | Cause::LoadMisaligned)
            }
            _ => false,
        });
        let Some(walk) = walk.filter(|_| !interrupted && !translated) else {
            continue;
        };
        let what = format!(
            "{scenario} under {mode}, at {:#x}: {walk:#x?}\n{events:#x?}",
            hart.pc
        );
        match walk.sequel {
            Sequel::Reached | Sequel::Translated | Sequel::Emulated => {
                let touched = events.iter().any(|record| {
                    matches!(
                        record.event,
                        Event::ShadowFill { .. } | Event::NestedFill { .. } | Event::EmulateAccess { .. }
                    )
                });
                assert!(!touched, "{what}");
            }
            sequel => {
                assert!(happened(sequel, walk.address, &events), "{what}");
                let kind = match sequel {
                    Sequel::Filled => 0,
                    Sequel::CarriedOut(_) => 1,
                    _ => 2,
                };
                found[kind] += 1;
            }
        }
    }
    found
}

#[test]
fn what_a_walk_foretells_of_an_access_happens() {
    for mode in [TRAP, COMPRESSED, NESTED, SHADOW] {
        let [fills, ..] = foretell("guest-os", mode, 8_000);
        assert!(fills > 20, "{mode}: {fills}");
    }
    for mode in [TRAP, COMPRESSED, SHADOW] {
        let [_, carried, _] = foretell("shadow", mode, 8_000);
        assert!(carried > 10, "{mode}: {carried}");
    }
    for mode in [ModeName::Bare, TRAP, NESTED, SHADOW] {
        let [_, _, traps] = foretell("nano-pgfault", mode, 8_000);
        assert!(traps > 10, "{mode}: {traps}");
    }
    foretell("guest-os", ModeName::Para, 8_000);
    let [_, carried, _] = foretell("address-compression", TRAP, 8_000);
    assert!(carried > 0);
}

/// The operating system when it first runs a program, some time later.
fn booted(mode: ModeName) -> Run {
    let mut run = start("guest-os", mode);
    while run.guest().hart.ring() < 3 {
        assert!(!matches!(run.advance(1_000), Stop::End(_)), "it runs a program");
    }
    for _ in 0..40 {
        run.advance(50);
    }
    run
}

#[test]
fn with_a_nested_table_each_reference_is_walked_itself() {
    let run = booted(NESTED);
    let walk = Walk::of(&run, Access::Fetch, run.guest().hart.pc);
    let path = walk.real.expect("the hardware walks something else");
    let rows: Vec<(Role, usize, bool)> = path
        .rows
        .iter()
        .map(|row| (row.role, row.nested.len(), row.entry.is_some()))
        .collect();
    assert_eq!(
        rows,
        [
            (Role::Entry(1), 2, true),
            (Role::Entry(0), 2, true),
            (Role::Target, 2, false)
        ]
    );
    assert_eq!((path.references(), path.own_references()), (8, 2));
    assert_eq!(path.references(), nested_references(2, 2));
    assert_eq!(nested_references(4, 4), 24, "as x86-64 is quoted");
    // What the guest's own processor would do: one dimension, and the same entries.
    assert_eq!(walk.own.references(), 2);
    for (own, nested) in walk.own.rows.iter().zip(&path.rows) {
        assert_eq!(own.entry, nested.entry);
    }
}

#[test]
fn entries_say_who_may_write_them() {
    for (mode, keeping) in [
        (ModeName::Bare, Keeping::Free),
        (TRAP, Keeping::Traced),
        (ModeName::Para, Keeping::Validated),
        (NESTED, Keeping::Free),
        (SHADOW, Keeping::Traced),
    ] {
        let run = booted(mode);
        let walk = Walk::of(&run, Access::Fetch, run.guest().hart.pc);
        let own: Vec<Keeping> = walk
            .own
            .rows
            .iter()
            .filter_map(|row| Some(row.entry?.keeping))
            .collect();
        assert_eq!(own, [keeping; 2], "{mode}");
        let monitors = walk.real.iter().flat_map(|path| &path.rows).flat_map(|row| {
            let shadow = row.entry.filter(|_| row.nested.is_empty());
            row.nested.iter().copied().chain(shadow)
        });
        assert!(
            monitors.clone().all(|step| step.keeping == Keeping::Monitor),
            "{mode}"
        );
    }
}

#[test]
fn a_listing_says_what_walks_say() {
    for mode in [ModeName::Bare, TRAP, COMPRESSED, ModeName::Para, NESTED, SHADOW] {
        let run = booted(mode);
        let listing = Listing::of(&run);
        assert!(
            listing.paging && !listing.cut && listing.ranges.len() > 3,
            "{mode}"
        );
        for range in listing
            .ranges
            .iter()
            .filter(|range| range.holds != Holds::Monitor)
        {
            for page in [0, range.pages - 1] {
                let walk = Walk::of(&run, Access::Load, range.first + page * PAGE);
                let what = format!("{mode}: {range:x?}, {walk:#x?}");
                let allowed = range.own.is_some_and(|own| own.flags & pte::R != 0)
                    && (run.guest().hart.ring() < 3 || range.own.is_some_and(|own| own.flags & pte::U != 0));
                assert_eq!(walk.guest.is_some(), allowed, "{what}");
                if allowed {
                    assert_eq!(
                        walk.guest.map(|at| at / PAGE),
                        range.guest.map(|first| first + page),
                        "{what}"
                    );
                    if range.real.is_some_and(|real| real & pte::R != 0) {
                        assert_eq!(walk.sequel, Sequel::Reached, "{what}");
                    }
                }
            }
        }
        // Of a shadow, nothing is there that the guest does not map; the nested table has what the guest has used.
        let alone = listing.ranges.iter().filter(|range| range.own.is_none());
        assert!(alone.clone().all(|range| range.holds == Holds::Monitor), "{mode}");
        assert_eq!(listing.nested.is_empty(), mode != NESTED);
        let shadowed = listing.ranges.iter().any(|range| range.holds == Holds::Shadowed);
        assert_eq!(
            shadowed,
            matches!(listing.tables, Tables::Shadow { .. }),
            "{mode}"
        );
    }
}
