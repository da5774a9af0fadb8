//! Memory of the host that the engine asks for itself.
#![allow(unsafe_code, reason = "mapping memory is what this file is for")]

use std::ffi::c_int;
use std::io;
use std::ptr::{NonNull, null_mut};

/// A mapping that is given back in the end.
struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    fn new(length: usize, protection: c_int, flags: c_int, file: c_int) -> io::Result<Mapping> {
        // SAFETY: a new mapping, at a place that the kernel chooses, is no concern of memory that exists.
        let start = unsafe { libc::mmap(null_mut(), length, protection, flags, file, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and who is dropping it has no use for its contents any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// Memory of zeros for plain values, of which the host spends only what is touched.
pub(super) struct Zeros {
    mapping: Mapping,
}

impl Zeros {
    /// `length` bytes, from the beginning of a page.
    pub(super) fn new(length: usize) -> io::Result<Zeros> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        let mapping = Mapping::new(length, libc::PROT_READ | libc::PROT_WRITE, flags, -1)?;
        Ok(Zeros { mapping })
    }

    /// The beginning.
    pub(super) fn start(&self) -> *mut u8 {
        self.mapping.start.as_ptr()
    }

    /// The word at a place, counted in words.
    pub(super) fn get(&self, index: usize) -> u64 {
        assert!(index < self.mapping.length / 8, "the place is inside");
        // SAFETY: inside the mapping by the assertion, aligned because the mapping begins at a page; who writes has
        // `&mut self`.
        unsafe { self.mapping.start.cast::<u64>().add(index).read() }
    }

    /// Puts a word to a place, counted in words.
    pub(super) fn set(&mut self, index: usize, word: u64) {
        assert!(index < self.mapping.length / 8, "the place is inside");
        // SAFETY: inside the mapping by the assertion, aligned because the mapping begins at a page; `&mut self` keeps
        // others away.
        unsafe { self.mapping.start.cast::<u64>().add(index).write(word) };
    }
}

/// Memory for code, which has two addresses: at one it can be written, at the other executed. No page is ever both
/// at once at one address.
pub(super) struct CodeMemory {
    write: Mapping,
    execute: Mapping,
}

impl CodeMemory {
    pub(super) fn new(length: usize) -> io::Result<CodeMemory> {
        // SAFETY: the name is a string that ends in a zero.
        let file = unsafe { libc::memfd_create(c"ring32 code".as_ptr(), libc::MFD_CLOEXEC) };
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        let mapped = CodeMemory::map(file, length);
        // SAFETY: the descriptor was opened above and is not used any more; mappings outlive it.
        unsafe { libc::close(file) };
        mapped
    }

    fn map(file: c_int, length: usize) -> io::Result<CodeMemory> {
        // SAFETY: the descriptor is open.
        if unsafe { libc::ftruncate(file, length as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let write = Mapping::new(length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file)?;
        let execute = Mapping::new(length, libc::PROT_READ | libc::PROT_EXEC, libc::MAP_SHARED, file)?;
        Ok(CodeMemory { write, execute })
    }

    pub(super) fn length(&self) -> usize {
        self.write.length
    }

    /// Writes code to a place in it.
    pub(super) fn write(&mut self, at: usize, code: &[u8]) {
        let end = at.checked_add(code.len());
        assert!(
            end.is_some_and(|end| end <= self.write.length),
            "the code fits where it is put"
        );
        // SAFETY: inside the mapping by the assertion. Nothing executes there now: the only code of this process that
        // enters it is the engine that owns this value, and it is not inside while it holds `&mut self`.
        unsafe {
            self.write
                .start
                .add(at)
                .copy_from_nonoverlapping(NonNull::from(code).cast(), code.len());
        }
    }

    /// Where all of it is mapped for writing, and its length: for a virtual machine that is to have it.
    pub(super) fn shared(&self) -> (u64, u64) {
        (self.write.start.as_ptr() as u64, self.write.length as u64)
    }

    /// The code at a place.
    pub(super) fn read(&self, at: usize, length: usize) -> Vec<u8> {
        let end = at.checked_add(length);
        assert!(
            end.is_some_and(|end| end <= self.write.length),
            "there is code where it is read"
        );
        let mut code = vec![0; length];
        // SAFETY: inside the mapping by the assertion; who writes has `&mut self`.
        unsafe {
            self.write
                .start
                .add(at)
                .copy_to_nonoverlapping(NonNull::from(&mut *code).cast(), length)
        };
        code
    }

    /// The address at which this place is executed.
    pub(super) fn address(&self, at: usize) -> u64 {
        self.execute.start.as_ptr() as u64 + at as u64
    }
}
