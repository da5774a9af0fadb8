//! The validator on its own: each way to cheat, and that what it refuses leaves no trace.

use std::sync::Arc;

use toy_isa::bus::{Bus, Width};
use toy_isa::machine::{Config, Machine};
use toy_isa::profile::{Profile, ProfileName};

use super::*;

const R: u32 = pte::V | pte::R;
const RW: u32 = R | pte::W;

impl Pages {
    /// Counts everything anew, from the tables in memory and from the uses that are no entries (each as often as it
    /// is listed), and compares with the books.
    pub(in crate::modes::para) fn audit(&self, board: &Board, others: &[(u32, Kind)]) {
        let mut counted = vec![Vec::new(); board.ram.pages() as usize];
        for (frame, kind) in others {
            counted[*frame as usize].push(*kind);
        }
        let pages = || {
            self.frames
                .pairs()
                .map(|(guest, frame)| (frame, self.pages[guest as usize]))
        };
        for (frame, page) in pages() {
            counted[frame as usize].extend(page.pinned.then_some(Kind::Root));
            let Some(kind @ (Kind::Root | Kind::Table)) = self.kind(frame) else {
                continue;
            };
            for index in 0..guest_entries(kind) {
                let entry = board.ram.read(frame * PAGE + 4 * index, Width::Word);
                let entry = entry.expect("tables are in memory");
                if entry & pte::V == 0 {
                    continue;
                }
                let named = pte::frame(entry).expect("no entry goes beyond 4 GiB") / PAGE;
                let owner = self.owner(named);
                assert_ne!(
                    owner,
                    Owner::Monitor,
                    "frame {frame:#x}, entry {index} is {entry:#x}"
                );
                let leaf = entry & (pte::R | pte::X) != 0;
                assert_eq!(
                    leaf,
                    kind == Kind::Table,
                    "frame {frame:#x}, entry {index} is {entry:#x}"
                );
                match owner {
                    _ if !leaf => counted[named as usize].push(Kind::Table),
                    Owner::Guest if entry & pte::W != 0 => counted[named as usize].push(Kind::Writable),
                    _ => {}
                }
            }
            for (index, entry) in (guest_entries(Kind::Root)..).zip(self.reserved) {
                let found = board.ram.read(frame * PAGE + 4 * index, Width::Word);
                assert!(
                    kind == Kind::Table || found == Some(entry),
                    "the monitor's entries are in every root"
                );
            }
        }
        for (frame, page) in pages() {
            let uses = std::mem::take(&mut counted[frame as usize]);
            assert_eq!(
                page.uses as usize,
                uses.len(),
                "uses of frame {frame:#x}: {uses:?}"
            );
            assert!(
                uses.iter().all(|kind| *kind == page.kind),
                "frame {frame:#x} is {uses:?}"
            );
        }
        assert!(
            counted.iter().all(Vec::is_empty),
            "uses of the guest's frames alone"
        );
    }
}

/// A board of 32 frames; those from 8 to 23 are the guest's, and frame 3 is shared with it.
struct Bench {
    board: Board,
    pages: Pages,
}

const OWN: u32 = 8;
const SHARED: u32 = 3;
const MONITORS: u32 = 2;

/// The uses that a test makes of frames: what it is to be called with, in [`Bench::audit`].
const ROOT: u32 = OWN;
const TABLE: u32 = OWN + 1;
const DATA: u32 = OWN + 2;

impl Bench {
    fn new() -> Bench {
        let machine = Machine::new(Config {
            memory: 32 * PAGE,
            profile: Arc::new(Profile::new(ProfileName::Classic)),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: 1,
        });
        let frames = Frames::contiguous(OWN, 16);
        let pages = Pages::new(&frames, SHARED, [0x11, 0x22]);
        let mut bench = Bench {
            board: machine.board,
            pages,
        };
        bench.put(ROOT, 0, pte::entry(TABLE * PAGE, pte::V));
        bench.put(TABLE, 0, pte::entry(DATA * PAGE, RW));
        bench.put(TABLE, 1, pte::entry(ROOT * PAGE, R));
        bench.put(TABLE, 2, pte::entry(SHARED * PAGE, RW));
        bench
    }

    fn put(&mut self, frame: u32, index: u32, entry: u32) {
        self.board
            .write(frame * PAGE + 4 * index, Width::Word, entry)
            .expect("the frame is in memory");
    }

    fn pin(&mut self, frame: u32) -> Result<(), Errno> {
        self.pages.pin(&mut self.board, frame)
    }

    fn update(&mut self, frame: u32, index: u32, entry: u32) -> Result<bool, Errno> {
        self.pages
            .update(&mut self.board, frame * PAGE + 4 * index, entry)
    }

    fn audit(&self) {
        self.pages.audit(&self.board, &[]);
    }
}

#[test]
fn a_pinned_root_makes_each_frame_what_it_is_and_an_unpinned_one_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.pin(ROOT), Ok(()));
    let kinds = [ROOT, TABLE, DATA].map(|frame| bench.pages.kind(frame));
    assert_eq!(kinds, [Some(Kind::Root), Some(Kind::Table), Some(Kind::Writable)]);
    bench.audit();
    assert_eq!(bench.pin(ROOT), Ok(()), "a second pin changes nothing");
    bench.audit();
    assert_eq!(bench.pages.unpin(&bench.board, ROOT), Ok(()));
    assert_eq!(
        [ROOT, TABLE, DATA].map(|frame| bench.pages.kind(frame)),
        [None; 3]
    );
    assert_eq!(bench.pages.unpin(&bench.board, ROOT), Err(Errno::Invalid));
    bench.audit();
}

