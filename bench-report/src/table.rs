//! The table: for each peer and kernel how many times as long it takes as native code.

use serde::Serialize;

use crate::kernels::Kernel;
use crate::peers::{BASE, Peer};
use crate::rounds::Sample;

/// All measurements of one run.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The kernels, as columns.
    pub kernels: Vec<Kernel>,
    /// The peers that were measured, with a sample for each kernel.
    pub rows: Vec<(Peer, Vec<Sample>)>,
}

/// What was measured of a kernel on a peer; nothing where it was not run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The kernel's name.
    pub kernel: &'static str,
    /// The median, in seconds.
    pub seconds: Option<f64>,
    /// [`Sample::spread`].
    pub spread: Option<f64>,
    /// The median relative to that of gcc -O2.
    pub ratio: Option<f64>,
}

/// A row as JSON has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The peer's name.
    pub peer: String,
    /// By kernel, in the order of the columns.
    pub kernels: Vec<Cell>,
    /// The geometric mean of the ratios, without kernels that only copy.
    pub mean: Option<f64>,
}

impl Table {
    fn base(&self, column: usize) -> Option<f64> {
        let (_, samples) = self.rows.iter().find(|(peer, _)| *peer == BASE)?;
        samples.get(column)?.median()
    }

    fn ratio(&self, samples: &[Sample], column: usize) -> Option<f64> {
        Some(samples.get(column)?.median()? / self.base(column)?)
    }

    fn mean(&self, samples: &[Sample]) -> Option<f64> {
        let mut logarithms = Vec::new();
        for (column, kernel) in self.kernels.iter().enumerate() {
            if !kernel.copies {
                logarithms.push(self.ratio(samples, column)?.ln());
            }
        }
        let count = logarithms.len();
        (count > 0).then(|| (logarithms.iter().sum::<f64>() / count as f64).exp())
    }

    /// The rows with what follows from them.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(peer, samples): &(Peer, Vec<Sample>)| {
            let kernel = |(column, kernel): (usize, &Kernel)| {
                let sample = samples.get(column).cloned().unwrap_or_default();
                Cell {
                    kernel: kernel.name,
                    seconds: sample.median(),
                    spread: sample.spread(),
                    ratio: self.ratio(samples, column),
                }
            };
            Row {
                peer: peer.name(),
                kernels: self.kernels.iter().enumerate().map(kernel).collect(),
                mean: self.mean(samples),
            }
        };
        self.rows.iter().map(row).collect()
    }

    /// A table in Markdown, the fastest first, and below it the largest spread.
    pub fn markdown(&self) -> String {
        let names = self.kernels.iter().map(|kernel| format!(" {} |", kernel.name));
        let mut text = format!("| engine |{} mean |\n", names.collect::<String>());
        text += &format!("|---|{}---|\n", "---|".repeat(self.kernels.len()));
        let mut rows = self.rows();
        let last = |mean: Option<f64>| mean.unwrap_or(f64::INFINITY);
        rows.sort_by(|a, b| last(a.mean).total_cmp(&last(b.mean)));
        let number = |value: Option<f64>| match value {
            None => "–".to_string(),
            Some(value) if value < 10.0 => format!("{value:.2}"),
            Some(value) => format!("{value:.1}"),
        };
        for row in &rows {
            let cells = row
                .kernels
                .iter()
                .map(|cell| format!(" {} |", number(cell.ratio)));
            text += &format!(
                "| {} |{} {} |\n",
                row.peer,
                cells.collect::<String>(),
                number(row.mean)
            );
        }
        let spreads = rows
            .iter()
            .flat_map(|row| &row.kernels)
            .filter_map(|cell| cell.spread);
        let widest = spreads.max_by(f64::total_cmp).unwrap_or(0.0);
        text + &format!(
            "\nTimes as long as {}, in CPU time, medians; the widest spread is {:.0} % of its median. The mean is \
             geometric, without kernels that only copy.\n",
            BASE.name(),
            100.0 * widest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels;

    #[test]
    fn ratios_are_to_native_code_and_the_mean_leaves_out_copies() {
        let of = |seconds: f64| Sample {
            seconds: vec![seconds],
        };
        let copies = kernels::ALL.into_iter().find(|kernel| kernel.copies);
        let table = Table {
            kernels: vec![kernels::ALL[0], kernels::ALL[1], copies.expect("there is one")],
            rows: vec![
                (BASE, vec![of(1.0), of(2.0), of(1.0)]),
                (Peer::QemuUser, vec![of(2.0), of(16.0), of(100.0)]),
                (Peer::Node, vec![of(2.0), Sample::default(), of(1.0)]),
            ],
        };
        let rows = table.rows();
        assert_eq!(rows[1].kernels[1].ratio, Some(8.0));
        assert!(rows[1].mean.is_some_and(|mean| (mean - 4.0).abs() < 1e-9));
        assert_eq!(rows[2].mean, None, "a kernel is missing");
        assert!(
            table
                .markdown()
                .contains("| qemu-user | 2.00 | 8.00 | 100.0 | 4.00 |")
        );
    }
}
