//! `trapeze why`: the causal chain of one event of a run.

use scenarios::Scenario;
use scenarios::listing::{Listing, Place};
use scenarios::terminal::escape_line;
use serde_json::json;
use vmm_core::chain::{Actor, Chain};
use vmm_core::engine::EngineName;
use vmm_core::event::{Event, Record};
use vmm_core::flow::Flow;
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::tally::Tally;

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, legend, mode, mode_option, prices, quoted};
use crate::chain;
use crate::checked::price_note;
use crate::commands::price;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::{WIDTH, counted, cut, exact, wrap};

/// Arguments of `why`.
#[derive(clap::Args)]
#[command(after_help = legend())]
pub(crate) struct Args {
    /// The number of the event; without it, the first and the last events are listed
    #[arg(value_name = "N")]
    event: Option<String>,
    /// The name of a shipped scenario, or the path of one [default: guest-os]
    scenario: Option<String>,
    /// The method [default: trap, or what the scenario lists]
    #[arg(long, value_name = "M", value_parser = mode(), hide_possible_values = true)]
    mode: Option<ModeName>,
    /// Price the event on this list: a name (`trapeze price` lists them), or a file that ends in .toml
    #[arg(long, value_name = "L", default_value = TEXTBOOK)]
    list: String,
    #[command(flatten)]
    guest: GuestOptions,
}

impl Args {
    /// The event and the scenario that are meant, in whichever order they were written.
    fn meant(&self) -> Result<(Option<u64>, &str), Failure> {
        let (first, second) = (self.event.as_deref(), self.scenario.as_deref());
        let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
        match (number(first), number(second), second) {
            (Some(event), _, scenario) => Ok((Some(event), scenario.unwrap_or(DEFAULT_SCENARIO))),
            (None, event, None) | (None, event @ Some(_), _) => {
                Ok((event, first.unwrap_or(DEFAULT_SCENARIO)))
            }
            (None, None, Some(second)) => Err(Failure::new(
                ExitCode::Usage,
                format!(
                    "neither '{}' nor '{second}' is an event: expected a number; `trapeze why` shows them",
                    first.unwrap_or_default()
                ),
            )),
        }
    }
}

/// The run that is asked about.
struct Subject {
    scenario: Scenario,
    mode: ModeName,
    engine: EngineName,
    prices: PriceList,
    /// What is typed to mean it.
    again: String,
}

/// The list where none is named.
const TEXTBOOK: &str = "textbook";

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let (event, name) = args.meant()?;
    let scenario = args.guest.load(name)?;
    let mode = args.mode.unwrap_or_else(|| scenario.default_mode());
    let list_option = match args.list.as_str() {
        TEXTBOOK => String::new(),
        list => format!(" --list {}", quoted(list)),
    };
    let subject = Subject {
        again: args.guest.again(name) + &mode_option(&scenario, mode) + &list_option,
        prices: prices(&args.list)?,
        scenario,
        mode,
        engine: args.guest.engine,
    };
    match event {
        Some(number) => explain(&subject, number, output),
        None => list(&subject, output),
    }
}

