//! The paravirtual interface: everything that a ported kernel and the monitor agree on.
//!
//! It follows Xen's (Barham et al., "Xen and the Art of Virtualization", SOSP 2003). Numbers of hypercalls, and of
//! their operations, are Xen's where Xen has the same thing. What is simpler here than there, and why, is in
//! `docs/adr/0007-paravirtual-interface.md`.

/// Where the window begins through which a guest reads what the monitor tells it: a superpage of every address space,
/// read-only in ring 1 and closed to ring 3. The monitor itself lives in the superpage after it (section 3.3.3: Xen
/// keeps the top 64 MB of every address space).
pub const INFO: u32 = 0xff80_0000;

/// In the window: for each frame of the guest, by number, the machine frame that it is. A word each.
pub const P2M: u32 = INFO + 0x10_0000;

/// In the window: the inverse, for each machine frame; [`NO_FRAME`] for those that are not the guest's.
pub const M2P: u32 = INFO + 0x20_0000;

/// What [`M2P`] says of a machine frame that is not the guest's.
pub const NO_FRAME: u32 = u32::MAX;

/// The first entry of a root table that belongs to the monitor and not to the guest.
pub const RESERVED_SLOT: u32 = INFO >> 22;

/// Start info: offsets of words from [`INFO`] on. They never change while the guest lives.
pub mod start {
    /// How many frames the guest has.
    pub const FRAMES: u32 = 0;
    /// The machine frame of the shared page.
    pub const SHARED: u32 = 4;
    /// The guest frame of the root table that the guest starts on. Its tables of the second level follow in the
    /// next frames.
    pub const BOOT_TABLE: u32 = 8;
    /// How many frames these tables take, root included.
    pub const BOOT_TABLES: u32 = 12;
    /// How many page-table updates the kernel should collect before it hands them over.
    pub const BATCH: u32 = 16;
}

/// The shared page, which guest and monitor both read and write: offsets of words. A guest that maps it at address 0
/// reaches all of it from `x0`, with no register to spare: that is what the first instruction of a trap handler
/// needs. From [`shared::GUEST`] on the page is the guest's own.
pub mod shared {
    /// Anything but 0: the monitor may make upcalls. An upcall and a bounced trap set it to 0, as the hardware
    /// does with IE. (Xen's `evtchn_upcall_mask`, the other way round, so that turning it off is a store of `x0`.)
    pub const ENABLED: u32 = 0;
    /// A byte for each event channel: not 0 if something happened. The monitor sets it, the guest clears it. Xen has
    /// bits, and an atomic instruction to take one; Ring32 has none, and a byte can be cleared without touching its
    /// neighbours.
    pub const PENDING: u32 = 4;
    /// A byte for each event channel: while it is not 0, the channel makes no upcall and ends no wait. All are set at
    /// the start.
    pub const MASK: u32 = 8;
    /// The trap frame: where the guest was, ...
    pub const EPC: u32 = 12;
    /// ... why it is not there any more (the machine's codes; of an upcall that of a device interrupt), ...
    pub const CAUSE: u32 = 16;
    /// ... what that is about, ...
    pub const TVAL: u32 = 20;
    /// ... its ring in bits 1..0, and in bit 4 whether upcalls were enabled: where PRING and IE stand in `status`.
    pub const PREVIOUS: u32 = 24;
    /// What `iret` leaves in `t0`, which held the number of the hypercall. (Xen's `iret` takes `eax` from the stack.)
    pub const T0: u32 = 28;
    /// The first word of which the monitor knows nothing.
    pub const GUEST: u32 = 32;

    /// In [`PREVIOUS`]: upcalls were enabled.
    pub const PREVIOUS_ENABLED: u32 = 16;
}

/// Event channels: what a channel's number means. There is one guest and its monitor, so they are fixed; Xen binds
/// them at run time.
pub mod channel {
    /// The timer has come to its end.
    pub const TIMER: u32 = 0;
    /// The disk ring has responses.
    pub const DISK: u32 = 1;
    /// The console ring has input.
    pub const CONSOLE: u32 = 2;
    /// How many there are: as many as one word has bytes, so that one load sees them all.
    pub const COUNT: u32 = 4;

    /// The name of a channel, for people.
    pub fn name(channel: u32) -> &'static str {
        match channel {
            TIMER => "timer",
            DISK => "disk",
            CONSOLE => "console",
            _ => "spare",
        }
    }
}

/// The most page-table updates in one hypercall; the bound on the time that one takes.
pub const BATCH_LIMIT: u32 = 2048;

/// The batch of a kernel that is told no other: a round number.
pub const BATCH_DEFAULT: u32 = 128;

