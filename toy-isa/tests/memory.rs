//! Limit, relocation, paging, and the counting model of the TLB.

mod common;
#[path = "common/engines.rs"]
mod engines;

use common::*;
use toy_isa::bus::{Bus, Width};
use toy_isa::engine::Exit;
use toy_isa::machine::Machine;
use toy_isa::mmu::{Access, TlbCounts, pte, translate};
use toy_isa::profile::{Profile, ProfileName};
use toy_isa::table::{Csr, Op};
use toy_isa::trap::Trap;

use pte::{A, D, R, U, V, W, X};

const ACCESSES: [Access; 3] = [Access::Fetch, Access::Load, Access::Store];
const ROOT: u32 = 0x8000;
const SECOND: u32 = 0x9000;
const RE: u32 = 1 << 6;
const ALL: u32 = V | R | W | X | U;

fn fresh() -> Machine {
    machine(ProfileName::Classic)
}

fn resolve(m: &mut Machine, access: Access, address: u32, width: Width) -> Result<u32, Trap> {
    translate(&m.hart, &mut m.board, access, address, width)
}

fn code(result: Result<u32, Trap>) -> Result<u32, (u32, u32)> {
    result.map_err(|trap| (trap.cause.code(), trap.tval))
}

/// The cause of an access fault and of a page fault.
fn causes(access: Access) -> (u32, u32) {
    match access {
        Access::Fetch => (1, 12),
        Access::Load => (5, 13),
        Access::Store => (7, 15),
    }
}

/// Numbers around which comparisons and additions can go wrong.
fn edges() -> impl Iterator<Item = u32> + Clone {
    let centres = [0_u32, 0x1000, 0x8000_0000];
    centres
        .into_iter()
        .flat_map(|centre| (-9..=9).map(move |near| centre.wrapping_add_signed(near)))
}

#[test]
fn the_limit_is_address_plus_size_without_wrap_around() {
    let mut m = fresh();
    for bound in edges() {
        for address in edges() {
            for ring in 0..4 {
                for (access, width, size) in [
                    (Access::Fetch, Width::Word, 4),
                    (Access::Load, Width::Byte, 1),
                    (Access::Load, Width::Half, 2),
                    (Access::Store, Width::Word, 4),
                ] {
                    m.hart.csr.status.0 = ring;
                    // The other limit must not matter.
                    (m.hart.csr.bound, m.hart.csr.xbound) = if access == Access::Fetch {
                        (!bound, bound)
                    } else {
                        (bound, !bound)
                    };
                    let (access_fault, _) = causes(access);
                    let misaligned = access_fault - 1;
                    let want = if i128::from(address) % size != 0 {
                        Err((misaligned, address))
                    } else if ring != 0 && i128::from(address) + size > i128::from(bound) {
                        Err((access_fault, address))
                    } else {
                        Ok(address)
                    };
                    assert_eq!(
                        code(resolve(&mut m, access, address, width)),
                        want,
                        "bound {bound:#x}"
                    );
                }
            }
        }
    }
}

#[test]
fn relocation_adds_modulo_2_to_the_32_in_every_ring_after_the_limit() {
    let mut m = fresh();
    for base in edges() {
        for address in edges() {
            for ring in 0..4 {
                for re in [0, RE] {
                    m.hart.csr.status.0 = ring | re;
                    m.hart.csr.base = base;
                    m.hart.csr.bound = 0x8000_0000;
                    let moved = (u64::from(address) + if re == 0 { 0 } else { u64::from(base) }) as u32;
                    let want = if ring != 0 && address >= 0x8000_0000 {
                        Err((5, address))
                    } else {
                        Ok(moved)
                    };
                    assert_eq!(code(resolve(&mut m, Access::Load, address, Width::Byte)), want);
                }
            }
        }
    }
}

