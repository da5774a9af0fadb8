//! Trace files: the events of runs as JSON lines, or as a trace that Perfetto and Chrome open.
//!
//! A run keeps its last events only; a trace says how many were dropped before them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use vmm_core::chain::Actor;
use vmm_core::check::report::Report;
use vmm_core::event::{Event, Log, Record};
use vmm_core::flow::Lane;

use crate::failure::{Failure, OrFail};
use crate::output::complain;
use crate::text::exact;

/// Writes the events of these runs, and says on the standard error if some are missing.
pub(crate) fn write(path: &Path, scenario: &str, reports: &[Report]) -> Result<(), Failure> {
    let perfetto = path.extension().is_some_and(|extension| extension == "json");
    let save = || -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        if perfetto {
            write_perfetto(&mut out, scenario, reports)?;
        } else {
            write_lines(&mut out, reports)?;
        }
        out.flush()
    };
    save().or_bad_input(|| format!("cannot write the trace {}", path.display()))?;
    for report in reports.iter().filter(|report| report.log.dropped() > 0) {
        complain(&format!(
            "the trace of {} has the last {} of {} events; {} were dropped",
            report.mode,
            exact(report.log.records().len() as u64),
            exact(report.log.total()),
            exact(report.log.dropped())
        ));
    }
    Ok(())
}

/// One object on each line, with its mode.
fn write_lines(out: &mut impl Write, reports: &[Report]) -> io::Result<()> {
    for report in reports {
        let mode = report.mode.name();
        if report.log.dropped() > 0 {
            writeln!(
                out,
                "{}",
                json!({ "mode": mode, "event": "dropped", "count": report.log.dropped() })
            )?;
        }
        for record in report.log.records() {
            let mut line = serde_json::to_value(record)?;
            line["mode"] = json!(mode);
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// The thread of the trace that stands for a lane.
fn thread(lane: Lane) -> u32 {
    lane as u32 + 1
}

/// Who does what this event tells of.
fn lane_of(record: &Record) -> Lane {
    match Actor::of(record) {
        Actor::Hardware => Lane::Hardware,
        Actor::Monitor => Lane::Monitor,
    }
}

/// The format of Chrome's trace viewer: an array of events, one process for each mode, one thread for each
/// lane. A tick of the guest's clock is drawn as a microsecond.
fn write_perfetto(out: &mut impl Write, scenario: &str, reports: &[Report]) -> io::Result<()> {
    write!(out, "{{\"traceEvents\":[")?;
    let mut first = true;
    let mut event = |out: &mut _, event: Value| -> io::Result<()> {
        let comma = if std::mem::take(&mut first) { "" } else { "," };
        write_event(out, comma, &event)
    };
    for (process, report) in reports.iter().enumerate() {
        let name = format!("{scenario} under {}", report.mode);
        event(
            out,
            json!({ "ph": "M", "pid": process, "name": "process_name", "args": { "name": name } }),
        )?;
        for lane in Lane::ALL {
            let (pid, tid, name) = (process, thread(lane), lane.name());
            event(
                out,
                json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": { "name": name } }),
            )?;
            let order = json!({ "sort_index": tid });
            event(
                out,
                json!({ "ph": "M", "pid": pid, "tid": tid, "name": "thread_sort_index", "args": order }),
            )?;
        }
        for record in report.log.records() {
            event(out, instant(process, record)?)?;
        }
        for slice in slices(&report.log) {
            event(out, slice.json(process))?;
        }
    }
    let dropped: Vec<Value> = reports
        .iter()
        .map(|report| json!({ "mode": report.mode.name(), "dropped": report.log.dropped() }))
        .collect();
    write!(
        out,
        "],\"otherData\":{}}}",
        json!({ "clock": "guest ticks, drawn as microseconds", "events": dropped })
    )
}

fn write_event(out: &mut impl Write, comma: &str, event: &Value) -> io::Result<()> {
    write!(out, "{comma}\n{event}")
}

/// An event: the guest's clock stands still while the hardware or the monitor works.
fn instant(process: usize, record: &Record) -> io::Result<Value> {
    Ok(json!({
        "ph": "i", "s": "t",
        "name": record.event.name(),
        "ts": record.clock,
        "pid": process,
        "tid": thread(lane_of(record)),
        "args": serde_json::to_value(record)?,
    }))
}

/// A stretch of time in which the guest was in one ring.
struct Slice {
    name: String,
    lane: Lane,
    from: u64,
    to: u64,
}

impl Slice {
    fn json(&self, process: usize) -> Value {
        let duration = self.to.saturating_sub(self.from);
        json!({
            "ph": "X",
            "name": self.name,
            "ts": self.from,
            "dur": duration,
            "pid": process,
            "tid": thread(self.lane),
        })
    }
}

/// The guest's time, from one change of hands to the next.
fn slices(log: &Log) -> Vec<Slice> {
    let mut slices = Vec::new();
    let Some(begin) = log.records().next() else {
        return slices;
    };
    let (mut from, mut name, mut ring) = (begin.clock, "before".to_string(), begin.ring);
    for record in log.records() {
        let next = match &record.event {
            // The record of an entry tells the ring that the guest came from, that of a return where it went.
            Event::Enter { trap, .. } => (trap.cause.to_string(), 0),
            Event::Return { ring } => (format!("ring {ring}"), *ring),
            _ => continue,
        };
        slices.push(Slice {
            name: std::mem::replace(&mut name, next.0),
            lane: Lane::of_ring(ring),
            from,
            to: record.clock,
        });
        (from, ring) = (record.clock, next.1);
    }
    let end = log.records().last().map_or(from, |record| record.clock);
    slices.push(Slice {
        name,
        lane: Lane::of_ring(ring),
        from,
        to: end,
    });
    slices
}
