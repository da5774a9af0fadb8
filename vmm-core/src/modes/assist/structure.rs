//! The control structure as the monitor reads and writes it: ordinary words of simulated memory, counted.

use toy_isa::bus::{Bus, Width};
use toy_isa::hart::{Csrs, Hart};
use toy_isa::machine::Board;
use toy_isa::root::{Exits, layout};
use toy_isa::trap::{Cause, Trap};

/// Where the monitor keeps the guest's own `ptbr`, while the processor has a shadow's.
const OWN_PTBR: u32 = layout::SOFTWARE;

/// The control structure of a guest.
#[derive(Clone)]
pub struct Structure {
    address: u32,
    /// Whether the guest's own `ptbr` is another word than the one that the processor loads.
    shadowed: bool,
    /// Words that the monitor has read or written, until somebody takes the count.
    pub words: u64,
}

/// Why a guest has left, as the processor has written it down.
pub struct ExitInformation {
    /// The reason; `None` if the word holds none.
    pub trap: Option<Trap>,
    /// The word of the instruction, or the second cause of a double fault.
    pub detail: u32,
    /// How long the guest had the processor, in ticks.
    pub ran: u64,
    /// Whether the guest has not yet fetched the first instruction of a trap handler.
    pub entering: bool,
}

impl Structure {
    /// Writes the structure of a guest with this processor, which leaves by these exits to `host`.
    pub fn begin(
        board: &mut Board,
        address: u32,
        host: u32,
        exits: Exits,
        shadowed: bool,
        hart: &Hart,
    ) -> Structure {
        let mut structure = Structure {
            address,
            shadowed,
            words: 0,
        };
        let words = [
            (layout::REVISION, layout::REVISION_1),
            (layout::EXIT_OPS, exits.ops),
            (layout::EXIT_READS, exits.reads),
            (layout::EXIT_WRITES, exits.writes),
            (layout::EXIT_TRAPS, exits.traps),
            (layout::HOST, host),
        ];
        let csrs = (layout::HOST_CSRS..).step_by(4).zip(Csrs::RESET.words());
        for (offset, value) in words.into_iter().chain(csrs) {
            structure.put(board, offset, value);
        }
        // In memory there are zeros.
        structure.store(board, &structure.peek(board), hart);
        structure
    }

    /// Its physical address.
    pub fn address(&self) -> u32 {
        self.address
    }

    /// Writes a word.
    pub fn put(&mut self, board: &mut Board, offset: u32, value: u32) {
        self.words += 1;
        let written = board.write(self.address + offset, Width::Word, value);
        debug_assert!(written.is_some(), "the control structure is in memory");
    }

    fn get(&mut self, board: &Board, offset: u32) -> u32 {
        self.words += 1;
        self.look_at(board, offset)
    }

    fn look_at(&self, board: &Board, offset: u32) -> u32 {
        board
            .ram
            .read(self.address + offset, Width::Word)
            .unwrap_or_default()
    }

    /// Where the words of the guest's processor stand, in the order of [`words_of`].
    fn places(&self) -> impl Iterator<Item = u32> + use<> {
        let ptbr = if self.shadowed {
            OWN_PTBR
        } else {
            layout::GUEST_PTBR
        };
        let all = (layout::GUEST..layout::ACTIVITY).step_by(4);
        all.map(move |offset| {
            if offset == layout::GUEST_PTBR {
                ptbr
            } else {
                offset
            }
        })
    }

    /// The guest's processor, as an outsider sees it.
    pub fn peek(&self, board: &Board) -> Hart {
        let words: Vec<u32> = self.places().map(|offset| self.look_at(board, offset)).collect();
        let mut hart = Hart::new(words[0]);
        hart.x[1..16].copy_from_slice(&words[1..16]);
        let mut csrs = [0; Csrs::COUNT];
        csrs.copy_from_slice(&words[16..]);
        hart.csr = Csrs::from_words(csrs);
        hart
    }

    /// The guest's processor, read by the monitor.
    pub fn load(&mut self, board: &Board) -> Hart {
        self.words += self.places().count() as u64;
        self.peek(board)
    }

    /// Writes what has changed of the guest's processor since it was loaded.
    pub fn store(&mut self, board: &mut Board, loaded: &Hart, hart: &Hart) {
        let changes = self
            .places()
            .zip(words_of(loaded).into_iter().zip(words_of(hart)));
        for (offset, (before, after)) in changes {
            if before != after {
                self.put(board, offset, after);
            }
        }
    }

    /// What the processor has written down at the last exit.
    pub fn exit(&mut self, board: &Board) -> ExitInformation {
        let cause = Cause::from_code(self.get(board, layout::REASON));
        let tval = self.get(board, layout::VALUE);
        let ran = u64::from(self.get(board, layout::RAN));
        let ran = ran | u64::from(self.get(board, layout::RAN + 4)) << 32;
        ExitInformation {
            trap: cause.map(|cause| Trap { cause, tval }),
            detail: self.get(board, layout::DETAIL),
            ran,
            entering: self.get(board, layout::ACTIVITY) & layout::ENTERING != 0,
        }
    }
}

fn words_of(hart: &Hart) -> Vec<u32> {
    let registers = std::iter::once(hart.pc).chain(hart.x[1..16].iter().copied());
    registers.chain(hart.csr.words()).collect()
}
