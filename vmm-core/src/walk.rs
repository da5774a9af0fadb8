//! What becomes of an address: the guest's own page walk, and the one that the hardware really does for it, step by
//! step and as plain data.
//!
//! Everything here only looks. No accessed bit is set, nothing is counted, no table is begun: a run goes on as if
//! nobody had looked. That a page-table entry means the same here as to the processor is because both ask
//! [`Meaning::of`], and read the entries by [`mmu::walk_with`].

pub mod hardware;
pub mod listing;
mod path;
pub mod words;

use toy_isa::bus::Width;
use toy_isa::devices::Register;
use toy_isa::hart::Hart;
use toy_isa::instruction::{Registers, decode};
use toy_isa::mmu::{self, Access, Meaning, PAGE};
use toy_isa::table::{Cost, Op};
use toy_isa::trap::{Cause, Trap};

use crate::event::AccessReason;
use crate::guest::GuestView;
use crate::run::Run;
use hardware::{Execution, Hardware, Tables};

/// A guest-virtual address, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The guest-virtual address.
    pub address: u32,
    /// What for.
    pub access: Access,
    /// The guest's ring, as the guest sees it.
    pub ring: u32,
    /// The address with the guest's relocation added.
    pub linear: u32,
    /// What the guest's own processor would walk. It ends at a guest-physical address; where the guest's tables hold
    /// real ones, at that.
    pub own: Path,
    /// What the real processor walks, if that is something else. It ends at a real address.
    pub real: Option<Path>,
    /// Whose tables those are.
    pub tables: Tables,
    /// The guest-physical address that is meant, if the guest's tables lead to one.
    pub guest: Option<u32>,
    /// Where in real memory that is, if it is memory.
    pub host: Option<u32>,
    /// What the access would come to now.
    pub sequel: Sequel,
}

/// One walk: which entries it reads, one after the other, and where it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The ring from which the access is made.
    pub ring: u32,
    /// The linear address that is looked up; `None` if the limit forbids it.
    pub linear: Option<u32>,
    /// What is asked of physical memory, in this order. None where nothing is paged.
    pub rows: Vec<Row>,
    /// The physical address, or the trap that the access raises.
    pub end: Result<u32, Trap>,
    /// The bits that the access would set in the leaf, if they are not set.
    pub marks: u32,
}

/// Something that a walk asks of physical memory. Where a nested table stands behind the program's own, each such
/// address is walked itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What for.
    pub role: Role,
    /// The physical address, as the program calls it.
    pub wanted: u32,
    /// The walk of that address through the nested table.
    pub nested: Vec<Step>,
    /// The real address; `None` if the nested table does not lead to one.
    pub place: Option<u32>,
    /// The entry of the program's own table, if it is for one and could be reached.
    pub entry: Option<Step>,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To read the entry of this level of the program's own table: 1 is the root's.
    Entry(u32),
    /// It is what the program's own table leads to.
    Target,
    /// To write back the leaf with its accessed and dirty bits. It is not counted among the references.
    Mark,
}

/// One entry that a walk reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The level of its table: 1 is the root.
    pub level: u32,
    /// Its physical address: that of real memory, or for a guest's own table, of the guest's.
    pub at: u32,
    /// The entry; `None` if there is no memory at this address.
    pub entry: Option<u32>,
    /// What it means for this access; `None` if there is nothing to mean something.
    pub meaning: Option<Meaning>,
    /// Who may write it.
    pub keeping: Keeping,
}

/// What a monitor does so that an entry of a page table is what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing: the guest writes it, and nobody has to know.
    Free,
    /// Stores to the page trap, because shadow entries were made from it.
    Traced,
    /// The guest reads it only; changes are asked for by hypercall, and validated.
    Validated,
    /// It is the monitor's own, which the guest does not reach.
    Monitor,
}

