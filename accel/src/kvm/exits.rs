//! A tiny native guest: what does it cost when it leaves, by reason?
//!
//! A few bytes of x86 in 32-bit protected mode do one thing again and again. Nothing of Ring32 is in it: this is what
//! the host's own hardware assistance costs, and what no translated guest can show, as its kernel would not run in
//! ring 0.

use std::os::fd::AsRawFd;
use std::time::Instant;

use kvm_bindings::{kvm_regs, kvm_segment};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend, GuestMemoryMmap};

use super::machine::{KVM_RUN, region};
use super::stats::ExitCounter;
use super::{Errno, Exit, Exits, KvmError};
use crate::x86_64::trips;

const MEMORY: usize = 64 << 10;
/// Where things stand in the guest's memory.
const CODE: u64 = 0x1000;
const GDT: u64 = 0x2000;
const IDT: u64 = 0x3000;
const HANDLER: u64 = 0x4000;
const TSS: u64 = 0x5000;
const STACK: u64 = 0x8000;
/// Nothing is here, so an access leaves as one to a device.
const DEVICE: u32 = 0xd000_0000;
/// The port whose write says that a loop is over.
const DONE: u16 = 0xf4;
const PORT: u64 = 0x80;

/// Something that a guest does in a loop.
struct Deed {
    does: &'static str,
    ring: u8,
    reason: Option<&'static str>,
    code: &'static [u8],
}

const fn deed(does: &'static str, ring: u8, reason: Option<&'static str>, code: &'static [u8]) -> Deed {
    Deed {
        does,
        ring,
        reason,
        code,
    }
}

/// Nothing: what the loop itself costs, in each ring.
const NOTHING: [Deed; 2] = [deed("nothing", 0, None, &[]), deed("nothing", 3, None, &[])];

/// The loops. EDX holds [`PORT`], EDI the turns that are left; EAX, EBX and ECX are free.
const DEEDS: [Deed; 12] = [
    deed("out dx, al", 0, Some("port written"), &[0xee]),
    deed("out dx, al", 3, Some("port written"), &[0xee]),
    deed("in al, dx", 3, Some("port read"), &[0xec]),
    deed(
        "mov [device], eax",
        3,
        Some("device memory written"),
        &[0xa3, 0, 0, 0, 0xd0],
    ),
    deed(
        "mov eax, [device]",
        3,
        Some("device memory read"),
        &[0xa1, 0, 0, 0, 0xd0],
    ),
    deed("hlt", 0, Some("halted"), &[0xf4]),
    // EDX is lost, and set again.
    deed("cpuid", 0, None, &[0x31, 0xc0, 0x0f, 0xa2]),
    deed("cpuid", 3, None, &[0x31, 0xc0, 0x0f, 0xa2]),
    deed("rdtsc", 3, None, &[0x0f, 0x31]),
    deed("mov cr3, eax", 0, None, &[0x0f, 0x22, 0xd8]),
    deed("cli; sti", 0, None, &[0xfa, 0xfb]),
    deed("int 0x80, iret", 0, None, &[0xcd, 0x80]),
];

/// Whether this user can have virtual machines here.
///
/// # Errors
/// If not, why.
pub fn available() -> Result<(), KvmError> {
    open().map(|_| ())
}

fn open() -> Result<Kvm, KvmError> {
    let kvm = Kvm::new().map_err(|error| KvmError::open(Errno(error.errno())))?;
    match kvm.get_api_version() {
        12 => Ok(kvm),
        other => Err(KvmError::Version(other)),
    }
}

