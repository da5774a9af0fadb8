//! What the real processor has to go by when it runs a guest.

use toy_isa::hart::Hart;

use super::Keeping;
use crate::event::AccessReason;
use crate::modes::para::pages::Pages;
use crate::modes::trap::shadow::Shadow;

/// Which tables the real processor walks for the guest's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// The guest's own, as the guest has them. So does who emulates the processor.
    Own,
    /// The guest's own, which hold real addresses, because the monitor validates them.
    Validated,
    /// Shadows of the guest's own, which the monitor keeps.
    Shadow {
        /// Whether the one of the guest's present address space is there. If not, it will be when the guest is resumed.
        begun: bool,
    },
    /// The guest's own, and behind them one of the monitor's.
    Nested,
    /// None: there is only relocation, and a limit.
    None,
}

/// Who executes the guest's instructions in its present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// The processor, as they stand.
    Direct,
    /// The processor, as what was made of them.
    Translated,
    /// The monitor's own code.
    Emulated,
}

/// The real processor and its tables, for a guest in its present state.
pub struct Hardware<'a> {
    /// The processor, as it runs the guest.
    pub hart: Hart,
    /// What it walks.
    pub tables: Tables,
    /// What it executes.
    pub execution: Execution,
    /// The shadow tables, where there are any.
    pub shadow: Option<&'a Shadow>,
    /// The types of the guest's frames, where the monitor validates its tables.
    pub pages: Option<&'a Pages>,
}

impl<'a> Hardware<'a> {
    /// A guest that has its processor to itself, be it real or emulated.
    pub fn own(hart: Hart, execution: Execution) -> Hardware<'a> {
        Hardware {
            hart,
            tables: Tables::Own,
            execution,
            shadow: None,
            pages: None,
        }
    }

    /// A processor in this state, on the shadow table at the physical address `root`, if it is there.
    pub fn shadow(hart: Hart, shadow: &'a Shadow, root: Option<u32>) -> Hardware<'a> {
        Hardware {
            hart,
            tables: Tables::Shadow {
                begun: root.is_some(),
            },
            execution: Execution::Direct,
            shadow: Some(shadow),
            pages: None,
        }
    }

    /// What the monitor does for an entry of a table in this frame of the guest's.
    pub(super) fn keeping(&self, guest_frame: u32) -> Keeping {
        match self.traces(guest_frame) {
            Some(_) => Keeping::Traced,
            None => Keeping::Free,
        }
    }

    /// Why stores to this frame of the guest's trap, if they do.
    pub(super) fn traces(&self, guest_frame: u32) -> Option<AccessReason> {
        let shadow = self.shadow.filter(|shadow| shadow.traces(guest_frame))?;
        Some(match shadow.holds_code(guest_frame) {
            true => AccessReason::Code,
            false => AccessReason::Traced,
        })
    }
}
