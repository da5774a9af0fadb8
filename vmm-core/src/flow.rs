//! Flow: the way of control through a chain of events, as arrows between lanes, and in one sentence of plain words.
//!
//! Everything here is read off the events; no machine is asked. Where the guest believes to be in another ring than the
//! processor is, both are named: the real one, and the *virtual* one.

mod arrows;
mod doings;
mod sentence;

use crate::chain::Chain;
use crate::mode::ModeName;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;

/// Who can have control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The guest's programs, in its ring 3.
    User,
    /// The guest's kernel, in its other rings.
    Kernel,
    /// The monitor.
    Monitor,
    /// The processor.
    Hardware,
}

impl Lane {
    /// All of them, in the order in which they are drawn.
    pub const ALL: [Lane; 4] = [Lane::User, Lane::Kernel, Lane::Monitor, Lane::Hardware];

    /// The guest in this ring of its own.
    pub fn of_ring(ring: u32) -> Lane {
        if ring == 3 { Lane::User } else { Lane::Kernel }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Lane::User => "guest user",
            Lane::Kernel => "guest kernel",
            Lane::Monitor => "monitor",
            Lane::Hardware => "hardware",
        }
    }

    /// Where under this mode it really is, in at most twelve characters.
    pub fn whereabouts(self, mode: ModeName) -> &'static str {
        match (self, Kind::of(mode), mode) {
            (Lane::Hardware, Kind::Emulated, _) => "not asked",
            (Lane::Hardware, ..) => "",
            (Lane::Monitor, Kind::Bare, _) => "none",
            (Lane::Monitor, Kind::Emulated, _) => "emulates",
            (Lane::Monitor, Kind::Assisted, _) => "root ring 0",
            (Lane::Monitor, Kind::Hosted, _) => "real ring 0",
            (Lane::User | Lane::Kernel, Kind::Emulated, _) => "emulated",
            (Lane::User, Kind::Bare, _) => "ring 3",
            (Lane::Kernel, Kind::Bare, _) => "ring 0",
            (Lane::User, Kind::Assisted, _) => "non-root 3",
            (Lane::Kernel, Kind::Assisted, _) => "non-root 0",
            (Lane::User, Kind::Hosted, ModeName::Translate(Scope::Everything)) => "translated",
            (Lane::User, Kind::Hosted, _) => "real ring 3",
            (Lane::Kernel, Kind::Hosted, ModeName::Trap(Layout::RingCompression)) => "real ring 3",
            (Lane::Kernel, Kind::Hosted, ModeName::Translate(_)) => "translated",
            (Lane::Kernel, Kind::Hosted, ModeName::Hybrid) => "interpreted",
            (Lane::Kernel, Kind::Hosted, _) => "real ring 1",
        }
    }
}

/// Control passes on, or stays and something is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Who had control.
    pub from: Lane,
    /// Who has it then.
    pub to: Lane,
    /// By what, in a few words.
    pub label: String,
    /// The number of the event that tells of it.
    pub event: u64,
}

/// The way of control through a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// From lane to lane, each from where the one before ended.
    pub arrows: Vec<Arrow>,
    /// All of it in one sentence. What stands between stars is to be stressed, between backquotes is a name of the
    /// machine's.
    pub sentence: String,
}

impl Flow {
    /// Of a chain in a run under this mode.
    pub fn of(chain: &Chain, mode: ModeName) -> Flow {
        Flow {
            arrows: arrows::of(chain, mode),
            sentence: sentence::of(chain, mode),
        }
    }
}

/// Who plays the hardware for the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The hardware itself.
    Bare,
    /// The monitor, by emulation.
    Emulated,
    /// The hardware, in non-root operation, as far as the monitor lets it.
    Assisted,
    /// The monitor, whenever the hardware traps to it.
    Hosted,
}

impl Kind {
    fn of(mode: ModeName) -> Kind {
        match mode {
            ModeName::Bare => Kind::Bare,
            ModeName::Interpret | ModeName::Jit => Kind::Emulated,
            ModeName::Assist(_) | ModeName::Kvm => Kind::Assisted,
            ModeName::Trap(_)
            | ModeName::Translate(_)
            | ModeName::Para
            | ModeName::Hybrid
            | ModeName::Hundred => Kind::Hosted,
        }
    }

    /// Who takes the guest's own traps.
    fn processor(self) -> Lane {
        match self {
            Kind::Emulated => Lane::Monitor,
            Kind::Bare | Kind::Assisted | Kind::Hosted => Lane::Hardware,
        }
    }

    /// Whether the guest's own traps and returns are not the software's affair.
    fn takes_its_own_traps(self) -> bool {
        self != Kind::Hosted
    }
}