/// Measures each deed: `turns` of each in each of `rounds`.
///
/// # Errors
/// If there is no KVM for this user, or it fails.
pub fn measure(turns: u32, rounds: u32) -> Result<Exits, KvmError> {
    let mut guest = Guest::new()?;
    let turns = turns.max(1);
    let mut samples = vec![Vec::new(); DEEDS.len()];
    let mut floor = Vec::new();
    for _ in 0..rounds.max(1) {
        let mut nothing = [0.0; 2];
        for (nanoseconds, deed) in nothing.iter_mut().zip(&NOTHING) {
            *nanoseconds = guest.time(deed, turns)?.map_or(0.0, |sample| sample.nanoseconds);
        }
        for (deed, samples) in DEEDS.iter().zip(&mut samples) {
            // What is refused is refused in every round.
            if let Some(mut sample) = guest.time(deed, turns)? {
                sample.nanoseconds -= nothing[usize::from(deed.ring == 3)];
                samples.push(sample);
            }
        }
        floor.push(guest.floor(turns)? - nothing[1]);
    }
    let exit = |(deed, samples): (&Deed, Vec<Sample>)| {
        let times: Vec<f64> = samples.iter().map(|sample| sample.nanoseconds).collect();
        let (least, median, most) = range(times);
        Exit {
            does: deed.does,
            ring: deed.ring,
            reason: deed.reason,
            nanoseconds: (!samples.is_empty()).then_some(median),
            spread: (most - least) / median.abs().max(f64::MIN_POSITIVE),
            kernel_exits: samples.last().and_then(|sample| sample.kernel_exits),
        }
    };
    Ok(Exits {
        exits: DEEDS.iter().zip(samples).map(exit).collect(),
        floor: range(floor).1,
        emitted: trips::measure(turns, rounds)?,
    })
}

/// The least, the median and the most.
fn range(mut times: Vec<f64>) -> (f64, f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    (at(0), at(times.len() / 2), at(times.len().saturating_sub(1)))
}

/// One turn of a loop, on average.
#[derive(Clone, Copy)]
struct Sample {
    nanoseconds: f64,
    kernel_exits: Option<f64>,
}

struct Guest {
    // Before the memory that they use, so that they are gone before it is.
    vcpu: VcpuFd,
    _vm: VmFd,
    memory: GuestMemoryMmap,
    counter: Option<ExitCounter>,
}

/// Names a failing call.
fn call<T>(call: &'static str, result: Result<T, kvm_ioctls::Error>) -> Result<T, KvmError> {
    result.map_err(|error| KvmError::Call {
        call,
        error: Errno(error.errno()),
    })
}

fn unusable(error: impl std::fmt::Display) -> KvmError {
    KvmError::Memory(error.to_string())
}

