//! The board as one looks at it who wants to know what an access would reach, and to change nothing.

use toy_isa::bus::{Bus, Pace, Width};
use toy_isa::devices::Devices;
use toy_isa::machine::{Board, Machine};
use toy_isa::mmu::{self, Access, PAGE, Tlb};
use toy_isa::profile::Profile;

/// The physical page that accesses of this kind to a page of addresses reach, if they do and leave no mark that is not
/// there yet. Its tables are watched from now on.
pub(super) fn reached(machine: &mut Machine, access: Access, page: u32) -> Option<u32> {
    let Machine { hart, board, .. } = machine;
    let address = page * PAGE;
    let linear = mmu::linear(hart, address);
    mmu::translate_linear(hart, &mut Quiet(board), access, address, linear).ok()
}

struct Quiet<'a>(&'a mut Board);

impl Bus for Quiet<'_> {
    fn profile(&self) -> &Profile {
        self.0.profile()
    }

    fn pace(&mut self) -> &mut Pace {
        self.0.pace()
    }

    fn devices(&mut self) -> &mut Devices {
        self.0.devices()
    }

    fn read(&mut self, address: u32, width: Width) -> Option<u32> {
        self.0.read(address, width)
    }

    fn write(&mut self, _: u32, _: Width, _: u32) -> Option<()> {
        None
    }

    fn mark(&mut self, _: u32, _: u32) -> Option<()> {
        None
    }

    /// Each answer is that of the tables themselves.
    fn tlb(&mut self) -> Option<&mut Tlb> {
        None
    }

    fn walked(&mut self, address: u32) {
        self.0.walked(address);
    }

    fn translated(&mut self, _: u32, _: u32) {}
}
