//! `trapeze why`: the causal chain of one event of a run.

use std::convert::Infallible;
use std::str::FromStr;

use scenarios::Scenario;
use scenarios::terminal::escape_line;
use serde_json::json;
use vmm_core::event::{self, Event, Record};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, mode};
use crate::chain::{self, Actor, Chain};
use crate::checked::price_note;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::listing::{Listing, Place};
use crate::output::{Output, Paint};
use crate::text::{WIDTH, cut, exact, wrap};

/// Arguments of `why`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The number of the event; without it, the first and the last events are listed
    #[arg(value_name = "N")]
    event: Option<EventOrScenario>,
    /// The name of a shipped scenario, or the path of one
    scenario: Option<String>,
    /// The method
    #[arg(long, value_name = "M", default_value = "trap", value_parser = mode())]
    mode: ModeName,
    /// List the first and the last events
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    guest: GuestOptions,
}

/// The first argument: a number is an event, and anything else a scenario.
#[derive(Clone)]
enum EventOrScenario {
    Event(u64),
    Scenario(String),
}

impl FromStr for EventOrScenario {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<EventOrScenario, Infallible> {
        Ok(match text.parse() {
            Ok(number) => EventOrScenario::Event(number),
            Err(_) => EventOrScenario::Scenario(text.to_string()),
        })
    }
}

impl Args {
    fn scenario(&self) -> &str {
        match (&self.scenario, &self.event) {
            (Some(scenario), _) | (None, Some(EventOrScenario::Scenario(scenario))) => scenario,
            _ => DEFAULT_SCENARIO,
        }
    }

