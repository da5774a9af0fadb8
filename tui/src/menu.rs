//! The menu of modes: the same guest, at the same instruction, by another method.

use vmm_core::mode::ModeName;

use crate::session::Session;

/// Modes to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Menu {
    /// All modes; where one cannot run this guest here, why.
    pub modes: Vec<(ModeName, Option<String>)>,
    /// The one that is selected.
    pub selected: usize,
}

impl Menu {
    /// The modes for this session's guest, its own selected.
    pub fn new(session: &Session) -> Menu {
        let setup = &session.scenario.setup;
        let why_not = |mode: ModeName| {
            if !mode.runs_on(&setup.profile) {
                return Some("needs a machine of profile assist".to_string());
            }
            if !mode.runs_with(setup.image.registers) {
                return Some("runs only programs for sixteen registers".to_string());
            }
            if mode == ModeName::Para && !setup.runs_port(mode) {
                return Some("needs a guest that was ported".to_string());
            }
            mode.missing().map(|why| why.to_string())
        };
        let modes = ModeName::ALL.map(|mode| (mode, why_not(mode)));
        Menu {
            selected: modes
                .iter()
                .position(|(mode, _)| *mode == session.mode)
                .unwrap_or(0),
            modes: modes.into(),
        }
    }

    /// Selects another one: so many further, and at an end no further.
    pub fn go(&mut self, by: isize) {
        let last = self.modes.len() - 1;
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}
