//! The timer: one deadline on the clock.

/// A timer that is off until it is given a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    /// What was written, which is what is read back.
    value: u32,
    deadline: Option<u64>,
}

impl Timer {
    /// Arms it for the next clock value, from `clock` on, whose low word is `value`; 0 turns it off.
    pub fn set(&mut self, value: u32, clock: u64) {
        self.value = value;
        let wait = u64::from(value.wrapping_sub(clock as u32));
        self.deadline = (value != 0).then(|| clock + wait);
    }

    /// What was last written.
    pub fn value(&self) -> u32 {
        self.value
    }

    /// The clock value of the deadline, past or to come.
    pub fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// Whether the deadline has been reached.
    pub fn pending(&self, clock: u64) -> bool {
        self.deadline.is_some_and(|at| at <= clock)
    }

    pub(super) fn read(&self, index: u32, clock: u64) -> Option<u32> {
        match index {
            0 => Some(clock as u32),
            1 => Some((clock >> 32) as u32),
            2 => Some(self.value),
            _ => None,
        }
    }

    pub(super) fn write(&mut self, index: u32, value: u32, clock: u64) -> Option<()> {
        match index {
            0 | 1 => {}
            2 => self.set(value, clock),
            _ => return None,
        }
        Some(())
    }
}
