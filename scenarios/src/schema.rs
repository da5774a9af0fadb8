//! Every key of a scenario file. The JSON Schema and the README follow this file.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;
use toy_isa::profile::ProfileName;
use vmm_core::mode::ModeName;

pub use crate::values::{Amount, Size, Word};

/// A scenario: a guest, its machine, the modes to run it under, and what is expected to come of it.
///
/// Paths are relative to the folder of the scenario's file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// One line that tells what it is.
    pub title: String,
    /// What it shows, in a paragraph or two.
    #[serde(default)]
    pub about: String,
    /// The machine that the guest expects.
    #[serde(default)]
    pub machine: MachineTable,
    /// The guest's program: `sources` or `elf`.
    #[schemars(with = "GuestTable")]
    pub guest: Spanned<GuestTable>,
    /// How to run it.
    #[serde(default)]
    pub run: RunTable,
    /// What mode `assist` does differently.
    #[serde(default)]
    pub assist: AssistTable,
    /// Several guests under one monitor: what `trapeze crowd` runs.
    #[serde(default)]
    pub crowd: CrowdTable,
    /// What is expected of every run; `[expect.mode.NAME]` overrides it for one mode, key by key.
    #[serde(default)]
    pub expect: ExpectTable,
}

/// `[machine]`: the machine that the guest expects.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineTable {
    /// What sensitive instructions do outside ring 0: `classic` (default), `leaky`, `hybrid` or `assist`.
    #[schemars(schema_with = "profile")]
    pub profile: Option<Spanned<String>>,
    /// RAM from address 0: 4 KiB to 256 MiB in whole pages of 4 KiB; default 4 MiB.
    #[schemars(with = "Option<Size>")]
    pub memory: Option<Spanned<Size>>,
    /// A file with the contents of the disk, at most 64 MiB; without it the disk has no sectors.
    #[schemars(with = "Option<String>")]
    pub disk: Option<Spanned<String>>,
    /// What waits at the console to be read.
    #[serde(default)]
    pub input: String,
    /// Entries in each half of the TLB's counting model: a power of two, at most 65536; default 64.
    #[schemars(with = "Option<u64>")]
    pub tlb: Option<Spanned<u64>>,
    /// Which real frames a monitor gives to the guest; another seed must not change what the guest does.
    pub seed: Option<u64>,
    /// Rows of the ISA that differ from the profile: `"csrw status" = "takes-effect"`. A row is a mnemonic,
    /// or `csrr` or `csrw` with a control register; it can be `traps`, `leaks`, `ignored`, `partial` or
    /// `takes-effect`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub rows: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// `[guest]`: the guest's program.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestTable {
    /// Assembler files, at most 64 of at most 1 MiB; they are assembled as one program that begins at
    /// `_start`.
    #[schemars(with = "Option<Vec<String>>")]
    pub sources: Option<Spanned<Vec<Spanned<String>>>>,
    /// Where the first section of the sources stands; default 0x1000.
    #[schemars(with = "Option<Word>")]
    pub origin: Option<Spanned<Word>>,
    /// Symbols that are defined before the first line of the sources, as by `.equ`.
    #[schemars(with = "BTreeMap<String, i64>")]
    #[serde(default)]
    pub defines: BTreeMap<Spanned<String>, i64>,
    /// An ELF32 executable for RISC-V, at most 64 MiB, in place of sources. One for 32 registers runs in mode
    /// `interpret` only.
    #[schemars(with = "Option<String>")]
    pub elf: Option<Spanned<String>>,
    /// Other scenarios' guests that are placed in memory, as a boot loader places modules: at most 8.
    #[schemars(with = "Vec<ModuleTable>")]
    #[serde(default)]
    pub modules: Vec<Spanned<ModuleTable>>,
    /// The guest with its hardware layer ported to the paravirtual interface: what mode `para` runs.
    #[schemars(with = "Option<PortTable>")]
    pub port: Option<Spanned<PortTable>>,
}

/// `[guest.port]`: files of the guest's hardware layer in another version, for the paravirtual interface. Each takes
/// the place of the guest's source of the same name. Mode `para` needs `kernel` and `pages`, and takes the devices as
/// well; a policy takes what it names.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortTable {
    /// A file that goes before all others: what the ported ones know of the interface.
    #[schemars(with = "Option<String>")]
    pub interface: Option<Spanned<String>>,
    /// What the kernel may not do with its processor.
    #[schemars(with = "Option<String>")]
    pub kernel: Option<Spanned<String>>,
    /// Page tables, where the monitor validates them.
    #[schemars(with = "Option<String>")]
    pub pages: Option<Spanned<String>>,
    /// Page tables, where the monitor keeps shadows of them.
    #[schemars(with = "Option<String>")]
    pub shadowed_pages: Option<Spanned<String>>,
    /// The timer.
    #[schemars(with = "Option<String>")]
    pub timer: Option<Spanned<String>>,
    /// The console.
    #[schemars(with = "Option<String>")]
    pub console: Option<Spanned<String>>,
    /// The disk.
    #[schemars(with = "Option<String>")]
    pub disk: Option<Spanned<String>>,
    /// How many page-table updates the kernel should collect before it hands them over: 1 to 2048; default 128.
    #[schemars(with = "Option<u32>")]
    pub batch: Option<Spanned<u32>>,
    /// How a line of the console tells which process wrote it: by what it begins with, blanks aside. `#` stands for any
    /// number.
    #[serde(default)]
    pub streams: Vec<String>,
    /// How the console calls a process by its number: `pid #`. A kernel gives these numbers in the order of births,
    /// which depends on whose turn it was: where only they differ, nothing does.
    pub process: Option<String>,
}

