//! Every key of a tour's file. The JSON Schema and the README follow this file.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use toml::Spanned;
use toy_isa::profile::ProfileName;
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use super::View;
use super::sought::{EVENTS, ways};

/// A guided tour: a way through a run, stop by stop.
///
/// Texts are paragraphs, with a blank line between them. A figure of the run is never typed: `{exits}` stands for it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tour")]
pub struct Document {
    /// One line that tells what it is.
    pub title: String,
    /// What one will have seen at the end, in a paragraph.
    #[serde(default)]
    pub about: String,
    /// The scenario: the name of a shipped one, or the path of one from the folder of this file.
    #[schemars(with = "String")]
    pub scenario: Spanned<String>,
    /// The machine's profile; default the scenario's own.
    #[schemars(schema_with = "profile")]
    pub profile: Option<Spanned<String>>,
    /// The mode; default trap-and-emulate, if the scenario lists it, else the first that it lists.
    #[schemars(schema_with = "mode")]
    pub mode: Option<Spanned<String>>,
    /// The list of prices that cycles are counted in; default `textbook`.
    #[schemars(schema_with = "prices")]
    pub prices: Option<Spanned<String>>,
    /// The stops, 1 to 100.
    #[serde(default, rename = "stop")]
    #[schemars(with = "Vec<StopTable>", length(min = 1, max = 100))]
    pub stops: Vec<Spanned<StopTable>>,
}

/// `[[stop]]`: where to go, what to look at there, what is said.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopTable {
    /// A name, by which figures of later stops can refer to this one.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// From here on, another scenario, on its own profile unless `profile` says otherwise.
    #[schemars(with = "Option<String>")]
    pub scenario: Option<Spanned<String>>,
    /// From here on, another profile of the machine.
    #[schemars(schema_with = "profile")]
    pub profile: Option<Spanned<String>>,
    /// From here on, another mode.
    #[schemars(schema_with = "mode")]
    pub mode: Option<Spanned<String>>,
    /// From here on, another list of prices.
    #[schemars(schema_with = "prices")]
    pub prices: Option<Spanned<String>>,
    /// Where to run to. Without it the run stays where it is; where the mode or the profile is another one, it goes to
    /// the same instruction of the guest there.
    #[schemars(with = "Option<TargetTable>")]
    pub to: Option<Spanned<TargetTable>>,
    /// From here on, what to look at; the first stop looks at `machine` unless it says otherwise.
    #[schemars(schema_with = "view")]
    pub view: Option<Spanned<String>>,
    /// The pane of the view that is pointed out.
    #[schemars(with = "Option<String>")]
    pub pane: Option<Spanned<String>>,
    /// From here on, the modes that view `compare` has side by side, 2 to 4.
    #[schemars(schema_with = "modes")]
    pub compare: Option<Spanned<Vec<Spanned<String>>>>,
    /// A question that is asked before the run goes on to this stop.
    #[schemars(with = "Option<AskTable>")]
    pub ask: Option<Spanned<AskTable>>,
    /// What is said.
    #[schemars(with = "String")]
    pub say: Spanned<String>,
    /// What the presenter alone reads.
    #[schemars(with = "Option<String>")]
    pub notes: Option<Spanned<String>>,
    /// What the texts claim of the run, so that it can be checked: `"exits since = 1"`, `"cycles of trap > cycles"`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub holds: Vec<Spanned<String>>,
}

/// `to`: where a stop is: `event`, `instruction`, `symbol` or `end`. Where mode, profile or scenario are other ones
/// than at the stop before, it is looked for from power-on, else from that stop on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetTable {
    /// After an event of this name.
    #[schemars(schema_with = "event")]
    pub event: Option<Spanned<String>>,
    /// That happened to the guest in this (virtual) ring.
    #[schemars(with = "Option<u32>")]
    pub ring: Option<Spanned<u32>>,
    /// Of an `exit`, a `vm-exit` or an `enter`: the trap, as in `"system call from ring 3"`.
    #[schemars(with = "Option<String>")]
    pub cause: Option<Spanned<String>>,
    /// Of an `emulate`, an `exit` or a `vm-exit`: the row of the instruction, as in `"csrw status"`.
    #[schemars(with = "Option<String>")]
    pub row: Option<Spanned<String>>,
    /// Of an `enter`: `hardware`, `reflected`, `injected` or `upcall`. Of an `emulate-access`: `device`, `traced`,
    /// `code`, `above-limit`, `deadline` or `plain`.
    #[schemars(schema_with = "way")]
    pub how: Option<Spanned<String>>,
    /// Of a `return`: the ring that is returned to.
    #[schemars(with = "Option<u32>")]
    pub to_ring: Option<Spanned<u32>>,
    /// Of a `hypercall`: its name.
    #[schemars(with = "Option<String>")]
    pub hypercall: Option<Spanned<String>>,
    /// Of an `event-sent` or a `ring-served`: the channel, `timer`, `disk` or `console`.
    #[schemars(with = "Option<String>")]
    pub channel: Option<Spanned<String>>,
    /// The so-manieth of them; default the first.
    #[schemars(with = "Option<u64>")]
    pub nth: Option<Spanned<u64>>,
    /// When so many instructions of the guest have retired since power-on.
    #[schemars(with = "Option<u64>")]
    pub instruction: Option<Spanned<u64>>,
    /// When the guest's program counter is at this symbol.
    #[schemars(with = "Option<String>")]
    pub symbol: Option<Spanned<String>>,
    /// When the guest is over: `true`.
    #[schemars(with = "Option<bool>")]
    pub end: Option<Spanned<bool>>,
}

/// `ask`: a prediction that is asked for before the answer can be seen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskTable {
    /// The question.
    #[schemars(with = "String")]
    pub question: Spanned<String>,
    /// The answers to choose from, 2 to 4.
    #[schemars(with = "Vec<String>", length(min = 2, max = 4))]
    pub choices: Spanned<Vec<Spanned<String>>>,
    /// The right one: 1 is the first.
    #[schemars(with = "usize")]
    pub right: Spanned<usize>,
    /// Why it is the right one: what is said when the stop is reached.
    #[schemars(with = "String")]
    pub answer: Spanned<String>,
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Schema {
    let names: Vec<&str> = names.into_iter().collect();
    json_schema!({ "type": ["string", "null"], "enum": names })
}

fn profile(_: &mut SchemaGenerator) -> Schema {
    names(ProfileName::ALL.map(ProfileName::name))
}

fn mode(_: &mut SchemaGenerator) -> Schema {
    names(super::modes().map(ModeName::name))
}

fn modes(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = super::modes().map(ModeName::name).collect();
    json_schema!({
        "type": ["array", "null"],
        "items": { "type": "string", "enum": names },
        "minItems": 2,
        "maxItems": 4,
    })
}

fn prices(_: &mut SchemaGenerator) -> Schema {
    names(PriceList::NAMES)
}

fn view(_: &mut SchemaGenerator) -> Schema {
    names(View::ALL.map(View::name))
}

fn event(_: &mut SchemaGenerator) -> Schema {
    names(EVENTS.iter().map(|(name, _)| *name))
}

fn way(_: &mut SchemaGenerator) -> Schema {
    names([ways("enter"), ways("emulate-access")].concat())
}