/// What the low two bits of the first word of a page-table update say (those of an address are 0 otherwise).
pub mod update {
    /// An entry: the first word is its machine address, the second its new value.
    pub const ENTRY: u32 = 0;
    /// A command: the first word is the machine address of a frame, the second one of the commands below. (In
    /// the first versions of Xen they shared a queue with the updates; later ones have `mmuext_op` for them.)
    pub const COMMAND: u32 = 3;

    /// Validate the frame as a root table, and keep it so until it is unpinned.
    pub const PIN_ROOT: u32 = 1;
    /// Take a pin back.
    pub const UNPIN: u32 = 4;
    /// Translate by this root table from here on.
    pub const NEW_BASE: u32 = 5;
}

/// Operations of `sched_op`.
pub mod sched {
    /// Nothing but the way into the monitor and back: pending events are delivered on the way.
    pub const YIELD: u32 = 0;
    /// Wait until an event channel that is not masked is pending.
    pub const BLOCK: u32 = 1;
    /// The end, with an exit code.
    pub const SHUTDOWN: u32 = 2;
}

/// The operation of `event_channel_op`.
pub mod event {
    /// Tell the other side that its ring has something.
    pub const SEND: u32 = 4;
}

/// The console ring: one page, two streams of bytes. Offsets; an index counts bytes for ever and wraps around, and
/// its byte is at the index modulo the size. (The sizes are those of Xen's `xencons_interface`.)
pub mod console {
    /// Bytes that the guest has written.
    pub const OUT_PRODUCED: u32 = 0;
    /// Bytes that the monitor has taken.
    pub const OUT_CONSUMED: u32 = 4;
    /// Bytes of input that the monitor has put in.
    pub const IN_PRODUCED: u32 = 8;
    /// Bytes of input that the guest has taken.
    pub const IN_CONSUMED: u32 = 12;
    /// Where output stands.
    pub const OUT: u32 = 1024;
    /// How many bytes fit.
    pub const OUT_SIZE: u32 = 2048;
    /// Where input stands.
    pub const IN: u32 = 3072;
    /// How many bytes fit.
    pub const IN_SIZE: u32 = 1024;
}

/// The disk ring: one page of requests, each of which becomes its response in the same place (section 4.2.1, figure
/// 2). Offsets; an index counts for ever and wraps around.
pub mod disk {
    /// Requests that the guest has written.
    pub const REQUESTS: u32 = 0;
    /// Responses that the monitor has written.
    pub const RESPONSES: u32 = 4;
    /// The guest need only notify when REQUESTS reaches or passes this: the monitor is at work until then.
    pub const REQUEST_EVENT: u32 = 8;
    /// The monitor sends an event only when RESPONSES reaches or passes this: what the guest waits for.
    pub const RESPONSE_EVENT: u32 = 12;
    /// How many sectors the disk has. The monitor writes it when the ring is connected.
    pub const SECTORS: u32 = 16;
    /// Where events are interrupts: the line is up while this word is not 0. The monitor sets it, the guest clears it.
    pub const INTERRUPT: u32 = 20;
    /// Where the entries begin.
    pub const ENTRIES: u32 = 64;
    /// Bytes of an entry: four words.
    pub const ENTRY: u32 = 16;
    /// How many entries.
    pub const COUNT: u32 = 32;

    /// In an entry: a word of the guest's own, which comes back in the response.
    pub const ID: u32 = 0;
    /// In a request: 1 reads from disk to memory, 2 writes from memory to disk. In a response: how it went.
    pub const OPERATION: u32 = 4;
    /// In a request: the sector.
    pub const SECTOR: u32 = 8;
    /// In a request: the machine address of the buffer, which must lie in one frame of the guest's.
    pub const ADDRESS: u32 = 12;

    /// A response: done.
    pub const OKAY: u32 = 0;
    /// A response: refused, or the disk could not.
    pub const ERROR: u32 = u32::MAX;
}

/// Why a hypercall was refused; Linux's numbers, as in Xen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Errno {
    /// Something that is not the guest's.
    #[error("EPERM")]
    Permission,
    /// A pointer to where the guest cannot read.
    #[error("EFAULT")]
    Fault,
    /// A frame that is in use as something else.
    #[error("EBUSY")]
    Busy,
    /// An argument that has no meaning.
    #[error("EINVAL")]
    Invalid,
    /// A number that no hypercall has.
    #[error("ENOSYS")]
    NoSuchCall,
}

impl Errno {
    /// What the guest finds in `a0`: a small negative number.
    pub fn code(self) -> i32 {
        match self {
            Errno::Permission => -1,
            Errno::Fault => -14,
            Errno::Busy => -16,
            Errno::Invalid => -22,
            Errno::NoSuchCall => -38,
        }
    }
}

