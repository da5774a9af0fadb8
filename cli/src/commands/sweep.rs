//! `trapeze sweep`: one quantity is varied, and the cost is shown for each value.

use clap::ValueEnum;
use scenarios::Scenario;
use scenarios::terminal::escape_line;
use serde_json::{Value, json};
use vmm_core::mode::ModeName;
use vmm_core::price::PriceList;
use vmm_core::tally::Tally;

use crate::arguments::{find, prices};
use crate::checked::price_note;
use crate::failure::Failure;
use crate::output::Output;
use crate::text::{WIDTH, exact};
use crate::workloads::{BARE, NESTED, SHADOW, TRANSLATE, tally};

/// Arguments of `sweep`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What is varied
    #[arg(value_enum)]
    what: What,
    /// The name of a shipped scenario, or the path of one
    #[arg(default_value = "work-forkwait")]
    scenario: String,
    /// The list of prices
    #[arg(long, value_name = "L", default_value = "prescott")]
    list: String,
}

/// What is varied.
#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// How many page-table updates a ported kernel collects, 1 to 2048
    Batch,
    /// Entries of the TLB
    Tlb,
    /// Cycles of a round trip out of the guest and back, in hardware
    Exit,
}

/// A table: what stands above the columns, and for each value a row.
struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<u64>>,
}

/// Runs the command.
pub(crate) fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    let list = prices(&args.list)?;
    let scenario = find(&args.scenario)?;
    let table = output.busy(format!("running {}", scenario.name), || match args.what {
        What::Batch => batch(scenario.clone(), &list),
        What::Tlb => tlb(scenario.clone(), &list),
        What::Exit => exit(&scenario, &list),
    })?;
    if output.json {
        let row = |row: &Vec<u64>| -> Value {
            let columns = table.columns.iter().map(|column| column.to_string());
            columns
                .zip(row.iter().map(|value| json!(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        return output.object(&json!({
            "scenario": scenario.name,
            "price_list": super::price::head(&list),
            "rows": table.rows.iter().map(row).collect::<Vec<_>>(),
        }));
    }
    let title = escape_line(format!("{}: {}", scenario.name, scenario.title).as_bytes());
    let mut text = output.paint.strong(&title) + "\n\n";
    let width = (WIDTH / table.columns.len()).min(15);
    let line = |cells: Vec<String>| {
        cells
            .iter()
            .map(|cell| format!("{cell:>width$}"))
            .collect::<String>()
    };
    let head = line(table.columns.iter().map(|column| column.to_string()).collect());
    text += &(output.paint.faint(&head) + "\n");
    for row in &table.rows {
        text += &(line(row.iter().map(|value| exact(*value)).collect()) + "\n");
    }
    output.text(&(text + "\n" + &price_note(&list)))
}

fn cycles(tally: &Tally, list: &PriceList) -> u64 {
    tally.cycles(list).try_into().unwrap_or(0)
}

fn batch(mut scenario: Scenario, list: &PriceList) -> Result<Table, Failure> {
    let mut rows = Vec::new();
    for size in (0..12).map(|power| 1u32 << power) {
        if let Some(port) = &mut scenario.setup.port {
            port.batch = size;
        }
        let tally = tally(&scenario, ModeName::Para)?;
        let due = |name| tally.due(name).unsigned_abs();
        rows.push(vec![
            u64::from(size),
            due("hypercall"),
            due("mmu_update"),
            cycles(&tally, list),
        ]);
    }
    Ok(Table {
        columns: &["batch", "hypercalls", "updates", "cycles, para"],
        rows,
    })
}

fn tlb(mut scenario: Scenario, list: &PriceList) -> Result<Table, Failure> {
    let mut rows = Vec::new();
    for entries in (0..11).map(|power| 1usize << power) {
        scenario.setup.tlb = entries;
        let mut row = vec![entries as u64];
        for mode in [BARE, SHADOW, NESTED] {
            let tally = tally(&scenario, mode)?;
            row.push(cycles(&tally, list));
            if mode != SHADOW {
                row.insert(row.len() - 1, tally.due("walk_reference").unsigned_abs());
            }
        }
        rows.push(row);
    }
    Ok(Table {
        columns: &[
            "entries",
            "walks bare",
            "bare",
            "shadow",
            "walks nested",
            "nested",
        ],
        rows,
    })
}

fn exit(scenario: &Scenario, list: &PriceList) -> Result<Table, Failure> {
    let mut tallies = Vec::new();
    for mode in [TRANSLATE, SHADOW, NESTED] {
        tallies.push(tally(scenario, mode)?);
    }
    let rows = [0, 100, 200, 500, 1000, 2000, 4000, 8000, 16_000].map(|price| {
        let list = list
            .changed_only(&["vm_entry"], 0)
            .changed_only(&["vm_exit"], price);
        let costs = tallies.iter().map(|tally| cycles(tally, &list));
        [price].into_iter().chain(costs).collect()
    });
    Ok(Table {
        columns: &["an exit costs", "translate", "assist:shadow", "assist"],
        rows: rows.to_vec(),
    })
}
