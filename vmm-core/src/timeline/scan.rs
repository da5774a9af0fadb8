//! Looking through a stretch of a run for points.
//!
//! Most points need no look at each instruction. Events are seen as they happen; whether anything was stored to a
//! page, the page's flag says; and whether the instruction at an address was executed, a count of the instructions that
//! retire there, or an event there. Only a stretch for which one of these answers yes is gone through step by step.

use toy_isa::disasm::REGISTER_NAMES;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Instruction, Registers, decode};
use toy_isa::machine::Tally;
use toy_isa::mmu::PAGE;
use toy_isa::table::Op;

use super::condition::Condition;
use super::watch::{Breakpoint, Point};
use super::{INTERVAL, Position, Timeline};
use crate::mode::{ModeName, Sync};
use crate::run::Stop;

/// What to find in a stretch.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// The first point; the timeline then stands there.
    First,
    /// The last one before this position; where the timeline then stands, nobody says.
    LastBefore(Position),
    /// The last one up to this position.
    LastUpTo(Position),
}

impl Wanted {
    fn allows(self, position: Position) -> bool {
        match self {
            Wanted::First => true,
            Wanted::LastBefore(end) => position < end,
            Wanted::LastUpTo(end) => position <= end,
        }
    }
}

/// The most words between the first and the last address that is counted at.
const COUNTED: u32 = 1 << 20;

/// What there is to watch beside events.
struct Watch {
    /// Every instruction has to be looked at.
    steps: bool,
    /// Addresses of the guest's code.
    addresses: Vec<u32>,
}

/// A word of the guest's that is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word {
    /// Where the guest has it, a multiple of 4.
    address: u32,
    /// The address of memory that this means for now. In another address space it is another word.
    real: Option<u32>,
    /// What it holds.
    value: Option<u32>,
}

type Found = Option<(Position, Breakpoint)>;

impl Timeline {
    /// Looks for points from here on, until so many attempts have been made or the run ends.
    pub(super) fn scan(&mut self, points: &[Breakpoint], until: u64, wanted: Wanted) -> Found {
        let mut found = None;
        while self.run.machine().attempts < until && self.ended().is_none() {
            if matches!(wanted, Wanted::First) && found.is_some() {
                break;
            }
            self.keep_if_due();
            let end = until.min(self.run.machine().attempts + INTERVAL).min(self.due());
            let watch = self.watch(points);
            let here = if watch.steps {
                let end = Position {
                    attempts: end,
                    ..Position::default()
                };
                self.sift(points, end, wanted)
            } else {
                let (here, suspicious) = self.sprint(points, &watch, end, wanted);
                match suspicious {
                    // As far as the events that were found: before them there may be something else.
                    Some(from) => {
                        let end = self.position();
                        self.leap(from);
                        let here = self.sift(points, end, wanted).or(here);
                        self.mark_if_far();
                        here
                    }
                    None => here,
                }
            };
            found = here.or(found);
        }
        found
    }

    fn watch(&self, points: &[Breakpoint]) -> Watch {
        let mut watch = Watch {
            steps: false,
            addresses: Vec::new(),
        };
        for breakpoint in points {
            match breakpoint.point {
                Point::Register(_) => watch.steps = true,
                Point::Address(address) => watch.addresses.push(address),
                _ => {}
            }
        }
        let first = watch.addresses.iter().min().copied().unwrap_or(0);
        let last = watch.addresses.iter().max().copied().unwrap_or(0);
        let far = (last - first) / 4 >= COUNTED;
        let counted = match self.run.mode_name {
            ModeName::Bare | ModeName::Jit | ModeName::Trap(_) | ModeName::Para => true,
            ModeName::Assist(_) | ModeName::Kvm => true,
            // Their guests' code is executed elsewhere than where it stands, or not at all.
            ModeName::Interpret | ModeName::Translate(_) | ModeName::Hybrid | ModeName::Hundred => false,
        };
        // What retires is counted by linear addresses.
        let relocates = self.run.guest().hart.csr.relocation() != 0;
        watch.steps |= !watch.addresses.is_empty() && (far || !counted || relocates);
        watch
    }