/// All of it on a narrow machine: 256 addresses, every base and every bound, against the definition in words.
#[test]
fn limit_and_relocation_exhaustively_on_eight_bits() {
    let mut m = fresh();
    // The top 8 bits of a word are the narrow machine's; the other bits are 0.
    let wide = |narrow: u32| narrow << 24;
    m.hart.csr.status.0 = 3 | RE;
    for bound in 0..256 {
        for base in 0..256 {
            m.hart.csr.bound = wide(bound);
            m.hart.csr.base = wide(base);
            for address in 0..256 {
                let below = wide(address) < wide(bound);
                let want = below
                    .then(|| wide((address + base) % 256))
                    .ok_or((5, wide(address)));
                let got = code(resolve(&mut m, Access::Load, wide(address), Width::Byte));
                assert_eq!(got, want);
            }
        }
    }
}

/// What the book says of a leaf with these flags: it allows the access, or it does not.
fn allows(flags: u32, access: Access, ring: u32) -> bool {
    let valid = flags & V != 0 && !(flags & W != 0 && flags & R == 0);
    let right = match access {
        Access::Fetch => flags & X != 0,
        Access::Load => flags & R != 0,
        Access::Store => flags & W != 0,
    };
    valid && right && (ring != 3 || flags & U != 0)
}

/// A machine whose root entry 1 points to a second level, whose entry 2 is for the test.
fn two_levels(entry: u32) -> Machine {
    let mut m = fresh();
    put(&mut m, ROOT + 4, &[pte::entry(SECOND, V)]);
    put(&mut m, SECOND + 8, &[entry]);
    m.hart.csr.ptbr = ROOT | 1;
    m
}

const IN_SECOND: u32 = 1 << 22 | 2 << 12 | 0x34;

#[test]
fn every_leaf_of_the_second_level() {
    for flags in 0..256 {
        for access in ACCESSES {
            for ring in 0..4 {
                let entry = pte::entry(0x3000, flags);
                let mut m = two_levels(entry);
                m.hart.csr.status.0 = ring;
                let got = code(resolve(&mut m, access, IN_SECOND, Width::Word));
                let after = peek(&m, SECOND + 8);
                if allows(flags, access, ring) {
                    assert_eq!(got, Ok(0x3034), "{flags:#x} {access:?} ring {ring}");
                    let marks = if access == Access::Store { A | D } else { A };
                    assert_eq!(after, entry | marks, "{flags:#x} {access:?}");
                } else {
                    assert_eq!(
                        got,
                        Err((causes(access).1, IN_SECOND)),
                        "{flags:#x} {access:?} ring {ring}"
                    );
                    assert_eq!(after, entry, "an access that faults marks nothing");
                }
                assert_eq!(
                    peek(&m, ROOT + 4),
                    pte::entry(SECOND, V),
                    "pointers are not marked"
                );
            }
        }
    }
}

#[test]
fn every_entry_of_the_root() {
    let address = 3 << 22 | 0x12_3454;
    for flags in 0..256 {
        for access in ACCESSES {
            for ring in 0..4 {
                let entry = pte::entry(0x0080_0000, flags);
                let mut m = build(Profile::new(ProfileName::Classic), 0x0081_0000, 64);
                put(&mut m, ROOT + 12, &[entry]);
                // If it is a pointer: to a table at 8 MiB that allows everything.
                let second = 0x0080_0000 + 4 * 0x123;
                put(&mut m, second, &[pte::entry(0x5000, ALL)]);
                m.hart.csr.ptbr = ROOT | 1;
                m.hart.csr.status.0 = ring;
                let got = code(resolve(&mut m, access, address, Width::Word));
                let pointer = flags & (R | W | X) == 0 && flags & V != 0;
                let marks = if access == Access::Store { A | D } else { A };
                if pointer {
                    assert_eq!(got, Ok(0x5454), "{flags:#x}");
                    assert_eq!(peek(&m, ROOT + 12), entry);
                    assert_eq!(peek(&m, second), pte::entry(0x5000, ALL) | marks);
                } else if allows(flags, access, ring) {
                    assert_eq!(
                        got,
                        Ok(0x0080_0000 + 0x12_3454),
                        "{flags:#x} {access:?} ring {ring}"
                    );
                    assert_eq!(peek(&m, ROOT + 12), entry | marks);
                } else {
                    assert_eq!(got, Err((causes(access).1, address)));
                    assert_eq!(peek(&m, ROOT + 12), entry);
                }
            }
        }
    }
}

