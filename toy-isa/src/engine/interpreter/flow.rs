//! Which results are at hand where: what handlers pass on to each other in place of registers.

use super::page::target;
use crate::instruction::Instruction;
use crate::table::Op;

/// How many results back a handler finds values: the last two come from the handler before, the others are its own.
pub(super) const DEPTH: usize = 5;
/// How many are passed on.
pub(super) const CARRIED: usize = 2;

/// The registers with the last results, the last one first; 0 where nothing is known.
pub(super) type History = [u8; DEPTH];

/// What is known of an instruction of a page, beside itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// What a handler does there; `None` if none does.
    pub(super) op: Option<Op>,
    /// The results at hand before it. Whoever arrives must bring the first [`CARRIED`].
    pub(super) history: History,
    /// How many results back its sources are; 0 where they have to be read.
    pub(super) back: (u8, u8),
    /// What the instruction before it leaves, if that is not what is wanted here, the head of a loop.
    pub(super) falls_in: Option<History>,
}

/// What is known of the instructions of a page.
pub(super) fn places(page: &[Option<Instruction>]) -> Vec<Place> {
    let ops: Vec<Option<Op>> = page
        .iter()
        .enumerate()
        .map(|(at, insn)| insn.and_then(|insn| simple(insn, at)))
        .collect();
    let results: Vec<u8> = page
        .iter()
        .zip(&ops)
        .map(|(insn, op)| match (insn, op) {
            (Some(insn), Some(op)) if has_result(*op) => insn.rd,
            _ => 0,
        })
        .collect();
    let jumps = nearest_jumps_back(page, &ops);
    let mut places: Vec<Place> = Vec::with_capacity(page.len());
    for at in 0..page.len() {
        let falls = at.checked_sub(1).filter(|before| goes_on(ops[*before]));
        let linear = falls.map_or([0; DEPTH], |before| {
            pushed(places[before].history, results[before])
        });
        let looped = jumps[at].map(|jump| around(at, jump, &ops, &results, &jumps));
        let history = looped.unwrap_or(linear);
        places.push(Place {
            op: ops[at],
            history,
            back: page[at].map_or((0, 0), |insn| {
                (back(&history, insn.rs1), back(&history, insn.rs2))
            }),
            falls_in: looped.filter(|history| *history != linear).map(|_| linear),
        });
    }
    places
}

/// Whether an instruction has a result that those after it may take over. What jumps leaves none.
pub(super) const fn has_result(op: Op) -> bool {
    !jumps(op) && !matches!(op, Op::Sb | Op::Sh | Op::Sw | Op::Fence)
}

/// Whether an instruction may go on elsewhere.
pub(super) const fn jumps(op: Op) -> bool {
    matches!(
        op,
        Op::Jal | Op::Jalr | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu
    )
}

/// Whether execution goes on with the instruction after it.
pub(super) fn goes_on(op: Option<Op>) -> bool {
    !matches!(op, None | Some(Op::Jal | Op::Jalr))
}

fn pushed(history: History, register: u8) -> History {
    if register == 0 {
        return history;
    }
    let mut new = history;
    new.copy_within(..DEPTH - 1, 1);
    new[0] = register;
    new
}

/// For each instruction, the nearest after it that jumps back to it.
fn nearest_jumps_back(page: &[Option<Instruction>], ops: &[Option<Op>]) -> Vec<Option<usize>> {
    let mut jumps = vec![None; page.len()];
    for (at, insn) in page.iter().enumerate().rev() {
        let Some(insn) = insn.filter(|insn| ops[at].is_some() && !links(*insn)) else {
            continue;
        };
        if let Some(target) = target(insn, at).filter(|target| *target <= at) {
            jumps[target] = Some(at);
        }
    }
    jumps
}

/// Whether a direct jump also writes a register.
fn links(insn: Instruction) -> bool {
    insn.op == Op::Jal && insn.rd != 0
}

/// What the `jump` back to `head` leaves, as far as what is executed between the two decides it.
fn around(head: usize, jump: usize, ops: &[Option<Op>], results: &[u8], jumps: &[Option<usize>]) -> History {
    let mut history = [0; DEPTH];
    let mut count = 0;
    for at in (head..jump).rev() {
        if count == CARRIED || !goes_on(ops[at]) || jumps[at + 1].is_some() {
            break;
        }
        if results[at] != 0 {
            history[count] = results[at];
            count += 1;
        }
    }
    history
}

/// The registers that a taken direct jump, which stands here, leaves at hand.
pub(super) fn left(place: &Place, insn: Instruction) -> History {
    place.history.map(|register| {
        if links(insn) && register == insn.rd {
            0
        } else {
            register
        }
    })
}

/// How far back in `history` the value of this register is; 0 if it is not there.
pub(super) fn back(history: &History, register: u8) -> u8 {
    let found = history.iter().position(|result| *result == register);
    found.filter(|_| register != 0).map_or(0, |found| found as u8 + 1)
}

/// What an instruction comes to, if a generic handler does it: it writes x0 only as `fence`, which does nothing.
fn simple(insn: Instruction, at: usize) -> Option<Op> {
    match insn.op {
        Op::Jalr => Some(insn.op),
        Op::Jal | Op::Beq | Op::Bne | Op::Blt | Op::Bge | Op::Bltu | Op::Bgeu => {
            target(insn, at).map(|_| insn.op)
        }
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu => (insn.rd != 0).then_some(insn.op),
        Op::Sb | Op::Sh | Op::Sw => Some(insn.op),
        Op::Fence | Op::FenceI => Some(Op::Fence),
        op if (op as u8) <= Op::Remu as u8 => Some(if insn.rd == 0 { Op::Fence } else { op }),
        _ => None,
    }
}
