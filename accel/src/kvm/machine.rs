//! A virtual machine whose processor runs emitted code in ring 3 of 64-bit mode.

use std::os::fd::AsRawFd;

use kvm_bindings::{
    CpuId, KVM_MAX_CPUID_ENTRIES, kvm_regs, kvm_segment, kvm_sregs, kvm_userspace_memory_region,
};
use kvm_ioctls::{Cap, Kvm, SyncReg, VcpuExit, VcpuFd, VmFd};
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend, GuestMemoryMmap};

use super::calls::{Call, Calls};
use super::place::{
    CHANGES, CODE, CONTEXT, COUNT, GDT, IDT, MOST_CHANGES, OWN, PORT, RAM, STACK, TSS, UNFORESEEN,
};
use super::stubs::{self, CODE_3, DATA_3, GDT_SIZE, IDT_SIZE, TASK, TSS_SIZE};
use super::tables::{Change, Tables};
use super::{Errno, KvmError};

/// Why the guest came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Emitted code wrote to its port.
    Out,
    /// An access of the instruction at this address found no page that allows it, or was not aligned. When the guest is
    /// resumed it goes on there, or where [`Machine::divert`] says.
    Fault(u64),
}

/// The machine.
pub(crate) struct Machine {
    // Before the memory that they use, so that they are gone before it is.
    vcpu: VcpuFd,
    vm: VmFd,
    own: GuestMemoryMmap,
    calls: Calls,
    /// Where the memory of Ring32's machine is.
    ram: (u64, u64),
    /// What the system registers are whenever the guest has left by its port.
    sregs: kvm_sregs,
    /// The guest has never run.
    new: bool,
}

/// `_IO(KVMIO, 0x80)`.
pub(crate) const KVM_RUN: libc::c_ulong = 0xae80;

/// Slots of memory.
const OWN_SLOT: u32 = 0;
const CODE_SLOT: u32 = 1;
const RAM_SLOT: u32 = 2;

/// Failures of the library for guest memory, which cannot happen inside what was asked for.
fn outside(error: impl std::fmt::Display) -> KvmError {
    KvmError::Memory(error.to_string())
}