#[test]
fn a_superpage_must_be_aligned() {
    for bit in 10..32 {
        let mut m = fresh();
        put(&mut m, ROOT, &[ALL | 1 << bit]);
        m.hart.csr.ptbr = ROOT | 1;
        let want = match bit {
            // The frame within 4 MiB: misaligned.
            10..20 => Err((13, 0x123)),
            // The frame beyond 4 GiB: there is no memory.
            30.. => Err((5, 0x123)),
            _ => Ok((1 << (bit + 2)) | 0x123),
        };
        assert_eq!(
            code(resolve(&mut m, Access::Load, 0x123, Width::Byte)),
            want,
            "bit {bit}"
        );
    }
}

#[test]
fn a_third_level_is_a_page_fault_wherever_it_would_be() {
    for frame in [0x3000, NOWHERE] {
        for high in [0, 1 << 30, 3 << 30] {
            let mut m = two_levels(pte::entry(frame, V) | high);
            for access in ACCESSES {
                let got = code(resolve(&mut m, access, IN_SECOND, Width::Word));
                assert_eq!(got, Err((causes(access).1, IN_SECOND)));
            }
        }
    }
}

#[test]
fn tables_outside_memory_are_access_faults() {
    for access in ACCESSES {
        let want = Err((causes(access).0, IN_SECOND));
        for root in [NOWHERE, MEMORY, 0xf000_0000, 0xffff_f000] {
            let mut m = two_levels(ALL);
            m.hart.csr.ptbr = root | 1;
            assert_eq!(code(resolve(&mut m, access, IN_SECOND, Width::Word)), want);
        }
        for second in [
            pte::entry(NOWHERE, V),
            pte::entry(0xf000_0000, V),
            pte::entry(0, V) | 1 << 30,
            pte::entry(SECOND, V) | 3 << 30,
        ] {
            let mut m = two_levels(ALL);
            put(&mut m, ROOT + 4, &[second]);
            assert_eq!(code(resolve(&mut m, access, IN_SECOND, Width::Word)), want);
        }
        let mut m = two_levels(pte::entry(SECOND, ALL) | 1 << 30);
        assert_eq!(code(resolve(&mut m, access, IN_SECOND, Width::Word)), want);
    }
}

#[test]
fn cyclic_tables_end() {
    // Entry 0 of the root points to the root: entry 0 is then a pointer on the second level too.
    let mut m = fresh();
    put(&mut m, ROOT, &[pte::entry(ROOT, V), pte::entry(0, ALL)]);
    m.hart.csr.ptbr = ROOT | 1;
    assert_eq!(code(resolve(&mut m, Access::Load, 0, Width::Word)), Err((13, 0)));
    // Through itself, entry 1 is a leaf of 4 KiB; directly, a superpage.
    assert_eq!(code(resolve(&mut m, Access::Load, 0x1004, Width::Word)), Ok(4));
    assert_eq!(
        code(resolve(&mut m, Access::Load, 0x40_2004, Width::Word)),
        Ok(0x2004)
    );
}

#[test]
fn an_access_that_finds_no_memory_behind_its_page_is_an_access_fault() {
    let mut m = two_levels(pte::entry(NOWHERE, ALL));
    m.hart.csr.ptbr = ROOT | 1;
    put(&mut m, ROOT, &[pte::entry(0, ALL)]);
    m.hart.x[1] = IN_SECOND;
    execute(&mut m, i(Op::Lw, 10, 1, 0));
    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (5, IN_SECOND));
    assert_eq!(peek(&m, SECOND + 8), pte::entry(NOWHERE, ALL | A));
    execute(&mut m, s(Op::Sw, 10, 1, 0));
    assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (7, IN_SECOND));
    assert_eq!(peek(&m, SECOND + 8), pte::entry(NOWHERE, ALL | A | D));
}

