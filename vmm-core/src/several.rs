//! Several guests under one monitor: each has its own clock and its own part of memory, and gets its share of the
//! processor.
//!
//! A guest pays for what it uses: one unit of fuel for an instruction that retires, and [`EXIT_FUEL`] for each
//! time that the monitor has to do something for it. So a guest that traps all the time does not get more of the real
//! processor than one that computes. Whoever has used the least fuel for its weight is next (stride scheduling:
//! Waldspurger and Weihl 1995). A guest is switched only where the monitor has control, which is at the latest after a
//! quantum, whatever the guest does.

use toy_isa::engine::{Engine, EngineName};
use toy_isa::machine::{Ledger, Machine};

use crate::check::resource;
use crate::counts::Counts;
use crate::event::Log;
use crate::guest::GuestView;
use crate::mode::{Answer, End, Exit, Mode, ModeName, Notes};
use crate::modes::estate::Estate;
use crate::setup::{Setup, StartError};

/// What an exit costs a guest in fuel, beside the instructions that retire: about what trap-and-emulate spends on one.
pub const EXIT_FUEL: u64 = 200;

/// How much fuel a guest may use before another is asked, if it gives the monitor control by then.
const TURN: u64 = 2_048;

/// One of several guests.
pub struct Tenant {
    /// How large its share is, relative to the others'.
    pub weight: u32,
    /// The fuel that it has used.
    pub used: u64,
    /// How often it was given the processor.
    pub turns: u64,
    /// What was counted while it had it.
    pub counts: Counts,
    /// How it ended, if it has.
    pub ended: Option<End>,
    mode: Box<dyn Mode>,
}

/// A machine, a monitor for each guest on it, and the guests.
pub struct Several {
    machine: Machine,
    engine: Box<dyn Engine>,
    guests: Vec<Tenant>,
    /// Who had the processor last.
    last: Option<usize>,
}

impl Several {
    /// These guests at power-on under one mode, each with its weight, which is at least 1.
    ///
    /// # Errors
    /// If a guest cannot be started, or if there is not enough memory in a machine for all of them.
    pub fn new(
        setups: &[Setup],
        weights: &[u32],
        mode: ModeName,
        engine: EngineName,
    ) -> Result<Several, StartError> {
        let (machine, estates) = Estate::several(setups)?;
        let setups: Vec<Setup> = setups
            .iter()
            .map(|setup| Setup {
                quantum: TURN,
                ..setup.clone()
            })
            .collect();
        Several::on(machine, estates, &setups, weights, mode, engine)
    }

    /// As [`Several::new`], on a machine whose memory somebody else has dealt.
    ///
    /// # Errors
    /// If a guest cannot be started.
    pub fn on(
        mut machine: Machine,
        estates: Vec<Estate>,
        setups: &[Setup],
        weights: &[u32],
        mode: ModeName,
        engine: EngineName,
    ) -> Result<Several, StartError> {
        let mut guests = Vec::new();
        for (index, (setup, estate)) in setups.iter().zip(estates).enumerate() {
            guests.push(Tenant {
                weight: weights.get(index).copied().unwrap_or(1).max(1),
                used: 0,
                turns: 0,
                counts: Counts::default(),
                ended: None,
                mode: mode.settle(setup, &mut machine, estate)?,
            });
        }
        let mut owners = vec![0; machine.board.ram.pages() as usize];
        for (number, guest) in (1..).zip(&guests) {
            resource::enter(
                &mut owners,
                number,
                &guest.mode.guest(&machine),
                &guest.mode.lent(),
            );
        }
        machine.board.observer.ledger = Some(Ledger { owners, running: 0 });
        Ok(Several {
            machine,
            engine: engine.build(),
            guests,
            last: None,
        })
    }

    /// The guests, in the order in which they were given.
    pub fn guests(&self) -> &[Tenant] {
        &self.guests
    }

    /// A guest as it sees itself.
    pub fn guest(&self, index: usize) -> Option<GuestView<'_>> {
        Some(self.guests.get(index)?.mode.guest(&self.machine))
    }

    /// The real machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Runs until every guest has ended, or `fuel` has been used by all of them together.
    pub fn run(&mut self, fuel: u64) {
        let end = self.used().saturating_add(fuel);
        while self.used() < end {
            let next = self
                .guests
                .iter()
                .enumerate()
                .filter(|(_, guest)| guest.ended.is_none())
                .min_by(|(_, a), (_, b)| {
                    let a_first = u128::from(a.used) * u128::from(b.weight);
                    a_first.cmp(&(u128::from(b.used) * u128::from(a.weight)))
                });
            match next {
                Some((index, _)) => self.turn(index),
                None => return,
            }
        }
    }

    /// The fuel that all guests have used.
    pub fn used(&self) -> u64 {
        self.guests.iter().map(|guest| guest.used).sum()
    }

    /// Gives the processor to a guest until its turn is over and the monitor has control.
    fn turn(&mut self, index: usize) {
        let machine = &mut self.machine;
        let guest = &mut self.guests[index];
        if self.last != Some(index) {
            self.last = Some(index);
            // The address spaces are others, and so is whose the frames are.
            machine.board.tlb.fence(None);
            if let Some(ledger) = &mut machine.board.observer.ledger {
                ledger.running = index as u16 + 1;
            }
        }
        guest.turns += 1;
        let retired = |guest: &Tenant, machine: &Machine| guest.mode.guest(machine).pace.retired();
        let (before, used_before) = (retired(guest, machine), guest.used);
        let mut exits = 0;
        let mut log = Log::new(0);
        while guest.ended.is_none() {
            let mut notes = Notes {
                log: &mut log,
                counts: &mut guest.counts,
            };
            let exit = guest
                .mode
                .resume(machine, &mut *self.engine, u64::MAX, &mut notes);
            match exit {
                Exit::Hardware(trap) => {
                    exits += EXIT_FUEL;
                    if let Answer::End(end) = guest.mode.answer(machine, trap, &mut notes) {
                        guest.ended = Some(end);
                    }
                }
                Exit::End(end) => guest.ended = Some(end),
                Exit::Virtual(..) | Exit::Fuel => continue,
            }
            guest.used = used_before + exits + (retired(guest, machine) - before);
            if guest.used - used_before >= TURN {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