impl Guest {
    fn new() -> Result<Guest, KvmError> {
        let kvm = open()?;
        let vm = call("KVM_CREATE_VM", kvm.create_vm())?;
        let memory = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), MEMORY)]).map_err(unusable)?;
        let host = memory.get_host_address(GuestAddress(0)).map_err(unusable)?;
        let region = region(0, 0, host as u64, MEMORY as u64);
        // SAFETY: the region is mapped, is MEMORY bytes long, and lives as long as the virtual machine: `Guest` drops
        // the machine first.
        #[allow(unsafe_code)]
        let set = unsafe { vm.set_user_memory_region(region) };
        call("KVM_SET_USER_MEMORY_REGION", set)?;
        let vcpu = call("KVM_CREATE_VCPU", vm.create_vcpu(0))?;
        let counter = ExitCounter::of(&vcpu);
        let guest = Guest {
            vcpu,
            _vm: vm,
            memory,
            counter,
        };
        guest.tables()?;
        Ok(guest)
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), KvmError> {
        let written = self.memory.write_slice(bytes, GuestAddress(address));
        written.map_err(unusable)
    }

    /// Segments for two rings, and a gate for `int 0x80` whose handler returns at once.
    fn tables(&self) -> Result<(), KvmError> {
        let descriptors: [u64; 6] = [
            0,
            0x00cf_9b00_0000_ffff,
            0x00cf_9300_0000_ffff,
            0x00cf_fb00_0000_ffff,
            0x00cf_f300_0000_ffff,
            0x0000_8b00_0000_0067 | TSS << 16,
        ];
        for (index, descriptor) in (0..).zip(descriptors) {
            self.write(GDT + 8 * index, &descriptor.to_le_bytes())?;
        }
        // An interrupt gate for ring 3 and those within.
        let gate = HANDLER & 0xffff | 0x08 << 16 | 0xee00 << 32;
        self.write(IDT + 8 * 0x80, &gate.to_le_bytes())?;
        self.write(HANDLER, &[0xcf])
    }

    /// Places the loop of a deed, and the processor at its beginning.
    fn prepare(&mut self, deed: &Deed, turns: u32) -> Result<(), KvmError> {
        let mut code = deed.code.to_vec();
        // dec edi; jnz back; out DONE, al
        let back = -(code.len() as i8 + 3);
        code.extend([0x4f, 0x75, back as u8, 0xe6, DONE as u8]);
        self.write(CODE, &code)?;
        let mut sregs = call("KVM_GET_SREGS", self.vcpu.get_sregs())?;
        let segment = |selector: u16, kind: u8| kvm_segment {
            base: 0,
            limit: u32::MAX,
            selector: selector | u16::from(deed.ring),
            type_: kind,
            present: 1,
            dpl: deed.ring,
            db: 1,
            s: 1,
            g: 1,
            ..kvm_segment::default()
        };
        let (code, data) = if deed.ring == 0 {
            (0x08, 0x10)
        } else {
            (0x18, 0x20)
        };
        sregs.cs = segment(code, 11);
        let data = segment(data, 3);
        [sregs.ds, sregs.es, sregs.fs, sregs.gs, sregs.ss] = [data; 5];
        sregs.tr = kvm_segment {
            base: TSS,
            limit: 0x67,
            selector: 0x28,
            type_: 11,
            present: 1,
            ..kvm_segment::default()
        };
        (sregs.gdt.base, sregs.gdt.limit) = (GDT, 6 * 8 - 1);
        (sregs.idt.base, sregs.idt.limit) = (IDT, 0x81 * 8 - 1);
        sregs.cr0 |= 1;
        call("KVM_SET_SREGS", self.vcpu.set_sregs(&sregs))?;
        let regs = kvm_regs {
            rip: CODE,
            rsp: STACK,
            rdx: PORT,
            rdi: u64::from(turns),
            // Ports are for ring 3, too; interrupts are off.
            rflags: 0x3002,
            ..kvm_regs::default()
        };
        call("KVM_SET_REGS", self.vcpu.set_regs(&regs))
    }

    /// Runs a loop to its end; `None` if this KVM cannot execute it.
    fn time(&mut self, deed: &Deed, turns: u32) -> Result<Option<Sample>, KvmError> {
        self.prepare(deed, turns)?;
        let exits =
            |counter: &mut Option<ExitCounter>| counter.as_mut().and_then(|counter| counter.read().ok());
        let before = exits(&mut self.counter);
        let start = Instant::now();
        let mut left = 0u64;
        loop {
            match self.vcpu.run() {
                Ok(VcpuExit::IoOut(DONE, _)) => break,
                Ok(VcpuExit::IoOut(..) | VcpuExit::IoIn(..) | VcpuExit::Hlt) => left += 1,
                Ok(VcpuExit::MmioWrite(address, _) | VcpuExit::MmioRead(address, _))
                    if address == u64::from(DEVICE) =>
                {
                    left += 1;
                }
                Ok(VcpuExit::InternalError) => return Ok(None),
                Ok(other) => return Err(KvmError::Exit(format!("{other:?} while it does '{}'", deed.does))),
                // A signal came between.
                Err(error) if [libc::EINTR, libc::EAGAIN].contains(&error.errno()) => {}
                Err(error) => return call("KVM_RUN", Err(error)),
            }
        }
        let nanoseconds = start.elapsed().as_nanos() as f64 / f64::from(turns);
        let after = exits(&mut self.counter);
        let wanted = if deed.reason.is_some() {
            u64::from(turns)
        } else {
            0
        };
        if left != wanted {
            return Err(KvmError::Exit(format!(
                "'{}' {left} times, not {wanted}",
                deed.does
            )));
        }
        let kernel_exits = before
            .zip(after)
            .map(|(before, after)| (after - before) as f64 / f64::from(turns));
        Ok(Some(Sample {
            nanoseconds,
            kernel_exits,
        }))
    }

    /// Nanoseconds of an `out` in ring 3, with nothing around it but the ioctl: no library, no look at the reason.
    fn floor(&mut self, turns: u32) -> Result<f64, KvmError> {
        self.prepare(&DEEDS[1], turns + 1)?;
        let descriptor = self.vcpu.as_raw_fd();
        let mut failed = None;
        let start = Instant::now();
        for _ in 0..turns {
            // SAFETY: the descriptor is that of an open virtual processor, whose memory is mapped.
            #[allow(unsafe_code)]
            let result = unsafe { libc::ioctl(descriptor, KVM_RUN, 0) };
            if result < 0 {
                failed = Some(std::io::Error::last_os_error());
            }
        }
        let nanoseconds = start.elapsed().as_nanos() as f64 / f64::from(turns);
        let failed = failed.and_then(|error| error.raw_os_error());
        match failed.filter(|number| *number != libc::EINTR) {
            Some(number) => Err(KvmError::Call {
                call: "KVM_RUN",
                error: Errno(number),
            }),
            None => Ok(nanoseconds),
        }
    }
}