/// What an access comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequel {
    /// The processor reaches memory, and nobody is asked.
    Reached,
    /// The processor fetches what was made of it from the translation cache: the address is the translator's affair.
    Translated,
    /// A monitor that emulates finds its way in software, and the processor walks nothing.
    Emulated,
    /// The processor does not find it, but the guest's own tables do: the monitor makes the missing entry, and the
    /// guest never knows.
    Filled,
    /// The monitor has to carry the access out.
    CarriedOut(AccessReason),
    /// It is the guest's own trap.
    Trap(Trap),
}

impl Walk {
    /// Walks `address` as the guest of a run at rest would now.
    pub fn of(run: &Run, access: Access, address: u32) -> Walk {
        Looker::at(run).walk(access, address)
    }
}

impl Path {
    /// How many entries were read.
    pub fn references(&self) -> u32 {
        self.references_of(|_| true)
    }

    /// How many of them stand in the program's own table.
    pub fn own_references(&self) -> u32 {
        self.rows.iter().filter(|row| row.entry.is_some()).count() as u32
    }

    /// How many entries the first rows have, as far as `rows` says.
    fn references_of(&self, rows: impl Fn(&Row) -> bool) -> u32 {
        let counted = self.rows.iter().filter(|row| row.role != Role::Mark && rows(row));
        counted
            .map(|row| (row.nested.len() + usize::from(row.entry.is_some())) as u32)
            .sum()
    }

    /// Whether there is a nested table behind the program's own.
    pub fn is_nested(&self) -> bool {
        self.rows.iter().any(|row| !row.nested.is_empty())
    }
}

/// How many entries a whole walk reads through tables of `n` levels with nested tables of `m` levels behind them: every
/// reference to the program's own tables, and the address in the end, is walked itself. 2 and 2 are Ring32's, 4 and 4
/// those of x86-64, with 24 (Bhargava et al., ASPLOS 2008, section 2).
pub fn nested_references(n: u32, m: u32) -> u32 {
    (n + 1) * (m + 1) - 1
}

/// The memory access of the instruction `word`, if it is a load or a store, on a processor in this state. Window
/// accesses are not for the guest's addresses.
pub fn operand(hart: &Hart, word: u32) -> Option<(Access, u32)> {
    let insn = decode(word, Registers::Sixteen)?;
    let access = match insn.op.row().cost {
        _ if matches!(insn.op, Op::Wlw | Op::Wsw) => return None,
        Cost::Load => Access::Load,
        Cost::Store => Access::Store,
        _ => return None,
    };
    let address = hart.x[insn.rs1 as usize].wrapping_add(insn.imm as u32);
    Some((access, address))
}

/// The guest-physical address at which a walk ended because the nested table lacks it.
fn nested_fault(end: Result<u32, Trap>) -> Option<u32> {
    let trap = end.err()?;
    let nested = matches!(
        trap.cause,
        Cause::NestedFetch | Cause::NestedLoad | Cause::NestedStore
    );
    nested.then_some(trap.tval)
}

/// What there is to look at in a run at rest.
pub(crate) struct Looker<'a> {
    run: &'a Run,
    view: GuestView<'a>,
    hardware: Hardware<'a>,
}

