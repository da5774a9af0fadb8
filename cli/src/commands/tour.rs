//! `trapeze tour`: guided tours.

use std::sync::Arc;

use scenarios::tour::{self, Tour, Walk};
use serde_json::{Value, json};
use tui::session::Session;
use tui::tour::Notes;
use vmm_core::engine::EngineName;

use crate::arguments::engine;
use crate::commands::tui::ScreenOptions;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::Output;
use crate::text::wrap;

/// Arguments of `tour`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name of a shipped tour, or the path of one that ends in .toml; without it, the shipped ones are listed
    tour: Option<String>,
    /// Take the tour without a screen: print what is said, asked and answered, and check what is claimed
    #[arg(long, requires = "tour")]
    print: bool,
    /// Show the presenter's notes, which follow the tour on another terminal; or print them, with --print
    #[arg(long, requires = "tour")]
    notes: bool,
    #[command(flatten)]
    screen: ScreenOptions,
    /// What executes the guests' code
    #[arg(long, value_name = "E", default_value = "auto", value_parser = engine())]
    engine: EngineName,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let Some(name) = &args.tour else {
        return list(output);
    };
    let tour = Tour::find(name).map_err(|error| Failure::bad_input(error.render()))?;
    if args.print || output.json || args.notes && !output.terminal {
        return print(&tour, args.notes, output);
    }
    match args.notes {
        true => notes(tour, args, output),
        false => take(tour, args, output),
    }
}

/// Takes the tour without a screen.
fn walk(tour: &Tour, output: &Output) -> Result<Walk, Failure> {
    let walk = output.busy(format!("taking the tour {}", tour.name), || Walk::through(tour));
    walk.or_bad_input(|| format!("cannot take the tour '{}'", tour.name))
}

fn notes(tour: Tour, args: &Args, output: &Output) -> Result<(), Failure> {
    let walk = walk(&tour, output)?;
    args.screen.show_notes(&mut Notes::new(tour, walk))
}

fn take(tour: Tour, args: &Args, output: &Output) -> Result<(), Failure> {
    if !output.terminal {
        return Err(Failure::new(
            ExitCode::Usage,
            format!(
                "the standard output is no terminal; `trapeze tour {} --print` prints the tour",
                tour.name
            ),
        ));
    }
    let first = &tour.stops[0];
    let scenario = Arc::clone(&tour.scenes[first.scene]);
    let session = Session::new(scenario, first.mode, args.engine)
        .or_bad_input(|| format!("cannot take the tour '{}'", tour.name))?;
    args.screen.run(session, args.engine, |app| app.begin_tour(tour))
}

fn list(output: &Output) -> Result<(), Failure> {
    let all = tour::list();
    if output.json {
        let all: Vec<Value> = all
            .iter()
            .map(|one| json!({ "name": one.name, "title": one.title }))
            .collect();
        return output.object(&json!({ "tours": all }));
    }
    let width = all.iter().map(|one| one.name.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = all
        .iter()
        .map(|one| wrap(&format!("{:<width$}  ", one.name), &one.title))
        .collect();
    let first = all.first().map_or("", |one| &one.name);
    output.text(&format!("{}\nTry next: trapeze tour {first}\n", lines.concat()))
}

fn print(tour: &Tour, notes: bool, output: &Output) -> Result<(), Failure> {
    let walk = walk(tour, output)?;
    match output.json {
        true => output.object(&as_json(tour, &walk))?,
        false => output.text(&as_text(tour, &walk, notes, output))?,
    }
    let broken = walk.broken(tour);
    if broken.is_empty() {
        return Ok(());
    }
    let lines = broken.iter().map(|(stop, why)| format!("\n  stop {stop}: {why}"));
    let message = format!(
        "the tour '{}' claims what is not so:{}",
        tour.name,
        lines.collect::<String>()
    );
    Err(Failure::new(ExitCode::NotAsExpected, message))
}

fn as_text(tour: &Tour, walk: &Walk, notes: bool, output: &Output) -> String {
    let paint = output.paint;
    let paragraphs = |first: &str, text: &str| {
        let indent = " ".repeat(first.chars().count());
        let mut heads = [first].into_iter().chain(std::iter::repeat(indent.as_str()));
        let lines = text
            .lines()
            .map(|line| wrap(heads.next().unwrap_or_default(), line));
        lines.collect::<String>()
    };
    let mut text = paint.strong(&tour.title) + "\n";
    if !tour.about.is_empty() {
        text += &format!("\n{}", paragraphs("", &tour.about));
    }
    for (place, stop) in tour.stops.iter().enumerate() {
        let known = walk.known(tour, place);
        let scenario = &tour.scenes[stop.scene];
        let head = format!(
            "{}. {} under {}, profile {}, view {}",
            place + 1,
            scenario.name,
            stop.mode,
            scenario.setup.profile.base().name(),
            stop.view.name()
        );
        text += &format!("\n{}\n", paint.strong(&head));
        if let Some(ask) = &stop.ask {
            text += &paragraphs("  ", &ask.question.fill(&known));
            for (number, choice) in ask.choices.iter().enumerate() {
                let sign = if number == ask.right { '>' } else { ' ' };
                text += &paragraphs(&format!("  {sign} {}. ", number + 1), &choice.fill(&known));
            }
            text += &paragraphs("  ", &ask.answer.fill(&known));
        }
        text += &paragraphs("  ", &stop.say.fill(&known));
        if notes {
            text += &paragraphs("  Notes: ", &stop.notes.fill(&known));
        }
    }
    text
}

fn as_json(tour: &Tour, walk: &Walk) -> Value {
    let stop = |(place, stop): (usize, &tour::Stop)| {
        let known = walk.known(tour, place);
        let mark = walk.marks[place].as_ref();
        json!({
            "scenario": tour.scenes[stop.scene].name,
            "profile": tour.scenes[stop.scene].setup.profile.base().name(),
            "mode": stop.mode.name(),
            "view": stop.view.name(),
            "pane": stop.pane,
            "instruction": mark.map(|mark| mark.reading.retired),
            "event": mark.map(|mark| mark.position.events),
            "ask": stop.ask.as_ref().map(|ask| json!({
                "question": ask.question.fill(&known),
                "choices": ask.choices.iter().map(|choice| choice.fill(&known)).collect::<Vec<_>>(),
                "right": ask.right + 1,
                "answer": ask.answer.fill(&known),
            })),
            "say": stop.say.fill(&known),
            "notes": stop.notes.fill(&known),
        })
    };
    json!({
        "tour": tour.name,
        "title": tour.title,
        "about": tour.about,
        "stops": tour.stops.iter().enumerate().map(stop).collect::<Vec<_>>(),
        "broken": walk.broken(tour).iter().map(|(_, why)| why).collect::<Vec<_>>(),
    })
}