#[test]
fn the_first_of_several_faults_counts() {
    // A load that is misaligned, beyond the limit, not allowed, without memory; each of these alone or with those
    // that come after it. The page is marked only if the access came that far.
    let nowhere = pte::entry(NOWHERE, ALL);
    for (address, bound, entry, cause, marked) in [
        (IN_SECOND + 1, 0, nowhere & !R, 4, false),
        (IN_SECOND + 1, u32::MAX, nowhere, 4, false),
        (IN_SECOND, 0, nowhere & !R & !W, 5, false),
        (IN_SECOND, 0, nowhere, 5, false),
        (IN_SECOND, u32::MAX, nowhere & !R & !W, 13, false),
        (IN_SECOND, u32::MAX, nowhere, 5, true),
    ] {
        let mut m = two_levels(entry);
        put(&mut m, ROOT, &[pte::entry(0, ALL)]);
        m.hart.csr.status.0 = 1;
        m.hart.csr.bound = bound;
        m.hart.x[1] = address;
        execute(&mut m, i(Op::Lh, 10, 1, 0));
        assert_eq!((m.hart.csr.cause, m.hart.csr.tval), (cause, address));
        assert_eq!(peek(&m, SECOND + 8) & A != 0, marked);
    }
}

#[test]
fn devices_are_reached_through_pages() {
    let mut m = two_levels(pte::entry(0xf000_1000, V | R));
    put(&mut m, ROOT, &[pte::entry(0, ALL)]);
    m.board.pace.clock = 77;
    m.hart.x[1] = IN_SECOND & !0xfff;
    assert_eq!(execute(&mut m, i(Op::Lw, 10, 1, 0)), Exit::Fuel);
    assert_eq!(m.hart.x[10], 77);
}

/// A load of the word at the address in x1 into x10, in a machine that maps its code and tables to themselves.
fn load(m: &mut Machine) -> u32 {
    m.hart.pc = CODE;
    m.hart.x[10] = 0xdead_beef;
    step(m);
    m.hart.x[10]
}

fn mapped(tlb: usize) -> Machine {
    let mut m = build(Profile::new(ProfileName::Classic), MEMORY, tlb);
    program(&mut m, &[i(Op::Lw, 10, 1, 0)]);
    put(&mut m, ROOT, &[pte::entry(0, ALL), pte::entry(SECOND, V)]);
    put(&mut m, SECOND + 8, &[pte::entry(0x3000, ALL)]);
    put(&mut m, 0x3034, &[3]);
    put(&mut m, 0x4034, &[4]);
    m.hart.csr.ptbr = ROOT | 1;
    m.hart.x[1] = IN_SECOND;
    m
}

#[test]
fn a_changed_entry_counts_from_the_next_access() {
    for tlb in [1, 2, 64] {
        let mut m = mapped(tlb);
        assert_eq!(load(&mut m), 3);
        // The leaf, by a store of the program itself.
        m.hart.x[2] = SECOND + 8;
        m.hart.x[3] = pte::entry(0x4000, ALL);
        put(&mut m, CODE + 4, &[s(Op::Sw, 3, 2, 0), i(Op::Lw, 10, 1, 0)]);
        step(&mut m);
        step(&mut m);
        assert_eq!(m.hart.x[10], 4);
        // The pointer.
        put(&mut m, 0xa008, &[pte::entry(0x3000, ALL)]);
        put(&mut m, ROOT + 4, &[pte::entry(0xa000, V)]);
        assert_eq!(load(&mut m), 3);
        // The right to it.
        put(&mut m, 0xa008, &[pte::entry(0x3000, V | X)]);
        assert_eq!(load(&mut m), 0xdead_beef);
        assert_eq!(m.hart.csr.cause, 13);
        put(&mut m, 0xa008, &[pte::entry(0x3000, ALL)]);
        assert_eq!(load(&mut m), 3);
        // A byte of it.
        m.board.write(0xa009, Width::Byte, 0x10).expect("memory");
        assert_eq!(load(&mut m), 4);
        // Another root, with the tables as they are; and paging off.
        put(&mut m, 0xb000, &[pte::entry(0, ALL), pte::entry(SECOND, V)]);
        m.hart.x[4] = 0xb001;
        put(
            &mut m,
            CODE + 4,
            &[c(Op::Csrrw, 0, Csr::Ptbr, 4), i(Op::Lw, 10, 1, 0)],
        );
        put(&mut m, SECOND + 8, &[pte::entry(0x3000, ALL)]);
        step(&mut m);
        step(&mut m);
        assert_eq!(m.hart.x[10], 3);
    }
}

