//! The console: a stream of bytes out, and a stream of bytes in that is there from the beginning.

use std::sync::Arc;

/// A console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Console {
    // Copies of a machine share it until one of them prints.
    output: Arc<Vec<u8>>,
    input: Arc<[u8]>,
    taken: usize,
}

impl Console {
    /// The most that a run may print, in bytes; what comes after is dropped, so that a guest cannot fill the
    /// host's memory.
    pub const LIMIT: usize = 4 << 20;

    /// A console with this waiting input.
    pub fn new(input: Vec<u8>) -> Console {
        Console {
            output: Arc::default(),
            input: input.into(),
            taken: 0,
        }
    }

    /// What was printed so far. It is the guest's: escape it before it reaches a terminal.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Whether input is waiting.
    pub fn waiting(&self) -> bool {
        self.taken < self.input.len()
    }

    /// Prints one byte.
    pub fn print(&mut self, byte: u8) {
        if self.output.len() < Console::LIMIT {
            Arc::make_mut(&mut self.output).push(byte);
        }
    }

    pub(super) fn read(&mut self, index: u32) -> Option<u32> {
        match index {
            0 => Some(match self.input.get(self.taken) {
                Some(byte) => {
                    self.taken += 1;
                    u32::from(*byte)
                }
                None => u32::MAX,
            }),
            1 => Some(2 | u32::from(self.waiting())),
            _ => None,
        }
    }

    pub(super) fn write(&mut self, index: u32, value: u32) -> Option<()> {
        match index {
            0 => self.print(value as u8),
            1 => {}
            _ => return None,
        }
        Some(())
    }
}
