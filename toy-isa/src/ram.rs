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
pub struct Ram {
    /// From `start` to the end: so that memory begins at a page of the host's, and can be given to a virtual machine.
    bytes: Vec<u8>,
    start: usize,
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
        let size = pages * PAGE as usize;
        // Zeros that nobody touches take nothing of the host's memory.
        let mut bytes = vec![0; size + PAGE as usize - 1];
        let start = bytes.as_ptr().align_offset(PAGE as usize).min(PAGE as usize - 1);
        bytes.truncate(start + size);
        Ram {
            bytes,
            start,
            flags: vec![0; pages],
            flagged: 0,
            raised: 0,
        }
    }

    /// In bytes, a multiple of the page size.
    pub fn size(&self) -> u32 {
        (self.bytes.len() - self.start) as u32
    }

    /// Number of pages.
    pub fn pages(&self) -> u32 {
        self.flags.len() as u32
    }

    /// An aligned read, zero-extended; `None` outside memory.
    #[inline]
    pub fn read(&self, address: u32, width: Width) -> Option<u32> {
        let at = self.start + address as usize;
        Some(match width {
            Width::Byte => u32::from(*self.bytes.get(at)?),
            Width::Half => u32::from(u16::from_le_bytes(self.bytes.get(at..at + 2)?.try_into().ok()?)),
            Width::Word => u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?),
        })
    }

    /// An aligned write. Returns the flags of the page, on which the caller acts; `None` outside memory.
    #[inline]
    pub fn write(&mut self, address: u32, width: Width, value: u32) -> Option<u8> {
        let at = self.start + address as usize;
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
        Some(self.flags[(address / PAGE) as usize])
    }

    /// The bytes of `length` from `address`; `None` if not all of them are memory.
    pub fn slice(&self, address: u32, length: u32) -> Option<&[u8]> {
        let at = self.start + address as usize;
        self.bytes.get(at..at + length as usize)
    }

    /// Copies `data` in without regard to flags: loading an image, before anything runs.
    ///
    /// # Errors
    /// Gives back nothing and changes nothing if not all of it fits.
    pub fn load(&mut self, address: u32, data: &[u8]) -> Option<()> {
        let at = self.start + address as usize;
        self.bytes
            .get_mut(at..at.checked_add(data.len())?)?
            .copy_from_slice(data);
        Some(())
    }

    /// The flags of all pages, by number.
    pub fn all_flags(&self) -> &[u8] {
        &self.flags
    }

    /// Puts a page into another state: what it holds, and its flags.
    pub fn put_back(&mut self, number: u32, bytes: Option<&[u8; PAGE as usize]>, flags: u8) {
        let address = number * PAGE;
        if let Some(bytes) = bytes {
            self.load(address, bytes);
        }
        self.clear(address, !flags);
        self.set(address, flags);
    }

    /// All bytes, from an address of the host's that is a multiple of [`PAGE`]; the flags of their pages; and an
    /// address from which on no page has flags. For an engine that reaches memory by itself, which must act as the
    /// board does on a store to a page with a flag.
    pub fn parts(&mut self) -> (&mut [u8], &[u8], u32) {
        (&mut self.bytes[self.start..], &self.flags, self.flagged)
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

impl Clone for Ram {
    fn clone(&self) -> Ram {
        let mut ram = Ram::new(self.size());
        ram.bytes[ram.start..].copy_from_slice(&self.bytes[self.start..]);
        ram.flags.clone_from(&self.flags);
        (ram.flagged, ram.raised) = (self.flagged, self.raised);
        ram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_begins_at_a_page_of_the_host_also_in_a_copy() {
        for pages in [0, 1, 3, 1000] {
            let mut ram = Ram::new(pages * PAGE);
            assert_eq!((ram.size(), ram.pages()), (pages * PAGE, pages));
            let last = ram.size().saturating_sub(4);
            let written = ram.write(last, Width::Word, 7);
            assert_eq!(written.is_some(), pages > 0);
            for mut one in [ram.clone(), ram] {
                let bytes = one.parts().0;
                assert_eq!(bytes.len(), (pages * PAGE) as usize);
                assert_eq!(bytes.as_ptr() as usize % PAGE as usize, 0);
                assert_eq!(one.read(last, Width::Word), written.map(|_| 7));
                assert_eq!(one.read(pages * PAGE, Width::Byte), None);
            }
        }
    }
}