#[test]
fn marks_are_set_again_once_they_are_cleared() {
    let mut m = mapped(64);
    let leaf = pte::entry(0x3000, ALL);
    let store = s(Op::Sw, 0, 1, 0);
    load(&mut m);
    assert_eq!(peek(&m, SECOND + 8), leaf | A);
    execute(&mut m, store);
    assert_eq!(peek(&m, SECOND + 8), leaf | A | D);
    put(&mut m, SECOND + 8, &[leaf]);
    execute(&mut m, store);
    assert_eq!(peek(&m, SECOND + 8), leaf | A | D);
    put(&mut m, SECOND + 8, &[leaf | D]);
    execute(&mut m, i(Op::Lw, 10, 1, 0));
    assert_eq!(peek(&m, SECOND + 8), leaf | A | D);
}

#[test]
fn rings_see_their_own_rights_whatever_was_accessed_before() {
    for tlb in [1, 64] {
        let mut m = mapped(tlb);
        put(&mut m, SECOND + 8, &[pte::entry(0x3000, V | R)]);
        assert_eq!(load(&mut m), 3);
        m.hart.csr.status.0 = 3;
        assert_eq!(load(&mut m), 0xdead_beef);
        assert_eq!(m.hart.csr.cause, 13);
    }
}

/// The counts since the last call.
struct Counts(TlbCounts);

impl Counts {
    /// Misses, references, stale.
    fn since(&mut self, m: &Machine) -> (u64, u64, u64) {
        let now = m.board.tlb.counts;
        let then = std::mem::replace(&mut self.0, now);
        (
            now.misses - then.misses,
            now.references - then.references,
            now.stale - then.stale,
        )
    }
}

fn fence(m: &mut Machine, address: u32) {
    m.hart.x[5] = address;
    execute(m, word(Op::SfenceVma, 0, if address == 0 { 0 } else { 5 }, 0, 0));
    program(m, &[i(Op::Lw, 10, 1, 0)]);
}

#[test]
fn the_tlb_counts_misses_and_references() {
    let mut m = mapped(64);
    let mut counts = Counts(TlbCounts::default());
    // The fetch from a superpage reads one entry, the load two.
    load(&mut m);
    assert_eq!(counts.since(&m), (2, 3, 0));
    load(&mut m);
    assert_eq!(counts.since(&m), (0, 0, 0));
    // A fence for the page; a fence for all: the fence itself is fetched first.
    fence(&mut m, IN_SECOND);
    load(&mut m);
    assert_eq!(counts.since(&m), (1, 2, 0));
    fence(&mut m, 0);
    load(&mut m);
    assert_eq!(counts.since(&m), (2, 3, 0));
    // Two pages, one place: with a single entry they drive each other out.
    let mut m = mapped(1);
    put(&mut m, SECOND + 12, &[pte::entry(0x4000, ALL)]);
    let mut counts = Counts(TlbCounts::default());
    load(&mut m);
    counts.since(&m);
    for page in [0x1000, 0, 0x1000] {
        m.hart.x[1] = IN_SECOND + page;
        load(&mut m);
        assert_eq!(counts.since(&m), (1, 2, 0));
    }
    // A paging-off machine walks nothing.
    m.hart.csr.ptbr = ROOT;
    m.hart.x[1] = 0x3034;
    load(&mut m);
    assert_eq!(counts.since(&m), (0, 0, 0));
}

