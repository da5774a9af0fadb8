//! `trapeze kvm-exits`: what exits cost on this computer, measured with a real virtual machine.

use accel::kvm::{self, Exit, Exits, Trips};
use serde_json::json;

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::text::wrap;

/// Arguments of `kvm-exits`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Do each thing so many times in a round
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    times: u32,
    /// Measure so many rounds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let measured = output.busy("measuring exits".to_string(), || {
        kvm::measure(args.times, args.rounds)
    });
    let exits = measured.map_err(|error| {
        let code = match error.unavailable() {
            true => ExitCode::BadInput,
            false => ExitCode::Internal,
        };
        Failure::new(code, error)
    })?;
    match output.json {
        true => output.object(&json!({ "times": args.times, "rounds": args.rounds, "kvm": exits })),
        false => output.text(&render(&exits, args, output.paint)),
    }
}

fn render(exits: &Exits, args: &Args, paint: Paint) -> String {
    let mut text = paint.strong("Exits of a real virtual machine, under this computer's KVM") + "\n\n";
    let head = format!(
        "{:<18}{:>4}  {:<22}{:>10}{:>9}{:>14}",
        "the guest does", "ring", "and leaves to us by", "ns each", "spread", "kernel exits"
    );
    text += &(paint.faint(&head) + "\n");
    for exit in &exits.exits {
        text += &row(exit);
    }
    text += &format!(
        "{:<18}{:>4}  {:<22}{:>10.0}\n\n",
        "out dx, al", 3, "port written: the floor", exits.floor
    );
    text += &wrap(
        "",
        &format!(
            "Medians of {} rounds of {} times, the guest's loop left out; host time, measured now. The floor is the \
             smallest exit that there can be: nothing but the system call that resumes the guest. Kernel exits: how \
             often the guest left to the host's kernel each time, as the kernel counts, to be handled there or passed \
             on to us.",
            args.rounds, args.times
        ),
    );
    if exits.exits.iter().any(|exit| exit.nanoseconds.is_none()) {
        text += &wrap("", "refused: this KVM does not execute it.");
    }
    text + "\n" + &emitted(&exits.emitted, paint)
}

/// What trips out of emitted code cost.
fn emitted(trips: &Trips, paint: Paint) -> String {
    let line = |what: &str, nanoseconds: f64| format!("{what:<44}{nanoseconds:>12.0}\n");
    let head = format!(
        "{:<44}{:>12}",
        "code that mode kvm emits, in 64-bit mode", "ns each"
    );
    paint.faint(&head)
        + "\n"
        + &line("the floor: nothing but the system call", trips.floor)
        + &line("out of a block and into the next", trips.trip)
        + &line("  and by a refused access", trips.fault)
        + &line("  and with an entry of a page table changed", trips.change)
        + &line("  and with another root", trips.root)
        + "\n"
        + &wrap(
            "",
            &format!(
                "The fastest of the rounds. Out and in again takes {:.2} times as long as the floor; what begins with \
                 \"and\" comes on top.",
                trips.trip / trips.floor
            ),
        )
}

fn row(exit: &Exit) -> String {
    let (each, spread) = match exit.nanoseconds {
        Some(nanoseconds) => (
            format!("{nanoseconds:.0}"),
            format!("{:.0} %", 100.0 * exit.spread),
        ),
        None => ("refused".to_string(), String::new()),
    };
    let kernel = exit
        .kernel_exits
        .map_or("–".to_string(), |exits| format!("{exits:.2}"));
    format!(
        "{:<18}{:>4}  {:<22}{each:>10}{spread:>9}{kernel:>14}\n",
        exit.does,
        exit.ring,
        exit.reason.unwrap_or("–")
    )
}
