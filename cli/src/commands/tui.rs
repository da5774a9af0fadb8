//! `trapeze tui`: a guest on the screen, live.

use std::path::PathBuf;

use tui::App;
use tui::app::Forced;
use tui::session::Session;
use tui::theme::Colours;
use vmm_core::mode::ModeName;

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, legend, mode, theme};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::Output;

/// Arguments of `tui`.
#[derive(clap::Args, Default)]
#[command(after_help = legend())]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one [default: guest-os]
    scenario: Option<String>,
    /// The method [default: trap, or what the scenario lists]
    #[arg(long, value_name = "M", value_parser = mode(), hide_possible_values = true)]
    mode: Option<ModeName>,
    /// The colours: dark, light, high-contrast or okabe-ito [default: those of the last time]
    #[arg(long, value_name = "T", value_parser = theme(), hide_possible_values = true)]
    theme: Option<Colours>,
    /// Draw with characters of ASCII only
    #[arg(long)]
    ascii: bool,
    /// Take the keys from FILE [default: keys.toml in the configuration folder, if it is there]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Record the screen to FILE, as asciicast
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    guest: GuestOptions,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if !output.terminal {
        return Err(Failure::new(
            ExitCode::Usage,
            "the standard output is no terminal; `trapeze run` and `trapeze why` print what the screen shows",
        ));
    }
    let name = args.scenario.as_deref().unwrap_or(DEFAULT_SCENARIO);
    let scenario = args.guest.load(name)?;
    let mode = args.mode.unwrap_or_else(|| scenario.default_mode());
    let what = format!("cannot start '{}' under {mode}", scenario.name);
    let engine = args.guest.engine;
    let session = Session::new(scenario.into(), mode, engine).or_bad_input(|| what)?;
    let found = tui::terminal::find(args.keys.as_deref());
    let mut settings = found.settings;
    settings.theme = args.theme.unwrap_or(settings.theme);
    let forced = Forced {
        plain: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        ascii: args.ascii,
    };
    let mut app = App::new(session, engine, settings, forced, found.keys);
    if let Some(complaint) = found.complaints.first() {
        app.complain(complaint);
    }
    tui::terminal::run(&mut app, args.record.clone()).or_bad_input(|| "trapeze tui".to_string())
}