#[test]
fn the_lint_reports_a_missing_fence_and_only_that() {
    // What is stored to the leaf without a fence, and whether the next load would have used a stale translation.
    let before = pte::entry(0x3000, ALL);
    for (entry, stale) in [
        (before, 0),
        (before | A | D, 0),
        (pte::entry(0x4000, ALL), 1),       // moved
        (pte::entry(0x3000, V | R | U), 1), // rights taken away
        (pte::entry(0x3000, V | X | U), 1), // the load's own right taken away: it now faults
        (0, 1),                             // unmapped: it now faults
    ] {
        for fenced in [false, true] {
            let mut m = mapped(64);
            load(&mut m);
            let mut counts = Counts(TlbCounts::default());
            counts.since(&m);
            put(&mut m, SECOND + 8, &[entry]);
            if fenced {
                fence(&mut m, IN_SECOND);
            }
            load(&mut m);
            let want = if fenced { 0 } else { stale };
            assert_eq!(counts.since(&m).2, want, "{entry:#x} fenced {fenced}");
            // It is reported once.
            load(&mut m);
            assert_eq!(counts.since(&m).2, 0, "{entry:#x}");
        }
    }
    // A page that was never reached needs no fence, nor does mapping what was not mapped.
    let mut m = mapped(64);
    put(&mut m, SECOND + 8, &[0]);
    load(&mut m);
    put(&mut m, SECOND + 8, &[before]);
    assert_eq!(load(&mut m), 3);
    assert_eq!(m.board.tlb.counts.stale, 0);
}

#[test]
fn a_fence_for_any_address_of_a_superpage_is_one_for_all_of_it() {
    // RISC-V: the fence orders accesses to "leaf page table entries corresponding to the virtual address in rs1".
    let mut m = build(Profile::new(ProfileName::Classic), 0x0100_0000, 64);
    program(&mut m, &[i(Op::Lw, 10, 1, 0)]);
    put(&mut m, ROOT, &[pte::entry(0, ALL), pte::entry(0, ALL)]);
    m.hart.csr.ptbr = ROOT | 1;
    for address in [0x0040_1000, 0x0040_2000] {
        m.hart.x[1] = address;
        load(&mut m);
    }
    put(&mut m, ROOT + 4, &[pte::entry(0x0080_0000, ALL)]);
    fence(&mut m, 0x0040_1000);
    m.hart.x[1] = 0x0040_2000;
    load(&mut m);
    assert_eq!(m.board.tlb.counts.stale, 0);
}

#[test]
fn a_fence_names_a_virtual_address_as_an_access_does() {
    let mut m = mapped(64);
    m.hart.csr.base = 0x0040_0000;
    load(&mut m);
    put(&mut m, SECOND + 8, &[pte::entry(0x4000, ALL)]);
    // With relocation on, the page is 4 MiB lower; so is the code, which the same pages map once more.
    put(&mut m, SECOND + 4, &[pte::entry(CODE, ALL)]);
    m.hart.csr.status.0 |= RE;
    fence(&mut m, IN_SECOND - 0x0040_0000);
    m.hart.csr.status.0 &= !RE;
    assert_eq!(load(&mut m), 4);
    assert_eq!(m.board.tlb.counts.stale, 0);
}

/// A walk over many pages that also remaps some of them, on TLBs of different sizes.
#[test]
fn the_size_of_the_tlb_shows_only_in_its_counts() {
    let run = |tlb: usize| {
        let mut m = mapped(tlb);
        let mut rng = Rng(7);
        let mut seen = Vec::new();
        for _ in 0..2000 {
            let page = rng.below(8);
            if rng.one_in(3) {
                let flags = rng.below(256) | if rng.one_in(2) { ALL } else { 0 };
                let frame = rng.below(8) << 12;
                put(&mut m, SECOND + 4 * page, &[pte::entry(frame, flags)]);
            }
            m.hart.csr.status.0 = rng.below(4);
            let access = rng.pick(&ACCESSES);
            let at = 1 << 22 | page << 12 | rng.below(1024) << 2;
            seen.push((
                code(resolve(&mut m, access, at, Width::Word)),
                peek(&m, SECOND + 4 * page),
            ));
        }
        seen
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(64));
}
