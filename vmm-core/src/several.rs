//! Several guests under one monitor: each has its own clock and its own part of memory, and gets its share of the
//! processor.
//!
//! A guest pays for what it uses: one unit of fuel for an instruction that retires, and a fixed price ([`EXIT_FUEL`],
//! unless another is set) for each time that the monitor has to do something for it. So a guest that traps all the
//! time does not get more of the real processor than one that computes. Whoever has used the least fuel for its weight
//! is next (stride scheduling: Waldspurger and Weihl 1995). A guest is switched only where the monitor has control,
//! which is at the latest after a quantum, whatever the guest does.

mod turns;

use std::cmp::Ordering;

use toy_isa::engine::Engine;
use toy_isa::machine::{Ledger, Machine};

use crate::check::{resource, streams};
use crate::counts::Counts;
use crate::engine::EngineName;
use crate::event::{Delivery, Log};
use crate::guest::GuestView;
use crate::mode::{Answer, End, Exit, Mode, ModeName, Notes, Sync};
use crate::modes::estate::Estate;
use crate::modes::para::look::Interface;
use crate::setup::{Setup, StartError};

pub use turns::{Turn, Turns};

/// What an exit costs a guest in fuel, beside the instructions that retire: about what trap-and-emulate spends on one.
pub const EXIT_FUEL: u64 = 200;

/// How much fuel a guest may use before another is asked, if it gives the monitor control by then.
pub const TURN: u64 = 2_048;

/// One of several guests.
pub struct Tenant {
    /// How large its share is, relative to the others'.
    pub weight: u32,
    /// The fuel that it has used.
    pub used: u64,
    /// How often it was given the processor.
    pub turns: u64,
    /// How often it paid for an exit, or for a trap that its monitor came upon while it interpreted.
    pub exits: u64,
    /// What was counted while it had it.
    pub counts: Counts,
    /// The codes with which its processes ended themselves, in the order of their ends.
    pub exit_codes: Vec<u32>,
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
    /// What an exit costs in fuel: at least 1, or a guest that does nothing but trap would never end its turn.
    exit_fuel: u64,
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
        Several::on(machine, estates, setups, weights, mode, engine)
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
            let setup = Setup {
                quantum: TURN,
                ..setup.clone()
            };
            guests.push(Tenant {
                weight: weights.get(index).copied().unwrap_or(1).max(1),
                used: 0,
                turns: 0,
                exits: 0,
                counts: Counts::default(),
                exit_codes: Vec::new(),
                ended: None,
                mode: mode.settle(&setup, &mut machine, estate)?,
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
        machine.board.observer.ledger = Some(Ledger {
            owners,
            ..Ledger::default()
        });
        Ok(Several {
            machine,
            engine: engine.build(true)?,
            guests,
            last: None,
            exit_fuel: EXIT_FUEL,
        })
    }

    /// Sets what an exit costs in fuel, which is at least 1.
    pub fn set_exit_fuel(&mut self, fuel: u64) {
        self.exit_fuel = fuel.max(1);
    }

    /// The guests, in the order in which they were given.
    pub fn guests(&self) -> &[Tenant] {
        &self.guests
    }

    /// A guest as it sees itself.
    pub fn guest(&self, index: usize) -> Option<GuestView<'_>> {
        Some(self.guests.get(index)?.mode.guest(&self.machine))
    }

    /// What passes between a guest and its monitor beside hypercalls, where the guest knows of it.
    pub fn interface(&self, index: usize) -> Option<Interface> {
        self.guests.get(index)?.mode.interface(&self.machine)
    }

    /// The run queue: the guests that have not ended, in the order in which each would be next if the others did not
    /// move.
    pub fn queue(&self) -> Vec<usize> {
        let mut queue: Vec<usize> = (0..self.guests.len())
            .filter(|index| self.guests[*index].ended.is_none())
            .collect();
        queue.sort_by(|a, b| self.guests[*a].before(&self.guests[*b]));
        queue
    }

    /// Who had the processor last.
    pub fn last(&self) -> Option<usize> {
        self.last
    }

    /// What an exit costs in fuel.
    pub fn exit_fuel(&self) -> u64 {
        self.exit_fuel
    }

    /// The real machine.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Runs until every guest has ended, or `fuel` has been used by all of them together.
    pub fn run(&mut self, fuel: u64) {
        let end = self.used().saturating_add(fuel);
        while self.used() < end && self.turn().is_some() {}
    }

    /// Gives a turn to the guest that has used the least fuel for its weight, and says which it was; `None` if all have
    /// ended.
    pub fn turn(&mut self) -> Option<usize> {
        let (index, _) = self
            .guests
            .iter()
            .enumerate()
            .filter(|(_, guest)| guest.ended.is_none())
            .min_by(|(_, a), (_, b)| a.before(b))?;
        self.give(index);
        Some(index)
    }

    /// Ends a guest that has not ended by itself: it gets no turn any more.
    pub fn stop(&mut self, index: usize) {
        if let Some(guest) = self.guests.get_mut(index) {
            guest.ended.get_or_insert(End::Budget);
        }
    }

    /// The fuel that all guests have used.
    pub fn used(&self) -> u64 {
        self.guests.iter().map(|guest| guest.used).sum()
    }

    /// Gives the processor to a guest until its turn is over and the monitor has control.
    fn give(&mut self, index: usize) {
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
        let (before, used_before, exits_before) = (retired(guest, machine), guest.used, guest.exits);
        let mut log = Log::new(0);
        while guest.ended.is_none() {
            let mut notes = Notes {
                log: &mut log,
                counts: &mut guest.counts,
            };
            // A monitor that interprets has no timer to come back by.
            let exit = guest.mode.resume(machine, &mut *self.engine, TURN, &mut notes);
            match exit {
                Exit::Hardware(trap) => {
                    guest.exits += 1;
                    match guest.mode.answer(machine, trap, &mut notes) {
                        Answer::Resume => {}
                        Answer::Sync(sync) => guest.note(sync, machine),
                        Answer::End(end) => guest.ended = Some(end),
                    }
                }
                Exit::Virtual(sync, how) => {
                    // A trap that the monitor came upon while it interpreted is as dear as one of the hardware.
                    guest.exits += u64::from(how == Delivery::Reflected);
                    guest.note(sync, machine);
                }
                Exit::Fuel => {}
                Exit::End(end) => guest.ended = Some(end),
            }
            let exits = (guest.exits - exits_before) * self.exit_fuel;
            guest.used = used_before + exits + (retired(guest, machine) - before);
            let monitor_has_control = machine.hart.world() == 0;
            if guest.used - used_before >= TURN && monitor_has_control {
                return;
            }
        }
    }
}

impl Tenant {
    /// Who has used less for his weight comes first.
    fn before(&self, other: &Tenant) -> Ordering {
        let own = u128::from(self.used) * u128::from(other.weight);
        own.cmp(&(u128::from(other.used) * u128::from(self.weight)))
    }

    /// A copy that goes its own way from here, on a copy of the machine.
    fn copy(&self) -> Tenant {
        Tenant {
            weight: self.weight,
            used: self.used,
            turns: self.turns,
            exits: self.exits,
            counts: self.counts.clone(),
            exit_codes: self.exit_codes.clone(),
            ended: self.ended,
            mode: self.mode.copy(),
        }
    }

    /// Notes what a user of the system has of a change of hands: the end of a process.
    fn note(&mut self, sync: Sync, machine: &Machine) {
        let code = streams::process_exit(sync, || self.mode.guest(machine));
        self.exit_codes.extend(code);
    }
}

#[cfg(test)]
mod tests;