#[test]
fn entries_that_must_not_be_are_refused_wherever_they_are_met() {
    let table_cases = [
        (pte::entry(MONITORS * PAGE, RW), Errno::Permission),
        (pte::entry(MONITORS * PAGE, R), Errno::Permission),
        (pte::entry(5000 * PAGE, R), Errno::Permission),
        (1 << 30 | R, Errno::Permission),
        (pte::entry(ROOT * PAGE, RW), Errno::Busy),
        (pte::entry(TABLE * PAGE, RW), Errno::Busy),
        (pte::entry(DATA * PAGE, pte::V | pte::W), Errno::Invalid),
        (pte::entry(DATA * PAGE, pte::V | pte::W | pte::X), Errno::Invalid),
        (pte::entry(DATA * PAGE, pte::V), Errno::Invalid),
    ];
    let root_cases = [
        (pte::entry(MONITORS * PAGE, pte::V), Errno::Permission),
        (pte::entry(SHARED * PAGE, pte::V), Errno::Permission),
        (pte::entry(DATA * PAGE, pte::V), Errno::Busy),
        (pte::entry(ROOT * PAGE, pte::V), Errno::Busy),
        (pte::entry(0, RW), Errno::Invalid),
    ];
    for (frame, cases) in [(TABLE, &table_cases[..]), (ROOT, &root_cases[..])] {
        for (entry, error) in cases {
            // In a table that is in use already.
            let mut bench = Bench::new();
            assert_eq!(bench.pin(ROOT), Ok(()));
            assert_eq!(bench.update(frame, 7, *entry), Err(*error), "{entry:#x}");
            bench.audit();
            // In a table that is yet to be validated: all that was taken before the bad entry is given back.
            let mut bench = Bench::new();
            bench.put(frame, 7, *entry);
            assert_eq!(bench.pin(ROOT), Err(*error), "{entry:#x}");
            assert_eq!(
                [ROOT, TABLE, DATA].map(|frame| bench.pages.kind(frame)),
                [None; 3]
            );
            bench.audit();
        }
    }
}

#[test]
fn a_frame_that_is_written_to_cannot_become_a_table() {
    let mut bench = Bench::new();
    assert_eq!(bench.pin(ROOT), Ok(()));
    assert_eq!(bench.pin(DATA), Err(Errno::Busy));
    assert_eq!(
        bench.pin(TABLE),
        Err(Errno::Busy),
        "a table of the second level is no root"
    );
    // Read-only mappings are no obstacle.
    assert_eq!(bench.update(TABLE, 0, pte::entry(DATA * PAGE, R)), Ok(true));
    assert_eq!(bench.pin(DATA), Ok(()));
    assert_eq!(
        bench.update(TABLE, 0, pte::entry(DATA * PAGE, RW)),
        Err(Errno::Busy)
    );
    bench.audit();
}

#[test]
fn the_monitors_entries_of_a_root_are_written_by_the_monitor_alone() {
    let mut bench = Bench::new();
    bench.put(ROOT, RESERVED_SLOT, pte::entry(0, RW));
    bench.put(ROOT, RESERVED_SLOT + 1, pte::entry(0, RW));
    assert_eq!(bench.pin(ROOT), Ok(()));
    bench.audit();
    for slot in [RESERVED_SLOT, RESERVED_SLOT + 1] {
        assert_eq!(bench.update(ROOT, slot, 0), Err(Errno::Permission));
    }
    bench.audit();
}

#[test]
fn a_frame_of_another_cannot_be_written_or_used() {
    let mut bench = Bench::new();
    for frame in [MONITORS, SHARED, 5000, u32::MAX / PAGE] {
        assert_eq!(bench.update(frame, 0, 0), Err(Errno::Permission));
        assert_eq!(bench.pin(frame), Err(Errno::Permission));
        let writable = bench.pages.get(&mut bench.board, frame, Kind::Writable);
        assert_eq!(writable, Err(Errno::Permission));
    }
    bench.audit();
}

#[test]
fn replacing_an_entry_moves_its_use() {
    let mut bench = Bench::new();
    assert_eq!(bench.pin(ROOT), Ok(()));
    assert_eq!(
        bench.update(TABLE, 0, pte::entry((DATA + 1) * PAGE, RW)),
        Ok(true)
    );
    assert_eq!(bench.pages.kind(DATA), None);
    assert_eq!(bench.pages.kind(DATA + 1), Some(Kind::Writable));
    bench.audit();
    // The same once more: it is not lost on the way.
    assert_eq!(
        bench.update(TABLE, 0, pte::entry((DATA + 1) * PAGE, RW)),
        Ok(true)
    );
    bench.audit();
    assert_eq!(bench.update(TABLE, 0, 0), Ok(true));
    assert_eq!(bench.update(TABLE, 0, 0), Ok(false));
    assert_eq!(
        bench.update(ROOT, 0, 0),
        Ok(true),
        "the table has no use any more"
    );
    assert_eq!(bench.pages.kind(TABLE), None);
    bench.audit();
}
