//! `trapeze tui`: a guest on the screen, live.

use tui::App;
use tui::action::KeyMap;
use tui::session::Session;
use tui::theme::Theme;
use vmm_core::mode::ModeName;

use crate::arguments::{DEFAULT_SCENARIO, GuestOptions, legend, mode};
use crate::exit_code::ExitCode;
use crate::failure::{Failure, OrFail};
use crate::output::Output;

/// Arguments of `tui`.
#[derive(clap::Args)]
#[command(after_help = legend())]
pub(crate) struct Args {
    /// The name of a shipped scenario, or the path of one [default: guest-os]
    scenario: Option<String>,
    /// The method [default: trap, or what the scenario lists]
    #[arg(long, value_name = "M", value_parser = mode(), hide_possible_values = true)]
    mode: Option<ModeName>,
    /// Draw with characters of ASCII only
    #[arg(long)]
    ascii: bool,
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
    let session = Session::new(scenario, mode).or_bad_input(|| what)?;
    let theme = Theme {
        plain: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        ascii: args.ascii,
        ..Theme::default()
    };
    let mut app = App::new(session, theme, KeyMap::default());
    tui::terminal::run(&mut app).or_bad_input(|| "cannot use the terminal".to_string())
}
