//! The disk: sectors, direct memory access, a completion interrupt.

use std::sync::Arc;

/// Bytes in a sector.
pub const SECTOR: u32 = 512;

/// Ticks from a command to its completion, before the first sector.
const LATENCY: u64 = 400;
/// Ticks for each sector.
const LATENCY_PER_SECTOR: u64 = 100;

/// Status bits.
const BUSY: u32 = 1;
const DONE: u32 = 2;
const FAILED: u32 = 4;

/// A disk, with one command at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    // Copies of a machine share it until one of them writes.
    data: Arc<Vec<u8>>,
    sector: u32,
    address: u32,
    count: u32,
    status: u32,
    /// The running command: when it is due, and whether it writes to the disk.
    running: Option<(u64, bool)>,
}

/// A transfer that is due: the board moves the bytes, because only it knows the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Physical address of the buffer.
    pub address: u32,
    /// From this byte of the disk on.
    pub offset: usize,
    /// How many bytes.
    pub length: u32,
    /// From memory to the disk, not the other way.
    pub to_disk: bool,
}

impl Disk {
    /// A disk with this contents, filled up to a whole sector.
    pub fn new(mut data: Vec<u8>) -> Disk {
        data.resize(data.len().next_multiple_of(SECTOR as usize), 0);
        Disk {
            data: Arc::new(data),
            sector: 0,
            address: 0,
            count: 0,
            status: 0,
            running: None,
        }
    }

    /// The contents.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The contents, for the board to move a transfer into.
    pub fn data_mut(&mut self) -> &mut [u8] {
        Arc::make_mut(&mut self.data).as_mut_slice()
    }

    /// When the running command will finish.
    pub fn due(&self) -> Option<u64> {
        self.running.map(|(at, _)| at)
    }

    /// Whether a finished command waits to be acknowledged: the interrupt line.
    pub fn done(&self) -> bool {
        self.status & DONE != 0
    }

    /// Takes the transfer that is due at `clock`: `Some(Ok)` to be moved and then reported with
    /// [`Disk::finish`], `Some(Err(()))` if it lies outside the disk and has to be reported as failed.
    pub fn take_due(&mut self, clock: u64) -> Option<Result<Transfer, ()>> {
        let (_, to_disk) = self.running.take_if(|(at, _)| *at <= clock)?;
        let end = u64::from(self.sector) + u64::from(self.count);
        if self.count == 0 || end > u64::from(self.capacity()) {
            return Some(Err(()));
        }
        // The product fits: the transfer lies inside the disk.
        let (offset, length) = ((self.sector * SECTOR) as usize, self.count * SECTOR);
        Some(Ok(Transfer {
            address: self.address,
            offset,
            length,
            to_disk,
        }))
    }

    /// Reports the outcome of a transfer.
    pub fn finish(&mut self, moved: bool) {
        self.status = if moved { DONE } else { DONE | FAILED };
    }

    fn capacity(&self) -> u32 {
        self.data.len() as u32 / SECTOR
    }

    pub(super) fn read(&self, index: u32) -> Option<u32> {
        Some(match index {
            0 => self.sector,
            1 => self.address,
            2 => self.count,
            3 => 0,
            4 => self.status,
            5 => self.capacity(),
            _ => return None,
        })
    }

    pub(super) fn write(&mut self, index: u32, value: u32, clock: u64) -> Option<()> {
        let idle = self.running.is_none();
        match index {
            0 if idle => self.sector = value,
            1 if idle => self.address = value,
            2 if idle => self.count = value,
            3 if idle && (value == 1 || value == 2) => {
                let wait = LATENCY + LATENCY_PER_SECTOR * u64::from(self.count);
                self.running = Some((clock + wait, value == 2));
                self.status = BUSY;
            }
            4 => self.status &= BUSY,
            0..=3 | 5 => {}
            _ => return None,
        }
        Some(())
    }
}
