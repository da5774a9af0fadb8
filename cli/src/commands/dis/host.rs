//! `trapeze dis --host`: the guest's code beside the code of the host that it becomes.

use std::collections::BTreeMap;
use std::rc::Rc;

use accel::{HostBlock, HostCode, HostPart, Purpose};
use iced_x86::{
    Code, Decoder, DecoderOptions, Formatter, Instruction, IntelFormatter, MemorySizeOptions, Register,
    SymbolResolver, SymbolResult,
};
use scenarios::Scenario;
use scenarios::listing::Listing;
use serde_json::{Value, json};
use toy_isa::disasm::{REGISTER_NAMES, disassemble};
use vmm_core::engine::EngineName;
use vmm_core::mode::ModeName;
use vmm_core::run::Run;

use crate::arguments;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::{Output, Paint};
use crate::text::{counted, cut, wrap};

/// Width of the guest's column.
const LEFT: usize = 38;

/// An instruction of the host.
struct Host {
    offset: usize,
    text: String,
}

/// Runs the scenario in mode `jit` and shows what code of the host there is at its end, or that which has the
/// instruction at this place.
pub(super) fn run(name: &str, at: Option<&str>, budget: Option<u64>, output: &Output) -> Result<(), Failure> {
    let scenario = arguments::find(name)?;
    let at = at.map(|at| arguments::place(&scenario, at)).transpose()?;
    let code = translate(&scenario, budget)?;
    let holds = |block: &&HostBlock| at.is_none_or(|at| addresses(block).any(|address| address == at));
    let places = Rc::new(places(&code));
    let blocks: Vec<&HostBlock> = code.blocks.iter().filter(holds).collect();
    if let (Some(at), []) = (at, blocks.as_slice()) {
        return Err(Failure::new(
            ExitCode::BadInput,
            format!(
                "no block has the instruction at {at:#010x}: it was not executed often enough to be translated, or \
                 always goes step by step; `trapeze dis --host {name}` shows those that were"
            ),
        ));
    }
    if output.json {
        let blocks: Vec<Value> = blocks.iter().map(|block| block_json(block, &places)).collect();
        return output.object(&json!({
            "scenario": scenario.name,
            "registers": homes(&code),
            "blocks": blocks,
        }));
    }
    if blocks.is_empty() {
        return output.text(
            "At the end there was no block: too little was executed often, or its code has changed.\n",
        );
    }
    let listing = Listing::new(&scenario.setup.image, &scenario.sources);
    for block in blocks {
        output.text(&render(block, &places, &listing, output.paint))?;
    }
    output.text(&legend(&code))
}

fn translate(scenario: &Scenario, budget: Option<u64>) -> Result<HostCode, Failure> {
    let what = || format!("cannot translate the guest of '{}'", scenario.name);
    let mut run = Run::new(&scenario.setup, ModeName::Jit, EngineName::Auto).or_bad_input(what)?;
    if let Some(emulated) = run.emulated_mut() {
        emulated.keep_listing();
    }
    run.finish(budget.unwrap_or(scenario.budget));
    Ok(run
        .emulated()
        .map_or_else(HostCode::default, |emulated| emulated.code()))
}

/// The guest's addresses in a block.
fn addresses(block: &HostBlock) -> impl Iterator<Item = u32> + '_ {
    block.parts.iter().filter_map(|part| match part.what {
        Purpose::Instruction { address, .. } => Some(address),
        _ => None,
    })
}

/// Names of places in emitted code that do not depend on what was translated before.
type Places = BTreeMap<usize, String>;

fn places(code: &HostCode) -> Places {
    let blocks = code.blocks.iter();
    let blocks = blocks.map(|block| (block.origin, format!("block_{:x}", block.start)));
    let [leave, unknown] = code.ways_out;
    blocks
        .chain([(leave, "leave".to_string()), (unknown, "unknown".to_string())])
        .collect()
}

/// Names of what the code of a block refers to.
struct Names {
    places: Rc<Places>,
    origin: usize,
    end: usize,
    /// The part leaves, by the number of an exit.
    leaves: bool,
}

impl SymbolResolver for Names {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        _: u32,
        _: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let at = usize::try_from(address).ok()?;
        let name = if instruction.code() == Code::Mov_r32_imm32 {
            self.leaves.then(|| "exit".to_string())?
        } else if instruction.is_ip_rel_memory_operand() {
            "lanes".to_string()
        } else if instruction.near_branch_target() != address {
            return None;
        } else if (self.origin..self.end).contains(&at) && at != self.origin {
            format!(".{:x}", at - self.origin)
        } else {
            self.places.get(&at).cloned()?
        };
        Some(SymbolResult::with_string(address, name))
    }
}

/// Each part of a block with its code.
fn parts(block: &HostBlock, places: &Rc<Places>) -> Vec<(HostPart, Vec<Host>)> {
    let end = block.origin + block.code.len();
    let ends = block.parts.iter().skip(1).map(|part| part.at).chain([end]);
    let part = |(part, end): (&HostPart, usize)| (*part, disassembled(block, places, part, end));
    block.parts.iter().zip(ends).map(part).collect()
}