fn explain(subject: &Subject, number: u64, output: &Output) -> Result<(), Failure> {
    let Subject {
        scenario,
        mode,
        prices,
        ..
    } = subject;
    let list = format!("trapeze why {}", subject.again);
    let found = output.busy(format!("running {}", scenario.name), || {
        chain::find(scenario, *mode, subject.engine, number, &list)
    })?;
    let (image, sources) = scenario.program(*mode);
    let listing = Listing::new(image, sources);
    let place = listing.place_of(&found.root);
    if output.json {
        let records = found.records().map(|record| {
            let mut object = serde_json::to_value(record).expect("a record is always JSON");
            let tally = Tally::of_event(&record.event);
            object["cycles"] = json!(prices.of(&record.event));
            object["due"] = tally
                .iter()
                .map(|(name, times)| (name.to_string(), json!(times)))
                .collect();
            object
        });
        return output.object(&json!({
            "scenario": scenario.name,
            "mode": mode.name(),
            "event": number,
            "guest": {
                "ring": found.root.ring,
                "clock": found.root.clock,
                "pc": found.root.pc,
                "base": found.root.base,
                "place": place,
            },
            "records": records.collect::<Vec<_>>(),
            "sentence": Flow::of(&found, *mode).sentence,
            "cycles": found.cycles(prices),
            "price_list": price::head(prices),
        }));
    }
    let head = format!(
        "Event {number} of {}, {}",
        escape_line(scenario.name.as_bytes()),
        mode.describe()
    );
    let mut text = output.paint.strong(wrap("", &head).trim_end()) + "\n";
    text += &wrap("", &Flow::of(&found, *mode).sentence);
    text += &what_the_guest_did(&found.root, &place, output.paint);
    text += &what_others_did(&found, number, output.paint);
    text += &what_it_cost(&found, prices, output.paint);
    output.text(&text)
}

fn what_the_guest_did(root: &Record, place: &Place, paint: Paint) -> String {
    let mut text = format!("\n{}\n", paint.strong("What the guest did"));
    let (ring, clock) = (root.ring, exact(root.clock));
    let was = match root.event {
        Event::Return { .. } => "had returned to",
        _ => "was at",
    };
    text += &wrap(
        "  ",
        &format!(
            "In its ring {ring}, at clock {clock}, it {was} {}.",
            whereabouts(root, place)
        ),
    );
    if root.event.trap().is_some_and(|trap| trap.cause.is_interrupt()) {
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

/// The program counter, with the symbol that is near it, and with the address that relocation makes of it.
fn whereabouts(root: &Record, place: &Place) -> String {
    let pc = match root.base {
        0 => format!("{:#010x}", root.pc),
        base => format!(
            "{:#010x}, relocated by {base:#x} to {:#010x}",
            root.pc,
            root.address()
        ),
    };
    match place.near() {
        Some(symbol) => format!("{symbol} ({pc})"),
        None => pc,
    }
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
    let mut marks = Vec::new();
    for record in found.records() {
        let cycles = prices.of(&record.event);
        if cycles > 0 {
            let mark = Tally::of_event(&record.event).mark(prices);
            text += &format!("  {:>10}{mark} {}\n", exact(cycles), record.event.label());
            marks.push(mark);
        }
    }
    text += &format!("  {:>10}  cycles in all\n\n", exact(found.cycles(prices)));
    let legend = [
        ('*', "* some of it is assumed."),
        ('f', "f some of it is fitted to a nano-benchmark."),
    ];
    for (mark, meaning) in legend {
        if marks.contains(&mark) {
            text += &format!("{meaning}\n");
        }
    }
    text + &price_note(prices)
}

fn list(subject: &Subject, output: &Output) -> Result<(), Failure> {
    let Subject { scenario, mode, .. } = subject;
    let ends = output.busy(format!("running {}", scenario.name), || {
        chain::ends(scenario, *mode, subject.engine)
    })?;
    if output.json {
        return output.object(&json!({
            "scenario": scenario.name,
            "mode": mode.name(),
            "total": ends.total,
            "first": ends.first,
            "last": ends.last,
        }));
    }
    let (image, sources) = scenario.program(*mode);
    let listing = Listing::new(image, sources);
    let row = |record: &Record| {
        let place = listing.place_of(record).name();
        let line = format!(
            "{:>9} {:>11}  {}  {:<22}  {}",
            record.number,
            exact(record.clock),
            record.ring,
            cut(&place, 22),
            record.event.label()
        );
        cut(&line, WIDTH) + "\n"
    };
    let name = escape_line(scenario.name.as_bytes());
    let mut text = format!(
        "{name} under {mode}: {}\n\n",
        counted(ends.total, "event", "events")
    );
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
        text += &format!("\nTry next: trapeze why {} {}\n", example.number, subject.again);
    }
    output.text(&text)
}
