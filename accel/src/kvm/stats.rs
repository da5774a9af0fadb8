//! What the host's kernel counts of a virtual processor (`KVM_GET_STATS_FD`, Linux 5.14).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, FromRawFd};

use kvm_ioctls::VcpuFd;

/// `_IO(KVMIO, 0xce)`.
const KVM_GET_STATS_FD: libc::c_ulong = 0xaece;

/// The counter of exits of one virtual processor.
pub(super) struct ExitCounter {
    file: File,
    /// Where the counter stands.
    offset: u64,
}

impl ExitCounter {
    /// Of this processor; `None` if its kernel does not count.
    pub(super) fn of(vcpu: &VcpuFd) -> Option<ExitCounter> {
        // SAFETY: the ioctl takes no argument and touches no memory of this process; the descriptor is that of an open
        // virtual processor.
        #[allow(unsafe_code)]
        let found = unsafe { libc::ioctl(vcpu.as_raw_fd(), KVM_GET_STATS_FD) };
        if found < 0 {
            return None;
        }
        // SAFETY: the kernel has just opened this descriptor for us, and nobody else has it.
        #[allow(unsafe_code)]
        let mut file = unsafe { File::from_raw_fd(found) };
        let offset = find(&mut file, "exits").ok().flatten()?;
        Some(ExitCounter { file, offset })
    }

    /// Its value.
    pub(super) fn read(&mut self) -> io::Result<u64> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = [0; 8];
        self.file.read_exact(&mut bytes)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// Where the counter of this name stands. The layout is that of `struct kvm_stats_header` and `struct kvm_stats_desc`
/// (Linux, Documentation/virt/kvm/api.rst, 4.133).
fn find(file: &mut File, name: &str) -> io::Result<Option<u64>> {
    let mut word = || {
        let mut bytes = [0; 4];
        file.read_exact(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    };
    let (_flags, name_size, count) = (word()?, word()?, word()?);
    let (_id, descriptors, data) = (word()?, word()?, word()?);
    let size = 16 + name_size as usize;
    for index in 0..u64::from(count) {
        let mut bytes = vec![0; size];
        file.seek(SeekFrom::Start(u64::from(descriptors) + index * size as u64))?;
        file.read_exact(&mut bytes)?;
        let own = bytes[16..].split(|byte| *byte == 0).next().unwrap_or_default();
        if own == name.as_bytes() {
            let offset = u32::from_ne_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
            return Ok(Some(u64::from(data) + u64::from(offset)));
        }
    }
    Ok(None)
}