impl<'a> Looker<'a> {
    pub(crate) fn at(run: &'a Run) -> Looker<'a> {
        Looker {
            run,
            view: run.guest(),
            hardware: run.hardware(),
        }
    }

    /// A word of real memory.
    fn real_word(&self, address: u32) -> Option<u32> {
        self.run.machine().board.ram.read(address, Width::Word)
    }

    fn walk(&self, access: Access, address: u32) -> Walk {
        let tables = self.hardware.tables;
        let (own, real) = match tables {
            Tables::Own => (self.own(access, address), None),
            Tables::Validated => (self.real(access, address), None),
            Tables::None | Tables::Shadow { .. } | Tables::Nested => {
                (self.own(access, address), Some(self.real(access, address)))
            }
        };
        let (guest, host) = match own.end {
            Err(_) => (None, None),
            Ok(real) if tables == Tables::Validated => {
                let guest = self.view.guest_page(real / PAGE);
                (guest.map(|page| page * PAGE + real % PAGE), Some(real))
            }
            Ok(guest) => {
                let host = self.view.host_page(guest / PAGE);
                (Some(guest), host.map(|page| page * PAGE + guest % PAGE))
            }
        };
        let mut walk = Walk {
            address,
            access,
            ring: self.view.hart.ring(),
            linear: mmu::linear(&self.view.hart, address),
            own,
            real,
            tables,
            guest,
            host,
            sequel: Sequel::Reached,
        };
        walk.sequel = self.sequel(&walk);
        walk
    }

    /// What the guest's own processor would walk.
    fn own(&self, access: Access, address: u32) -> Path {
        let word = |address| self.view.word(address);
        let keeping = |frame| self.hardware.keeping(frame);
        path::walk(&self.view.hart, &word, &keeping, access, address)
    }

    /// What the real processor walks. Where the guest's tables are involved, they are found in real memory.
    fn real(&self, access: Access, address: u32) -> Path {
        let word = |address| self.real_word(address);
        let keeping = |_| match self.hardware.tables {
            Tables::Validated => Keeping::Validated,
            Tables::Nested => Keeping::Free,
            _ => Keeping::Monitor,
        };
        let hart = &self.hardware.hart;
        match self.hardware.tables {
            // As in a table without entries.
            Tables::Shadow { begun: false } => path::unbegun(hart, access, address),
            _ => path::walk(hart, &word, &keeping, access, address),
        }
    }

    fn sequel(&self, walk: &Walk) -> Sequel {
        let own = match (walk.own.end, walk.guest) {
            (Err(trap), _) => Err(trap),
            (Ok(_), guest) => Ok(guest),
        };
        match self.hardware.execution {
            Execution::Translated if walk.access == Access::Fetch => {
                return own.map_or_else(Sequel::Trap, |_| Sequel::Translated);
            }
            Execution::Emulated => return own.map_or_else(Sequel::Trap, |_| Sequel::Emulated),
            Execution::Direct | Execution::Translated => {}
        }
        // The first reference that the nested table lacks comes before everything that the guest's own tables say.
        let nested = walk.real.as_ref().and_then(|path| nested_fault(path.end));
        if nested.is_some_and(|lacking| self.view.host_page(lacking / PAGE).is_some()) {
            return Sequel::Filled;
        }
        let guest = match own {
            Err(trap) => return Sequel::Trap(trap),
            // A frame that is not the guest's own, but that the guest may use.
            Ok(None) => return Sequel::Reached,
            Ok(Some(guest)) => guest,
        };
        let real = walk.real.as_ref().map_or(Ok(guest), |path| path.end);
        match (real, walk.host) {
            (Ok(_), Some(_)) => Sequel::Reached,
            (_, None) => self.no_memory(walk, guest),
            (Err(trap), Some(_)) => self.missed(walk, guest, trap),
        }
    }

    /// The real processor does not find what the guest's own would.
    fn missed(&self, walk: &Walk, guest: u32, trap: Trap) -> Sequel {
        let limit = matches!(
            trap.cause,
            Cause::FetchAccess | Cause::LoadAccess | Cause::StoreAccess
        );
        let reason = self.hardware.traces(guest / PAGE);
        match reason.filter(|_| walk.access == Access::Store && !limit) {
            Some(reason) => Sequel::CarriedOut(reason),
            None if limit => Sequel::CarriedOut(AccessReason::AboveLimit),
            None => Sequel::Filled,
        }
    }

    /// The guest has no memory there: a device, or nothing.
    fn no_memory(&self, walk: &Walk, guest: u32) -> Sequel {
        match Register::from_address(guest).filter(|_| walk.access != Access::Fetch) {
            None => Sequel::Trap(walk.access.access_fault(walk.address)),
            // Its own device answers a guest that has the machine to itself.
            Some(_) if self.hardware.tables == Tables::Own => Sequel::Reached,
            Some(_) => Sequel::CarriedOut(AccessReason::Device),
        }
    }
}