    /// Goes on by as much as events allow, or until a word that is watched is another one. The second answer: from
    /// where on there may be something else.
    fn sprint(
        &mut self,
        points: &[Breakpoint],
        watch: &Watch,
        end: u64,
        wanted: Wanted,
    ) -> (Found, Option<Position>) {
        let start = self.position();
        let words = self.words(points);
        self.count(&watch.addresses);
        self.arm(&words);
        let mut found = None;
        let mut moved = None;
        while self.run.machine().attempts < end && self.ended().is_none() {
            let turn = self.position();
            let before = self.run.log.total();
            self.turn(end - self.run.machine().attempts);
            if words
                .iter()
                .any(|word| self.run.guest().real(word.address) != word.real)
            {
                moved = Some(turn);
                break;
            }
            let here = self.position();
            let hit = points
                .iter()
                .find(|point| self.happened(point, before) && point.holds(&self.run.guest()));
            if let Some(hit) = hit.filter(|_| wanted.allows(here)) {
                found = Some((here, hit.clone()));
                if matches!(wanted, Wanted::First) {
                    break;
                }
            }
        }
        let counted = self.count_no_more();
        let stored = self.notice(&words);
        let relocates = self.run.guest().hart.csr.relocation() != 0 && !watch.addresses.is_empty();
        let met = (start.events..self.run.log.total()).any(|number| {
            let record = self.history.get(number);
            record.is_none_or(|record| watch.addresses.contains(&record.pc))
        });
        let met = met && !watch.addresses.is_empty();
        let everywhere = counted || stored || relocates || met;
        (found, if everywhere { Some(start) } else { moved })
    }

    /// Goes on step by step, up to this position.
    fn sift(&mut self, points: &[Breakpoint], end: Position, wanted: Wanted) -> Found {
        let mut found = None;
        let mut last = self.look(points);
        let mut stored = false;
        while self.position() < end && self.ended().is_none() {
            self.arm(&last.words);
            let before = self.run.log.total();
            let stop = self.turn(1);
            stored |= self.notice(&last.words);
            let guest = self.run.guest();
            let boundary = stop.is_some() || guest.pace.retired() != last.retired;
            let hit = points.iter().find(|breakpoint| {
                let hit =
                    self.happened(breakpoint, before) || boundary && last.hit(breakpoint, &guest, stored);
                hit && breakpoint.holds(&guest)
            });
            let here = self.position();
            if let Some(hit) = hit.filter(|_| wanted.allows(here)) {
                found = Some((here, hit.clone()));
                if matches!(wanted, Wanted::First) {
                    break;
                }
            }
            if boundary {
                last = self.look(points);
                stored = false;
            }
        }
        found
    }

    /// Whether one of the events since this one is the point.
    fn happened(&self, breakpoint: &Breakpoint, since: u64) -> bool {
        let records = (since..self.run.log.total()).filter_map(|number| self.history.get(number));
        records.into_iter().any(|record| breakpoint.point.is(record))
    }

    /// The words to which stores are looked for.
    fn words(&self, points: &[Breakpoint]) -> Vec<Word> {
        let guest = self.run.guest();
        let addresses = points.iter().filter_map(|breakpoint| match breakpoint.point {
            Point::Write(address) => Some(address & !3),
            _ => None,
        });
        let word = |address| Word {
            address,
            real: guest.real(address),
            value: guest.at(address),
        };
        addresses.map(word).collect()
    }

    /// Has the next store to a page of one of these words noticed.
    fn arm(&mut self, words: &[Word]) {
        self.notice(&[]);
        // The guest's memory is on the last board.
        let board = self.run.boards().pop();
        for (board, versions) in board.into_iter().zip(self.memories.last_mut()) {
            for page in pages(words) {
                versions.watch(board, page);
            }
        }
    }

    /// Takes in which pages have been stored to; whether one of these words is on one of them.
    fn notice(&mut self, words: &[Word]) -> bool {
        let watched: Vec<u32> = pages(words).collect();
        let last = self.memories.len() - 1;
        let mut seen = false;
        let boards = self.run.boards().into_iter().zip(&mut self.memories);
        for (which, (board, versions)) in boards.enumerate() {
            seen |= versions.notice(board, &watched) && which == last;
        }
        seen
    }

    /// Has the instructions that retire at these addresses counted.
    fn count(&mut self, addresses: &[u32]) {
        let (Some(first), Some(last)) = (addresses.iter().min(), addresses.iter().max()) else {
            return;
        };
        let start = first & !(PAGE - 1);
        let mut tally = Tally::new(start, ((last - start) / 4 + 1) as usize);
        for address in addresses {
            tally.mark(*address, true);
        }
        if let Some(board) = self.run.boards().pop() {
            board.observer.tally = Some(tally);
        }
    }

    /// Takes the count away again, if nobody else's is there; whether there were any.
    fn count_no_more(&mut self) -> bool {
        if matches!(self.run.mode_name, ModeName::Translate(_)) {
            return false;
        }
        let board = self.run.boards().pop();
        let tally = board.and_then(|board| board.observer.tally.take());
        tally.is_some_and(|tally| tally.retired > 0)
    }

