//! Several guests of scenarios under one monitor.

use vmm_core::check::crowd;

use crate::Scenario;

/// What runs beside each other.
#[derive(Clone, Debug)]
pub struct Crowd {
    /// How many of the scenario's own guest.
    pub guests: u32,
    /// Weights, dealt to the guests in turn, to the others last; all the same if there are none.
    pub weights: Vec<u32>,
    /// Other scenarios: one guest of each. They are run on the machine of the scenario that names them.
    pub beside: Vec<Scenario>,
    /// What an exit costs in fuel.
    pub exit_fuel: u64,
}

impl Crowd {
    /// How many guests there are unless somebody says how many.
    pub const DEFAULT_GUESTS: u32 = 8;
}

impl Scenario {
    /// The guests of its crowd, as they are run.
    pub fn members(&self) -> crowd::Crowd {
        let others = self.crowd.beside.iter().map(|other| {
            let mut setup = other.setup.clone();
            setup.profile = self.setup.profile.clone();
            (other.name.clone(), setup)
        });
        let own = (0..self.crowd.guests).map(|_| 0);
        let weights = self.crowd.weights.iter().copied().cycle();
        // `cycle` of nothing is nothing.
        let weights = weights.chain(std::iter::repeat(1));
        crowd::Crowd {
            kinds: std::iter::once((self.name.clone(), self.setup.clone()))
                .chain(others)
                .collect(),
            members: own.chain(1..=self.crowd.beside.len()).zip(weights).collect(),
        }
    }
}