/// A hypercall: `hcall` in ring 1 with its number in `t0`, arguments in `a0` and `a1`, the result in `a0`: 0, or
/// an error. From ring 3 it is a trap for the guest kernel, as on the bare machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hypercall {
    /// Where the guest's traps go.
    SetTrapTable,
    /// Page-table entries and commands, in a batch.
    MmuUpdate,
    /// Where events go.
    SetCallbacks,
    /// The virtual timer.
    SetTimerOp,
    /// Back from a trap or an upcall.
    Iret,
    /// Give the processor away.
    SchedOp,
    /// Notify the other side of a ring.
    EventChannelOp,
    /// Hand over the page of a ring.
    ConnectRing,
    /// Translate by another table, where page tables are shadowed.
    LoadTable,
}

/// A hypercall as documentation shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Documentation {
    /// The value in `t0`.
    pub number: u32,
    /// The name.
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// The arguments.
    pub arguments: &'static str,
    /// What is returned if all is well.
    pub result: &'static str,
    /// Which errors there are, and why.
    pub errors: &'static str,
}

impl Hypercall {
    /// All of them, in the order of their numbers.
    pub const ALL: [Hypercall; 9] = [
        Hypercall::SetTrapTable,
        Hypercall::MmuUpdate,
        Hypercall::SetCallbacks,
        Hypercall::SetTimerOp,
        Hypercall::Iret,
        Hypercall::SchedOp,
        Hypercall::EventChannelOp,
        Hypercall::ConnectRing,
        Hypercall::LoadTable,
    ];

    /// The hypercall of this number.
    pub fn from_number(number: u32) -> Option<Hypercall> {
        Hypercall::ALL
            .into_iter()
            .find(|call| call.documentation().number == number)
    }

    /// Its name, as counts and events show it.
    pub fn name(self) -> &'static str {
        self.documentation().name
    }

    /// Its row of the table.
    pub fn documentation(self) -> Documentation {
        match self {
            Hypercall::SetTrapTable => Documentation {
                number: 0,
                name: "set_trap_table",
                does: "registers handlers for traps",
                arguments: "a0: address of a1 pairs of words, at most 32: cause, handler",
                result: "0",
                errors: "EFAULT a pair cannot be read; EINVAL more than 32, or a cause above 31",
            },
            Hypercall::MmuUpdate => Documentation {
                number: 1,
                name: "mmu_update",
                does: "validates and carries out page-table updates and commands, in their order",
                arguments: "a0: address of a1 pairs of words, at most 2048: where, what",
                result: "0; a1: how many were carried out",
                errors: "EFAULT a pair cannot be read; EINVAL more than 2048, or a pair without meaning; EPERM a \
                         frame that is not the guest's, or an entry that is the monitor's; EBUSY a frame that is in \
                         use as something else. Those before it are carried out",
            },
            Hypercall::SetCallbacks => Documentation {
                number: 4,
                name: "set_callbacks",
                does: "registers where upcalls enter",
                arguments: "a0: address",
                result: "0",
                errors: "none",
            },
            Hypercall::SetTimerOp => Documentation {
                number: 15,
                name: "set_timer_op",
                does: "sends an event on channel 0 when so much time is over; takes an earlier wish back",
                arguments: "a0: ticks from now, 0 for never",
                result: "0",
                errors: "none",
            },
            Hypercall::Iret => Documentation {
                number: 23,
                name: "iret",
                does: "goes where the trap frame in the shared page says: address, ring, upcalls, t0",
                arguments: "none",
                result: "does not return",
                errors: "none: a ring that is not 3 is 1",
            },
            Hypercall::SchedOp => Documentation {
                number: 29,
                name: "sched_op",
                does: "a0 = 0 comes back at once, 1 waits for an event, 2 ends the guest",
                arguments: "a0: operation; a1: exit code",
                result: "0",
                errors: "EINVAL another operation",
            },
            Hypercall::EventChannelOp => Documentation {
                number: 32,
                name: "event_channel_op",
                does: "a0 = 4 tells the monitor that the ring of a channel has something for it",
                arguments: "a0: operation; a1: channel",
                result: "0",
                errors: "EINVAL another operation, no ring on this channel, or indices that cannot be",
            },
            Hypercall::ConnectRing => Documentation {
                number: 48,
                name: "connect_ring",
                does: "makes a page the ring of a channel, for good",
                arguments: "a0: channel, 1 disk or 2 console; a1: machine address of a page",
                result: "0",
                errors: "EINVAL no such ring, or no page's address; EPERM a frame that is not the guest's; EBUSY \
                         the ring is connected, or the frame is a page table",
            },
            Hypercall::LoadTable => Documentation {
                number: 49,
                name: "load_table",
                does: "translates by this root table from here on, where page tables are shadowed",
                arguments: "a0: address of the table",
                result: "0",
                errors: "ENOSYS where page tables are validated",
            },
        }
    }
}