impl Machine {
    /// A machine with nothing but its own memory.
    ///
    /// # Errors
    /// If there is no KVM for this user, or it fails.
    pub(crate) fn new(mut calls: Calls) -> Result<Machine, KvmError> {
        let kvm = calls.make(Call::Open, Kvm::new)?;
        let version = calls.make(Call::Version, || match kvm.get_api_version() {
            -1 => Err(kvm_ioctls::Error::last()),
            version => Ok(version),
        })?;
        if version != 12 {
            return Err(KvmError::Version(version));
        }
        let synced = calls.make(Call::Extension, || match kvm.check_extension_int(Cap::SyncRegs) {
            -1 => Err(kvm_ioctls::Error::last()),
            bits => Ok(bits),
        })?;
        let needed = SyncReg::Register as i32 | SyncReg::SystemRegister as i32;
        if synced & needed != needed {
            return Err(KvmError::Lacks("KVM_CAP_SYNC_REGS"));
        }
        let vm = calls.make(Call::CreateVm, || kvm.create_vm())?;
        let own = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), OWN as usize)]).map_err(outside)?;
        let host = own.get_host_address(GuestAddress(0)).map_err(outside)?;
        let region = region(OWN_SLOT, 0, host as u64, OWN);
        // SAFETY: the region is mapped, is as long as that, and lives as long as the virtual machine, for `Machine`
        // drops the latter first.
        #[allow(unsafe_code)]
        calls.make(Call::Memory, || unsafe { vm.set_user_memory_region(region) })?;
        let vcpu = calls.make(Call::CreateVcpu, || vm.create_vcpu(0))?;
        let cpuid: CpuId = calls.make(Call::SupportedCpuid, || {
            kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        })?;
        calls.make(Call::SetCpuid, || vcpu.set_cpuid2(&cpuid))?;
        let sregs = calls.make(Call::Sregs, || vcpu.get_sregs())?;
        let machine = Machine {
            vcpu,
            vm,
            own,
            calls,
            ram: (0, 0),
            sregs: system_registers(sregs),
            new: true,
        };
        for (at, bytes) in stubs::image() {
            machine.write(at, &bytes)?;
        }
        for (at, entry) in Tables::beginning() {
            machine.write(at, &entry.to_le_bytes())?;
        }
        Ok(machine)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<(), KvmError> {
        self.own.write_slice(bytes, GuestAddress(at)).map_err(outside)
    }

    fn read(&self, at: u64) -> Result<u64, KvmError> {
        self.own.read_obj(GuestAddress(at)).map_err(outside)
    }

    /// Where the context is in this process.
    pub(crate) fn context(&self) -> Result<*mut u8, KvmError> {
        self.own.get_host_address(GuestAddress(CONTEXT)).map_err(outside)
    }

    /// Gives the machine the arena of emitted code.
    ///
    /// # Safety
    /// So many bytes are mapped at this address of the process, readable and writable, from the beginning of a page,
    /// and stay so as long as the machine runs. Whatever it executes there may do to its memories what it likes.
    #[allow(unsafe_code, reason = "memory is given to a virtual machine")]
    pub(crate) unsafe fn give_code(&mut self, host: u64, length: u64) -> Result<(), KvmError> {
        // SAFETY: by this function's contract.
        unsafe { self.set(region(CODE_SLOT, CODE, host, length)) }
    }

    /// Gives the machine the memory of Ring32's machine, in the place of what it had.
    ///
    /// # Safety
    /// As [`Machine::give_code`]; and nobody else may look at this memory while the machine runs.
    #[allow(unsafe_code, reason = "memory is given to a virtual machine")]
    pub(crate) unsafe fn give_ram(&mut self, host: u64, length: u64) -> Result<(), KvmError> {
        if self.ram == (host, length) {
            return Ok(());
        }
        // A slot that exists cannot be moved in this process, only deleted.
        if self.ram.1 != 0 {
            // SAFETY: no memory is given.
            unsafe { self.set(region(RAM_SLOT, RAM, 0, 0)) }?;
        }
        self.ram = (0, 0);
        if length != 0 {
            // SAFETY: by this function's contract.
            unsafe { self.set(region(RAM_SLOT, RAM, host, length)) }?;
        }
        self.ram = (host, length);
        Ok(())
    }

    /// # Safety
    /// As [`Machine::give_code`].
    #[allow(unsafe_code, reason = "memory is given to a virtual machine")]
    unsafe fn set(&mut self, region: kvm_userspace_memory_region) -> Result<(), KvmError> {
        let vm = &self.vm;
        // SAFETY: by this function's contract.
        self.calls
            .make(Call::Memory, || unsafe { vm.set_user_memory_region(region) })
    }

    /// Tells the stub of `int3` what to do: these changes, at most [`MOST_CHANGES`].
    pub(crate) fn prepare(&mut self, changes: &[Change]) -> Result<(), KvmError> {
        assert!(changes.len() <= MOST_CHANGES, "the list holds no more");
        let words = changes.as_flattened().iter();
        let bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes()).collect();
        self.write(CHANGES, &bytes)?;
        self.write(COUNT, &(changes.len() as u64).to_le_bytes())
    }

    /// Lets the guest go on, after it has left by its port, in this tree of page tables. Returns whether it was in
    /// another.
    pub(crate) fn enter_tree(&mut self, root: u64) -> bool {
        if self.sregs.cr3 == root {
            return false;
        }
        self.sregs.cr3 = root;
        self.vcpu.sync_regs_mut().sregs = self.sregs;
        self.vcpu.set_sync_dirty_reg(SyncReg::SystemRegister);
        true
    }

    /// After a fault: lets the guest go on at this address instead.
    pub(crate) fn divert(&mut self, to: u64) -> Result<(), KvmError> {
        self.write(STACK - 40, &to.to_le_bytes())
    }

    /// How often a request was repeated, because a signal came between.
    pub(crate) fn repeated(&self) -> u64 {
        self.calls.repeated
    }

    /// Resumes the guest with nothing but the system call, to see what that costs.
    ///
    /// # Errors
    /// If it fails.
    #[allow(unsafe_code, reason = "a system call is made")]
    pub(crate) fn resume_barely(&mut self) -> Result<(), KvmError> {
        let descriptor = self.vcpu.as_raw_fd();
        // SAFETY: the descriptor is that of an open virtual processor, whose memory is mapped.
        let result = unsafe { libc::ioctl(descriptor, KVM_RUN, 0) };
        if result == 0 {
            return Ok(());
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) | None => Ok(()),
            Some(number) => Err(KvmError::Call {
                call: Call::Run.name(),
                error: Errno(number),
            }),
        }
    }

    /// Resumes the guest, and returns when it comes back.
    ///
    /// # Errors
    /// If KVM fails, or the guest leaves in a way that nobody foresaw. Then its state is lost.
    pub(crate) fn run(&mut self) -> Result<Left, KvmError> {
        if std::mem::take(&mut self.new) {
            let synced = self.vcpu.sync_regs_mut();
            (synced.regs, synced.sregs) = (registers(), self.sregs);
            self.vcpu.set_sync_dirty_reg(SyncReg::Register);
            self.vcpu.set_sync_dirty_reg(SyncReg::SystemRegister);
        }
        let vcpu = &mut self.vcpu;
        let halted = self.calls.make(Call::Run, || {
            Ok(match vcpu.run()? {
                VcpuExit::IoOut(port, _) if port == u16::from(PORT) => Ok(false),
                VcpuExit::Hlt => Ok(true),
                other => Err(KvmError::Exit(format!("{other:?}"))),
            })
        })??;
        if !halted {
            return Ok(Left::Out);
        }
        let address = self.read(STACK - 40)?;
        match self.read(UNFORESEEN)? {
            0 => Ok(Left::Fault(address)),
            vector => Err(KvmError::Exit(format!(
                "exception {} at {address:#x}",
                vector - 1
            ))),
        }
    }
}