/// One of `[guest] modules`: another scenario's guest that is placed in memory, and does not run of itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModuleTable {
    /// The folder of the scenario.
    #[schemars(with = "String")]
    pub scenario: Spanned<String>,
    /// What is added to the addresses of its image.
    #[schemars(with = "Word")]
    pub at: Spanned<Word>,
    /// The sources know `at` by this name; with `_ENTRY` added, where the module wants to begin, by its own addresses;
    /// with `_MEMORY` added, how much memory it expects.
    pub name: String,
}

/// `[assist]`: what mode `assist` does differently from what its monitor needs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssistTable {
    /// Rows and traps that make the guest leave as well: `"csrw ptbr"`, `"ecall"`, `"load page fault"`.
    #[schemars(with = "Vec<String>")]
    #[serde(default)]
    pub exits: Vec<Spanned<String>>,
    /// Rows and traps that do not, although the monitor needs them to.
    #[schemars(with = "Vec<String>")]
    #[serde(default)]
    pub no_exits: Vec<Spanned<String>>,
}

/// `[run]`: how to run it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunTable {
    /// The modes, each once; default all that can run the guest.
    #[schemars(schema_with = "modes")]
    pub modes: Option<Spanned<Vec<Spanned<String>>>>,
    /// Attempts at an instruction after which a run is ended; default 50,000,000.
    #[schemars(with = "Option<u64>")]
    pub budget: Option<Spanned<u64>>,
}

/// `[crowd]`: several guests under one monitor, which share the processor by their weights.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrowdTable {
    /// How many of this guest: 1 to 256; default 8.
    #[schemars(with = "Option<u32>")]
    pub guests: Option<Spanned<u32>>,
    /// The weights, one guest after the other and again from the first: 1 to 1000 each; default all the same.
    #[schemars(with = "Vec<u32>")]
    #[serde(default)]
    pub weights: Vec<Spanned<u32>>,
    /// Folders of other scenarios: one guest of each, after these, on the same machine.
    #[schemars(with = "Vec<String>")]
    #[serde(default)]
    pub beside: Vec<Spanned<String>>,
    /// What an exit costs a guest in fuel, of which an instruction that retires costs 1: 1 to 1,000,000; default 200.
    #[schemars(with = "Option<u64>")]
    pub exit_fuel: Option<Spanned<u64>>,
}

/// `[expect]`: what is expected of every run, or in `[expect.mode.NAME]` of the runs of one mode.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectTable {
    /// The guest switches itself off, with this exit code.
    #[schemars(with = "Option<Word>")]
    pub exit_code: Option<Spanned<Word>>,
    /// How the guest ends.
    #[schemars(with = "Option<EndName>")]
    pub end: Option<Spanned<EndName>>,
    /// The whole console output. Control characters are written as TOML writes them.
    pub console: Option<String>,
    /// Parts of the console output.
    pub console_contains: Option<Vec<String>>,
    /// Registers and control registers at the end, as the guest sees them: `a0 = 42`, `pc`, `epc`.
    #[schemars(with = "BTreeMap<String, Word>")]
    #[serde(default)]
    pub registers: BTreeMap<Spanned<String>, Word>,
    /// Words of guest-physical memory at the end, by address or by symbol: `"0x5000" = 1`, `counter = 3`.
    #[schemars(with = "BTreeMap<String, Word>")]
    #[serde(default)]
    pub memory: BTreeMap<Spanned<String>, Word>,
    /// How often something happened, exactly or as `{ min = .., max = .. }`.
    #[schemars(with = "BTreeMap<String, Amount>")]
    #[serde(default)]
    pub counts: BTreeMap<Spanned<String>, Amount>,
    /// Popek and Goldberg's properties. In `[expect]` they are meant for the modes that have a monitor: not
    /// for `bare`.
    #[serde(default)]
    pub verdict: VerdictTable,
    /// Expectations of one mode. They take the place of those of the same key in `[expect]`.
    #[schemars(with = "BTreeMap<String, ExpectTable>")]
    #[serde(default)]
    pub mode: BTreeMap<Spanned<String>, ExpectTable>,
}

/// `verdict`: which of the three properties hold.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictTable {
    /// The guest's state is that of the bare machine, at every point of comparison.
    pub equivalence: Option<bool>,
    /// The monitor alone decides on resources.
    pub resource_control: Option<bool>,
    /// Innocuous instructions run on the hardware.
    pub efficiency: Option<bool>,
    /// The rows through which the guest left the path of the bare machine: these and no others, in any order.
    #[schemars(with = "Option<Vec<String>>")]
    pub holes: Option<Vec<Spanned<String>>>,
}

/// How a guest ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndName {
    /// It switches itself off.
    PowerOff,
    /// It waits for an interrupt that can never come.
    Deadlock,
    /// The first instruction of its trap handler cannot be fetched.
    DoubleFault,
    /// The processor refuses to enter it, because its control structure is not valid.
    Refused,
    /// It does not end by itself: the budget is used up.
    Budget,
}

fn profile(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ProfileName::ALL.map(ProfileName::name) })
}

fn modes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "type": "string", "enum": ModeName::ALL.map(ModeName::name) },
        "minItems": 1,
        "uniqueItems": true,
    })
}