    /// The event to explain, unless events are to be listed.
    fn number(&self) -> Option<u64> {
        match self.event {
            Some(EventOrScenario::Event(number)) if !self.list => Some(number),
            _ => None,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if let (Some(EventOrScenario::Scenario(extra)), Some(_)) = (&args.event, &args.scenario) {
        let message = format!("'{extra}' is no event: expected a number; `trapeze why --list` shows them");
        return Err(Failure::new(ExitCode::Usage, message));
    }
    let scenario = args.guest.load(args.scenario())?;
    match args.number() {
        Some(number) => explain(args, &scenario, number, output),
        None => list(args, &scenario, output),
    }
}

fn explain(args: &Args, scenario: &Scenario, number: u64, output: &Output) -> Result<(), Failure> {
    let found = output.busy(format!("running {}", scenario.name), || {
        chain::find(scenario, args.mode, args.guest.engine, number)
    })?;
    let (image, sources) = scenario.program(args.mode);
    let listing = Listing::new(image, sources);
    let place = listing.place_of(&found.root);
    let prices = PriceList::textbook();
    if output.json {
        let records = found.records().map(|record| {
            let mut object = serde_json::to_value(record).expect("a record is always JSON");
            object["cycles"] = json!(prices.of(&record.event));
            object
        });
        return output.object(&json!({
            "scenario": scenario.name,
            "mode": args.mode.name(),
            "event": number,
            "guest": { "ring": found.root.ring, "clock": found.root.clock, "place": place },
            "records": records.collect::<Vec<_>>(),
            "cycles": found.cycles(&prices),
            "price_list": { "name": prices.name, "assumed": prices.assumed },
        }));
    }
    let head = format!(
        "Event {number} of {}, {}",
        escape_line(scenario.name.as_bytes()),
        args.mode.describe()
    );
    let mut text = output.paint.strong(wrap("", &head).trim_end()) + "\n";
    text += &what_the_guest_did(&found.root, &place, output.paint);
    text += &what_others_did(&found, number, output.paint);
    text += &what_it_cost(&found, &prices, output.paint);
    output.text(&text)
}

fn what_the_guest_did(root: &Record, place: &Place, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.strong("What the guest did"));
    text += &wrap(
        "  ",
        &format!(
            "In its ring {}, at clock {}, it was at {} ({:#010x}).",
            root.ring,
            exact(root.clock),
            place.name(),
            root.pc
        ),
    );
    if chain::trap_of(&root.event).is_some_and(|trap| trap.cause.is_interrupt()) {
        text += "  Nothing that caused this: an interrupt came before this instruction.\n";
    }
    if let Some(instruction) = &place.instruction {
        text += &format!("  {:<12}  {instruction}\n", "instruction");
    }
    if let (Some(file), Some(line)) = (&place.file, place.line) {
        let source = place.source.as_deref().unwrap_or_default();
        let line = format!("  {:<12}  {file}:{line}  {source}", "source");
        text += cut(&escape_line(line.as_bytes()), WIDTH).trim_end();
        text.push('\n');
    }
    text
}

/// What the hardware, and then the monitor, made of it. The event that was asked for is marked.
fn what_others_did(found: &Chain, number: u64, paint: Paint) -> String {
    let mut text = String::new();
    for (actor, title) in [
        (Actor::Hardware, "What the hardware did"),
        (Actor::Monitor, "What the monitor did"),
    ] {
        let records: Vec<_> = found
            .records()
            .filter(|record| Actor::of(record) == actor)
            .collect();
        if !records.is_empty() {
            text += &format!("\n{}\n", paint.strong(title));
        }
        for record in records {
            let mark = if record.number == number { '>' } else { ' ' };
            text += &wrap(
                &format!("{mark} {:>10}  ", record.number),
                &record.event.sentence(),
            );
        }
    }
    text
}

fn what_it_cost(found: &Chain, prices: &PriceList, paint: Paint) -> String {
    let mut text = format!(
        "\n{}\n",
        paint.strong("What it cost, beside the guest's own instructions")
    );
    for record in found.records() {
        let cycles = prices.of(&record.event);
        if cycles > 0 {
            text += &format!("  {:>10}  {}\n", exact(cycles), label(&record.event));
        }
    }
    text += &format!("  {:>10}  cycles in all\n\n", exact(found.cycles(prices)));
    text + &price_note(prices)
}

fn list(args: &Args, scenario: &Scenario, output: &Output) -> Result<(), Failure> {
    let ends = output.busy(format!("running {}", scenario.name), || {
        chain::ends(scenario, args.mode, args.guest.engine)
    })?;
    if output.json {
        return output.object(&json!({
            "scenario": scenario.name,
            "mode": args.mode.name(),
            "total": ends.total,
            "first": ends.first,
            "last": ends.last,
        }));
    }
    let (image, sources) = scenario.program(args.mode);
    let listing = Listing::new(image, sources);
    let row = |record: &Record| {
        let place = listing.place_of(record).name();
        let line = format!(
            "{:>9} {:>11}  {}  {:<22}  {}",
            record.number,
            exact(record.clock),
            record.ring,
            cut(&place, 22),
            label(&record.event)
        );
        cut(&line, WIDTH) + "\n"
    };
    let name = escape_line(scenario.name.as_bytes());
    let mut text = format!("{name} under {}: {} events\n\n", args.mode, exact(ends.total));
    let head = format!("{:>9} {:>11}  r  {:<22}  what", "event", "clock", "where");
    text += &(output.paint.faint(&head) + "\n");
    text.extend(ends.first.iter().map(row));
    if ends.first.len() + ends.last.len() < ends.total as usize {
        text += &format!("{:>9}\n", "...");
    }
    text.extend(ends.last.iter().map(row));
    if let Some(example) = ends
        .first
        .iter()
        .find(|record| matches!(record.event, Event::Emulate { .. } | Event::Hypercall { .. }))
    {
        let name = escape_line(args.scenario().as_bytes());
        text += &format!(
            "\nTry next: trapeze why {} {name} --mode {}\n",
            example.number, args.mode
        );
    }
    output.text(&text)
}

/// The event in a few words.
fn label(event: &Event) -> String {
    match event {
        Event::Exit { trap, .. } => format!("exit: {}", trap.cause),
        Event::Emulate { row, .. } => format!("emulate {row}"),
        Event::EmulateAccess { why, .. } => format!("emulate an access ({})", why.name()),
        Event::ShadowFill { address, .. } => format!("fill the shadow of {address:#010x}"),
        Event::ShadowDrop { entry } => format!("drop the shadow of {entry:#010x}"),
        Event::ShadowSwitch { .. } => "switch shadow tables".to_string(),
        Event::Enter { trap, how } => format!("{}: {}", how.name(), trap.cause),
        Event::Return { ring } => format!("return to ring {ring}"),
        Event::VmExit { trap } => format!("vm exit: {}", event::reason(*trap)),
        Event::VmEntry { inject: None } => "vm entry".to_string(),
        Event::VmEntry { inject: Some(trap) } => format!("vm entry, inject: {}", trap.cause),
        Event::NestedFill { guest_frame, .. } => format!("fill the nested table for frame {guest_frame:#x}"),
        Event::Hypercall { name, .. } => format!("hypercall {name}"),
        Event::TableUpdates { done, .. } => format!("update {done} page-table entries"),
        Event::EventSent { channel } => format!("send event {channel}"),
        Event::RingServed { channel, .. } => format!("serve the ring of channel {channel}"),
        Event::Callout { .. } => "callout".to_string(),
        Event::Translate { instructions, .. } => format!("translate {instructions} instructions"),
        Event::Resume { real_ring } => format!("resume in real ring {real_ring}"),
    }
}