    /// What later steps are compared with.
    fn look(&self, points: &[Breakpoint]) -> Look {
        let guest = self.run.guest();
        let words = self.words(points);
        let store = match words.is_empty() {
            true => None,
            false => guest
                .at(guest.hart.pc)
                .and_then(|word| stores_to(decode(word, Registers::Sixteen)?, &guest.hart)),
        };
        Look {
            retired: guest.pace.retired(),
            x: guest.hart.x,
            words,
            store,
        }
    }

    /// One step; and, if that has led into a call or a trap, where it will be out of that again; with the address at
    /// which the instruction has still to be executed.
    pub(super) fn step_over(&mut self) -> Option<(Vec<Breakpoint>, Option<u32>)> {
        let guest = self.run.guest();
        let hart = &guest.hart;
        let (pc, ring, sp) = (hart.pc, hart.ring(), hart.x[2]);
        let insn = guest.at(pc).and_then(|word| decode(word, Registers::Sixteen));
        let call = insn.is_some_and(|insn| matches!(insn.op, Op::Jal | Op::Jalr) && insn.rd == 1);
        let stop = self.step();
        if !call && !matches!(stop, Stop::Sync(Sync::Enter(_))) {
            return None;
        }
        let back = |address| returned(address, ring, sp);
        // A trap may lead back to the instruction, which has then still to be executed.
        let next = pc.wrapping_add(4);
        Some(match call {
            true => (vec![back(next)], None),
            false => (vec![back(next), back(pc)], Some(pc)),
        })
    }

    /// One step back; and, if that led to the end of a call or of a trap handler, where that can have begun. `None` at
    /// the beginning of the run.
    pub(super) fn step_over_back(&mut self) -> Option<Vec<Breakpoint>> {
        let guest = self.run.guest();
        let (pc, ring, sp) = (guest.hart.pc, guest.hart.ring(), guest.hart.x[2]);
        if !self.step_back() {
            return None;
        }
        let guest = self.run.guest();
        let word = guest.at(guest.hart.pc);
        let insn = word.and_then(|word| decode(word, Registers::Sixteen));
        let before = returned(pc.wrapping_sub(4), ring, sp);
        Some(match insn {
            Some(insn) if insn.op == Op::Jalr && (insn.rd, insn.rs1) == (0, 1) => vec![before],
            // The handler may have gone past the instruction that trapped, or back to it.
            Some(insn) if insn.op == Op::Mret => vec![before, returned(pc, ring, sp)],
            _ => Vec::new(),
        })
    }
}

/// This address, in the same ring and on the same stack.
fn returned(address: u32, ring: u32, sp: u32) -> Breakpoint {
    let same = format!("ring == {ring} && {} == {sp}", REGISTER_NAMES[2]);
    Breakpoint {
        point: Point::Address(address),
        condition: Condition::parse(&same, &|_| None).ok(),
        enabled: true,
    }
}

/// A guest between two instructions.
struct Look {
    retired: u64,
    x: [u32; 32],
    /// The words that are watched.
    words: Vec<Word>,
    /// The word that the next instruction will store to.
    store: Option<u32>,
}

impl Look {
    /// Whether a point that is no event lies between then and now. `stored`: something has been stored to where there
    /// are words that are watched.
    fn hit(&self, breakpoint: &Breakpoint, guest: &crate::guest::GuestView, stored: bool) -> bool {
        match breakpoint.point {
            Point::Address(address) => guest.hart.pc == address,
            Point::Register(number) => {
                let number = usize::from(number) % self.x.len();
                guest.hart.x[number] != self.x[number]
            }
            Point::Write(address) => {
                let address = address & !3;
                let word = self.words.iter().find(|word| word.address == address);
                word.is_some_and(|word| {
                    let touched = self.store == Some(address) || word.value != guest.at(address);
                    stored && touched && word.real == guest.real(address)
                })
            }
            _ => false,
        }
    }
}

/// The pages of memory that these words are on.
fn pages(words: &[Word]) -> impl Iterator<Item = u32> {
    words.iter().filter_map(|word| Some(word.real? / PAGE))
}

/// The address of the word that an instruction stores to, a multiple of 4.
fn stores_to(insn: Instruction, hart: &Hart) -> Option<u32> {
    matches!(insn.op, Op::Sb | Op::Sh | Op::Sw)
        .then(|| hart.x[usize::from(insn.rs1) % 32].wrapping_add(insn.imm as u32) & !3)
}