/// Memory of this process, as KVM is told of it.
pub(super) fn region(slot: u32, at: u64, host: u64, length: u64) -> kvm_userspace_memory_region {
    kvm_userspace_memory_region {
        slot,
        flags: 0,
        guest_phys_addr: at,
        memory_size: length,
        userspace_addr: host,
    }
}

/// The processor begins at the beginning of the arena. Accesses have to be aligned in ring 3; interrupts are off.
fn registers() -> kvm_regs {
    kvm_regs {
        rip: CODE,
        rsp: CONTEXT,
        rflags: 0x4_0002,
        ..kvm_regs::default()
    }
}

/// 64-bit mode, ring 3, the first tree.
fn system_registers(mut sregs: kvm_sregs) -> kvm_sregs {
    let segment = |selector: u16, kind: u8, long: u8| kvm_segment {
        base: 0,
        limit: u32::MAX,
        selector,
        type_: kind,
        present: 1,
        dpl: 3,
        db: 1 - long,
        l: long,
        s: 1,
        g: 1,
        ..kvm_segment::default()
    };
    sregs.cs = segment(CODE_3, 11, 1);
    [sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss] = [segment(DATA_3, 3, 0); 5];
    sregs.tr = kvm_segment {
        base: TSS,
        limit: u32::from(TSS_SIZE) - 1,
        selector: TASK,
        type_: 11,
        present: 1,
        ..kvm_segment::default()
    };
    (sregs.gdt.base, sregs.gdt.limit) = (GDT, GDT_SIZE - 1);
    (sregs.idt.base, sregs.idt.limit) = (IDT, IDT_SIZE - 1);
    sregs.cr3 = Tables::root(0);
    // PAE, OSFXSR, OSXMMEXCPT.
    sregs.cr4 = 1 << 5 | 1 << 9 | 1 << 10;
    // PE, MP, ET, NE, WP, AM, PG.
    sregs.cr0 = 1 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 18 | 1 << 31;
    // LME, LMA, NXE.
    sregs.efer = 1 << 8 | 1 << 10 | 1 << 11;
    sregs
}

#[cfg(test)]
mod tests;
