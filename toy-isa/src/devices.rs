//! The devices of the board, and the two ways to reach them: ports and memory-mapped registers.
//!
//! Each device is a model of its own that knows nothing of how it is wired, so that the bare board and a
//! monitor's virtual board use the same ones. Time is the clock that the caller passes in.

mod console;
mod disk;
mod timer;

pub use console::Console;
pub use disk::{Disk, SECTOR, Transfer};
pub use timer::Timer;

/// Where memory-mapped device registers begin; everything below is RAM or nothing.
pub const MMIO: u32 = 0xf000_0000;

/// Interrupt lines, as bits of the low half of `irq`.
pub mod line {
    /// The timer has passed its deadline.
    pub const TIMER: u32 = 1;
    /// The disk has finished.
    pub const DISK: u32 = 2;
    /// The console has input.
    pub const CONSOLE: u32 = 4;
}

/// A device register: device number and register number.
///
/// Register r of device d is port `16 d + r`, and the memory word `0xf000_0000 + 0x1000 d + 4 r`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register {
    /// 0 console, 1 timer, 2 disk, 3 power.
    pub device: u32,
    /// Number within the device.
    pub index: u32,
}

impl Register {
    /// The register at this port; ports are 16 bits wide.
    pub fn from_port(port: u32) -> Register {
        let port = port & 0xffff;
        Register {
            device: port / 16,
            index: port % 16,
        }
    }

    /// The register at this physical address; `None` below [`MMIO`].
    pub fn from_address(address: u32) -> Option<Register> {
        let offset = address.checked_sub(MMIO)?;
        Some(Register {
            device: offset / 0x1000,
            index: offset % 0x1000 / 4,
        })
    }
}

/// Interrupt lines that are not a device's affair any more: whoever has taken the device over says when they are up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    /// Which.
    pub lines: u32,
    /// Of these, the pending ones.
    pub pending: u32,
}

/// All devices, with the interrupt controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Text in and out.
    pub console: Console,
    /// One deadline.
    pub timer: Timer,
    /// A block device.
    pub disk: Disk,
    /// The lines that may interrupt: the high half of `irq`.
    pub enabled: u32,
    /// Lines that somebody else drives in place of a device.
    pub driven: Driven,
    /// The exit code, once the power is off.
    pub power_off: Option<u32>,
    /// How many registers have been read or written, through ports or memory. For whoever counts; no program sees it.
    pub accesses: u64,
}

impl Devices {
    /// Devices at reset, with these contents of the disk and this waiting console input.
    pub fn new(disk: Vec<u8>, input: Vec<u8>) -> Devices {
        Devices {
            console: Console::new(input),
            timer: Timer::default(),
            disk: Disk::new(disk),
            enabled: 0,
            driven: Driven::default(),
            power_off: None,
            accesses: 0,
        }
    }

    /// Reads a register; `None` if there is no such register.
    pub fn read(&mut self, register: Register, clock: u64) -> Option<u32> {
        let value = match register.device {
            0 => self.console.read(register.index),
            1 => self.timer.read(register.index, clock),
            2 => self.disk.read(register.index),
            3 if register.index == 0 => Some(0),
            _ => None,
        }?;
        self.accesses += 1;
        Some(value)
    }

    /// Writes a register; `None` if there is no such register.
    pub fn write(&mut self, register: Register, value: u32, clock: u64) -> Option<()> {
        match register.device {
            0 => self.console.write(register.index, value),
            1 => self.timer.write(register.index, value, clock),
            2 => self.disk.write(register.index, value, clock),
            3 if register.index == 0 => {
                self.power_off = Some(value);
                Some(())
            }
            _ => None,
        }?;
        self.accesses += 1;
        Some(())
    }

    /// The pending lines.
    pub fn lines(&self, clock: u64) -> u32 {
        let timer = if self.timer.pending(clock) { line::TIMER } else { 0 };
        let disk = if self.disk.done() { line::DISK } else { 0 };
        let console = if self.console.waiting() { line::CONSOLE } else { 0 };
        (timer | disk | console) & !self.driven.lines | self.driven.pending
    }

    /// The lines that are pending and enabled.
    pub fn wanted(&self, clock: u64) -> u32 {
        self.lines(clock) & self.enabled
    }

    /// The `irq` register.
    pub fn irq(&self, clock: u64) -> u32 {
        self.lines(clock) | self.enabled << 16
    }

    /// Writes the `irq` register: only the enables in its high half change.
    pub fn set_irq(&mut self, value: u32) {
        self.enabled = value >> 16;
    }

    /// The next clock value at which a device does something of itself, later than `clock`.
    pub fn next_event(&self, clock: u64) -> Option<u64> {
        let timer = self.timer.deadline().filter(|at| *at > clock);
        [timer, self.disk.due()].into_iter().flatten().min()
    }

    /// The next clock value at which an *enabled* line will become pending: what `wfi` waits for.
    pub fn next_wake(&self) -> Option<u64> {
        let timer = self.timer.deadline().filter(|_| self.enabled & line::TIMER != 0);
        let disk = self.disk.due().filter(|_| self.enabled & line::DISK != 0);
        [timer, disk].into_iter().flatten().min()
    }
}