/// The host's instructions of a part of a block, which ends there.
fn disassembled(block: &HostBlock, places: &Rc<Places>, part: &HostPart, end: usize) -> Vec<Host> {
    let bytes = &block.code[part.at - block.origin..end - block.origin];
    let names = Names {
        places: Rc::clone(places),
        origin: block.origin,
        end: block.origin + block.code.len(),
        leaves: matches!(
            part.what,
            Purpose::Budget | Purpose::Before(_) | Purpose::To(_) | Purpose::Unknown
        ),
    };
    let mut formatter = IntelFormatter::with_options(Some(Box::new(names)), None);
    let options = formatter.options_mut();
    options.set_hex_prefix("0x");
    options.set_hex_suffix("");
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(true);
    options.set_space_after_operand_separator(true);
    options.set_space_between_memory_add_operators(true);
    options.set_branch_leading_zeros(false);
    options.set_displacement_leading_zeros(false);
    options.set_show_branch_size(false);
    options.set_memory_size_options(MemorySizeOptions::Minimal);
    Decoder::with_ip(64, bytes, part.at as u64, DecoderOptions::NONE)
        .into_iter()
        .map(|instruction| {
            let mut text = String::new();
            formatter.format(&instruction, &mut text);
            let offset = instruction.ip() as usize - block.origin;
            Host { offset, text }
        })
        .collect()
}

/// What stands on the guest's side of a part.
fn guest_side(what: Purpose) -> String {
    match what {
        Purpose::Enter => "  enter".to_string(),
        Purpose::Instruction { address, insn, .. } => {
            format!("{address:08x}  {}", disassemble(insn.encode(), address))
        }
        Purpose::Behind => "  on from here".to_string(),
        Purpose::Branch(address) => format!("  the branch at {address:08x}"),
        Purpose::Budget => "  out: no budget".to_string(),
        Purpose::Before(address) => format!("  out: before {address:08x}"),
        Purpose::To(address) => format!("  out: on at {address:08x}"),
        Purpose::Unknown => "  out: on somewhere".to_string(),
    }
}

/// A block, in two columns: each instruction of the guest, and beside it what it became.
fn render(block: &HostBlock, places: &Rc<Places>, listing: &Listing, paint: Paint) -> String {
    let place = listing.place(block.start);
    let own = block.parts.iter().find_map(|part| match part.what {
        Purpose::Instruction { insn, .. } => Some(insn.encode()),
        _ => None,
    });
    // A program's addresses may be those of something else in the image.
    let near = place.near().filter(|_| place.word == own);
    let near = near.map_or(String::new(), |near| format!(", {near}"));
    let memory = if block.paged { "by pages" } else { "flat" };
    let head = format!(
        "Block of {:#010x}{near}: {}, memory {memory}",
        block.start,
        counted(block.code.len() as u64, "byte", "bytes")
    );
    let mut text = paint.strong(&cut(&head, crate::text::WIDTH)) + "\n";
    let mut cautious = false;
    for (part, code) in parts(block, places) {
        if matches!(part.what, Purpose::Instruction { cautious: true, .. }) && !cautious {
            cautious = true;
            text += &(paint.faint("  again, with nothing taken for granted") + "\n");
        }
        if code.is_empty() && !matches!(part.what, Purpose::Instruction { .. }) {
            continue;
        }
        let mut left = guest_side(part.what);
        for Host { offset, text: host } in &code {
            let line = format!("{left:<LEFT$}{offset:>4x}  {host}");
            text += &(cut(&line, crate::text::WIDTH).trim_end().to_string() + "\n");
            left.clear();
        }
        if code.is_empty() {
            text += &(left + "\n");
        }
    }
    text + "\n"
}

/// The registers of the guest that have one of the host.
fn homes(code: &HostCode) -> Vec<(&'static str, String)> {
    let name = |(x, host): &(u8, u8)| {
        let register = Register::EAX + u32::from(*host);
        (
            REGISTER_NAMES[usize::from(*x)],
            format!("{register:?}").to_lowercase(),
        )
    };
    code.homes.iter().map(name).collect()
}

fn legend(code: &HostCode) -> String {
    let homes: Vec<String> = homes(code)
        .iter()
        .map(|(guest, host)| format!("{guest} {host}"))
        .collect();
    wrap(
        "",
        &format!(
            "Registers: {}; the others stand from rsp on, four bytes each, and before a loop they take the places of \
             those that it does not use. rsp is the engine's context, r14 the budget in instructions, r15 the guest's \
             memory, or the addends of its pages. A loop is repeated until a turn costs little; an instruction with \
             nothing beside it is done by what stands above it, or costs nothing.",
            homes.join(", ")
        ),
    )
}

fn block_json(block: &HostBlock, places: &Rc<Places>) -> Value {
    let parts: Vec<Value> = parts(block, places)
        .into_iter()
        .map(|(part, code)| {
            let host: Vec<Value> = code
                .iter()
                .map(|host| json!({ "offset": host.offset, "instruction": host.text }))
                .collect();
            let (kind, address) = match part.what {
                Purpose::Enter => ("enter", None),
                Purpose::Instruction {
                    cautious: false,
                    address,
                    ..
                } => ("instruction", Some(address)),
                Purpose::Instruction {
                    cautious: true,
                    address,
                    ..
                } => ("again", Some(address)),
                Purpose::Behind => ("behind", None),
                Purpose::Branch(address) => ("branch", Some(address)),
                Purpose::Budget => ("budget", None),
                Purpose::Before(address) => ("before", Some(address)),
                Purpose::To(address) => ("to", Some(address)),
                Purpose::Unknown => ("unknown", None),
            };
            let instruction = match part.what {
                Purpose::Instruction { address, insn, .. } => Some(disassemble(insn.encode(), address)),
                _ => None,
            };
            json!({ "kind": kind, "address": address, "instruction": instruction, "host": host })
        })
        .collect();
    json!({
        "start": block.start,
        "paged": block.paged,
        "offset": block.origin,
        "bytes": block.code.len(),
        "parts": parts,
    })
}
