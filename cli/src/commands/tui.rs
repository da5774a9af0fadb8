//! `trapeze tui`: a guest on the screen, live.

use std::path::PathBuf;

use tui::App;
use tui::app::Forced;
use tui::session::Session;
use tui::terminal::Found;
use tui::theme::Colours;
use tui::tour::Notes;
use vmm_core::engine::EngineName;
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
    #[command(flatten)]
    screen: ScreenOptions,
    #[command(flatten)]
    guest: GuestOptions,
}

/// How the screen looks.
#[derive(clap::Args, Default)]
pub(crate) struct ScreenOptions {
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
    args.screen.run(session, engine, |_| {})
}

impl ScreenOptions {
    /// What the user's files and these options say; and what the options and the environment force.
    fn found(&self) -> (Found, Forced) {
        let mut found = tui::terminal::find(self.keys.as_deref());
        found.settings.theme = self.theme.unwrap_or(found.settings.theme);
        let forced = Forced {
            plain: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            ascii: self.ascii,
        };
        (found, forced)
    }

    /// Shows a session on the screen until the user ends it; `begin` does what is to be done first.
    pub(crate) fn run(
        &self,
        session: Session,
        engine: EngineName,
        begin: impl FnOnce(&mut App),
    ) -> Result<(), Failure> {
        let (found, forced) = self.found();
        let mut app = App::new(session, engine, found.settings, forced, found.keys);
        begin(&mut app);
        if let Some(complaint) = found.complaints.first() {
            app.complain(complaint);
        }
        tui::terminal::run(&mut app, self.record.clone()).or_bad_input(|| "cannot go on".to_string())
    }

    /// Shows notes on the screen until the user ends it.
    pub(crate) fn show_notes(&self, notes: &mut Notes) -> Result<(), Failure> {
        let (found, forced) = self.found();
        let theme = forced.theme(&found.settings);
        tui::terminal::show_notes(notes, &theme, &found.keys).or_bad_input(|| "cannot go on".to_string())
    }
}
