//! Physical memory, with a few bits of bookkeeping for each page.

use crate::bus::Width;
use crate::mmu::PAGE;

/// Flags of a page. A store to a page with no flag costs one look at its byte; a store to any other tells the
/// board, which acts on the flags.
pub mod flag {
    /// Nothing has been stored since the observer last looked.
    pub const CLEAN: u8 = 1;
    /// An engine holds decoded code of the page.
    pub const CODE: u8 = 2;
    /// A walk has read page-table entries here.
    pub const TABLE: u8 = 4;
}

/// Random-access memory from physical address 0.
#[derive(Clone)]
pub struct Ram {
    bytes: Vec<u8>,
    flags: Vec<u8>,
    /// From this address on, no page has ever had flags.
    flagged: u32,
    /// See [`Ram::raised`].
    raised: u64,
}

impl Ram {
    /// The most that a machine may have, in bytes.
    pub const LIMIT: u32 = 1 << 30;

    /// `size` bytes of zeros, rounded up to whole pages.
    ///
    /// # Panics
    /// If `size` is above [`Ram::LIMIT`]; callers that take sizes from users check first.
    pub fn new(size: u32) -> Ram {
        assert!(size <= Ram::LIMIT, "memory size is checked where it enters");
        let pages = size.div_ceil(PAGE) as usize;
        Ram {
            bytes: vec![0; pages * PAGE as usize],
            flags: vec![0; pages],
            flagged: 0,
            raised: 0,
        }
    }

    /// In bytes, a multiple of the page size.
    pub fn size(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Number of pages.
    pub fn pages(&self) -> u32 {
        self.flags.len() as u32
    }

    /// An aligned read, zero-extended; `None` outside memory.
    #[inline]
    pub fn read(&self, address: u32, width: Width) -> Option<u32> {
        let at = address as usize;
        Some(match width {
            Width::Byte => u32::from(*self.bytes.get(at)?),
            Width::Half => u32::from(u16::from_le_bytes(self.bytes.get(at..at + 2)?.try_into().ok()?)),
            Width::Word => u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?),
        })
    }

    /// An aligned write. Returns the flags of the page, on which the caller acts; `None` outside memory.
    #[inline]
    pub fn write(&mut self, address: u32, width: Width, value: u32) -> Option<u8> {
        let at = address as usize;
        match width {
            Width::Byte => *self.bytes.get_mut(at)? = value as u8,
            Width::Half => self
                .bytes
                .get_mut(at..at + 2)?
                .copy_from_slice(&(value as u16).to_le_bytes()),
            Width::Word => self
                .bytes
                .get_mut(at..at + 4)?
                .copy_from_slice(&value.to_le_bytes()),
        }
        Some(self.flags[at / PAGE as usize])
    }

    /// The bytes of `length` from `address`; `None` if not all of them are memory.
    pub fn slice(&self, address: u32, length: u32) -> Option<&[u8]> {
        self.bytes
            .get(address as usize..address as usize + length as usize)
    }

    /// Copies `data` in without regard to flags: loading an image, before anything runs.
    ///
    /// # Errors
    /// Gives back nothing and changes nothing if not all of it fits.
    pub fn load(&mut self, address: u32, data: &[u8]) -> Option<()> {
        let at = address as usize;
        self.bytes
            .get_mut(at..at.checked_add(data.len())?)?
            .copy_from_slice(data);
        Some(())
    }

    /// All bytes; the flags of their pages; and an address from which on no page has flags. For an engine that reaches
    /// memory by itself, which must act as the board does on a store to a page with a flag.
    pub fn parts(&mut self) -> (&mut [u8], &[u8], u32) {
        (&mut self.bytes, &self.flags, self.flagged)
    }

    /// One page, by number.
    pub fn page(&self, number: u32) -> Option<&[u8]> {
        self.slice(number.checked_mul(PAGE)?, PAGE)
    }

    /// The flags of the page of `address`; none outside memory.
    #[inline]
    pub fn flags(&self, address: u32) -> u8 {
        self.flags.get((address / PAGE) as usize).copied().unwrap_or(0)
    }

    /// Sets flags on the page of `address`.
    #[inline]
    pub fn set(&mut self, address: u32, flags: u8) {
        if let Some(slot) = self.flags.get_mut((address / PAGE) as usize) {
            self.raised += u64::from(*slot == 0 && flags != 0);
            *slot |= flags;
            self.flagged = self.flagged.max((address / PAGE + 1) * PAGE);
        }
    }

    /// How often a page without flags has got one: an engine that remembers which pages have none asks for it.
    pub fn raised(&self) -> u64 {
        self.raised
    }

    /// Takes flags off the page of `address`.
    pub fn clear(&mut self, address: u32, flags: u8) {
        if let Some(slot) = self.flags.get_mut((address / PAGE) as usize) {
            *slot &= !flags;
        }
    }
}
