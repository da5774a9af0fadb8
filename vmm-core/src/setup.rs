//! What a run starts from: a guest, and the machine that it expects.

use std::borrow::Cow;
use std::sync::Arc;

use accel::Unavailable;
use accel::kvm::KvmError;
use toy_isa::image::Image;
use toy_isa::machine::{LoadError, TLB_ENTRIES};
use toy_isa::profile::Profile;
use toy_isa::ram::Ram;
use toy_isa::root::Exits;

use crate::mode::ModeName;

/// A guest and its machine. The same setup runs in every mode.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The guest's program.
    pub image: Arc<Image>,
    /// The guest's RAM in bytes, at most [`Setup::MEMORY_LIMIT`].
    pub memory: u32,
    /// What sensitive rows do outside ring 0.
    pub profile: Arc<Profile>,
    /// Contents of the disk.
    pub disk: Vec<u8>,
    /// Waiting console input.
    pub input: Vec<u8>,
    /// Entries in each half of the TLB's counting model, a power of two.
    pub tlb: usize,
    /// Decides which real frames a monitor gives to the guest.
    pub seed: u64,
    /// The most ticks for which a guest has the processor before its monitor has it back: 2 to [`Setup::QUANTUM`].
    pub quantum: u64,
    /// The guest, ported to the paravirtual interface, if somebody has done that.
    pub port: Option<Port>,
    /// What makes the guest leave under mode `assist`, beside what the monitor needs.
    pub exits: Exits,
    /// What does not, although the monitor needs it: to see what is lost.
    pub no_exits: Exits,
}

/// A guest that was ported, in parts or as a whole, to the paravirtual interface of [`crate::modes::para`].
#[derive(Clone, Debug)]
pub struct Port {
    /// The ported program.
    pub image: Arc<Image>,
    /// What of its hardware layer was ported.
    pub parts: Parts,
    /// How many page-table updates its kernel should collect before it hands them over: 1 to
    /// [`BATCH_LIMIT`](crate::modes::para::interface::BATCH_LIMIT).
    pub batch: u32,
    /// How the lines of its console name the processes that wrote them: see [`crate::check::streams`].
    pub streams: Vec<String>,
    /// How its console calls a process by its number, if it does, such as `pid #`: where only such numbers differ,
    /// nothing does.
    pub process: Option<String>,
}

/// Who looks after the page tables of a kernel that was ported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortedPages {
    /// The processor walks the kernel's own, and the monitor validates each change: mode `para`.
    Validated,
    /// They stay as they are on the bare machine, and the monitor keeps shadows of them.
    Shadowed,
}

/// The parts of a guest's hardware layer that are those of its port; the others are as on the bare machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parts {
    /// The kernel's use of the processor, and its page tables.
    pub kernel: Option<PortedPages>,
    /// The timer.
    pub timer: bool,
    /// The console.
    pub console: bool,
    /// The disk.
    pub disk: bool,
}

impl Parts {
    /// All of them: the guest of mode `para`.
    pub const ALL: Parts = Parts {
        kernel: Some(PortedPages::Validated),
        timer: true,
        console: true,
        disk: true,
    };

    /// None: the guest as it is.
    pub const NONE: Parts = Parts {
        kernel: None,
        timer: false,
        console: false,
        disk: false,
    };
}

/// Why a guest cannot be started under a mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It does not fit the machine.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The host does not have the engine.
    #[error(transparent)]
    Engine(#[from] Unavailable),
    /// The host has no virtual machine for it.
    #[error("mode kvm cannot run here: {0}")]
    Kvm(#[from] KvmError),
    /// It had, and the host failed it when it had begun.
    #[error("the host failed what executes the program: {0}")]
    Failed(String),
    /// The host cannot execute what the mode translates to.
    #[error("mode jit cannot run here: {}; mode interpret runs everywhere", .0.0)]
    NoTranslator(Unavailable),
    /// The mode is shown with one guest only.
    #[error("mode {0} runs one guest; several run under trap, translate, para and assist")]
    Alone(&'static str),
    /// A machine has room for some guests, but not for so many.
    #[error(
        "{0} guests: a machine has room for one or more, and for 1 GiB in all of guests, their disks and monitors \
         of 4 MiB each"
    )]
    TooManyGuests(usize),
    /// A kernel that asks the monitor for everything runs where there is somebody to be asked.
    #[error(
        "a kernel that was ported to shadowed page tables runs under trap-and-emulate, and not under mode {0}"
    )]
    PortedKernel(&'static str),
    /// Mode `para` runs ported kernels, and nobody has ported this one.
    #[error(
        "mode para runs a ported kernel, and this guest has no port; \
         a scenario names the sources of its port in [guest.port]"
    )]
    NoPort,
    /// The guest may name registers that the hardware does not have, and every mode but one lets it run there.
    #[error(
        "this guest is compiled for 32 registers (RV32I), and Ring32's hardware has 16: only pure emulation can run it \
         (--mode interpret); for the other modes, compile it with -march=rv32em -mabi=ilp32e"
    )]
    Foreign,
    /// Mode `assist` needs hardware with root operation.
    #[error(
        "hardware assistance needs root operation, which profile {0} does not have; \
         profile assist has it (--profile assist, or profile = \"assist\" in [machine])"
    )]
    NoRootOperation(String),
}

impl Setup {
    /// Whether the guest in this mode is the port. Mode `para` runs a kernel whose page tables are validated; a guest
    /// of which less was ported runs where a monitor executes the rest directly.
    pub fn runs_port(&self, mode: ModeName) -> bool {
        let validated = |port: &Port| port.parts.kernel == Some(PortedPages::Validated);
        match (&self.port, mode) {
            (None, _) => false,
            (Some(port), ModeName::Para) => validated(port),
            (
                Some(port),
                ModeName::Trap(_) | ModeName::Translate(_) | ModeName::Assist(_) | ModeName::Kvm,
            ) => !validated(port),
            (
                Some(_),
                ModeName::Bare | ModeName::Interpret | ModeName::Jit | ModeName::Hybrid | ModeName::Hundred,
            ) => false,
        }
    }

    /// The setup with the program that the guest has in this mode, and only the port that it is.
    pub(crate) fn in_mode(&self, mode: ModeName) -> Cow<'_, Setup> {
        if self.port.is_none() {
            return Cow::Borrowed(self);
        }
        let port = self.port.clone().filter(|_| self.runs_port(mode));
        let image = port.as_ref().map_or(&self.image, |port| &port.image);
        Cow::Owned(Setup {
            image: Arc::clone(image),
            port,
            ..self.clone()
        })
    }

    /// A monitor regains control after at most this many clock ticks, whatever the guest does.
    pub const QUANTUM: u64 = 65_536;

    /// The most RAM that a guest may have: 256 MiB.
    pub const MEMORY_LIMIT: u32 = 256 << 20;

    /// A guest with `memory` bytes of RAM on this profile, no disk and no input.
    pub fn new(image: Image, memory: u32, profile: Profile) -> Setup {
        const {
            assert!(
                Setup::MEMORY_LIMIT < Ram::LIMIT,
                "a monitor needs room beside the guest"
            )
        };
        Setup {
            image: Arc::new(image),
            memory,
            profile: Arc::new(profile),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: TLB_ENTRIES,
            seed: 1974,
            quantum: Setup::QUANTUM,
            port: None,
            exits: Exits::default(),
            no_exits: Exits::default(),
        }
    }
}
