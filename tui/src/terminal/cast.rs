//! Recordings, as asciicast version 2: a line of JSON about the terminal, then one for each thing that was shown.
//! See <https://docs.asciinema.org/manual/asciicast/v2/>.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use ratatui::crossterm::terminal;
use serde_json::json;

/// A recording.
pub(super) struct Cast {
    file: BufWriter<File>,
    begun: Instant,
    /// What the end of a character is still missing of.
    rest: Vec<u8>,
    size: (u16, u16),
}

impl Cast {
    /// Begins a recording in a file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn create(path: &Path) -> io::Result<Cast> {
        let size = terminal::size()?;
        let mut file = BufWriter::new(File::create(path)?);
        let head = json!({
            "version": 2,
            "width": size.0,
            "height": size.1,
            "title": "Trapeze",
            "env": { "TERM": std::env::var("TERM").unwrap_or_default() },
        });
        writeln!(file, "{head}")?;
        file.flush()?;
        Ok(Cast {
            file,
            begun: Instant::now(),
            rest: Vec::new(),
            size,
        })
    }

    /// This was shown.
    pub(super) fn shown(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.rest.split_off(whole);
        let text = std::mem::replace(&mut self.rest, rest);
        if !text.is_empty() {
            self.write("o", &String::from_utf8_lossy(&text));
        }
    }

    /// The terminal has this size now.
    pub(super) fn resized(&mut self, width: u16, height: u16) {
        if self.size != (width, height) {
            self.size = (width, height);
            self.write("r", &format!("{width}x{height}"));
        }
    }

    /// Writes a line. A disk that is full ends the recording, not the lecture.
    fn write(&mut self, kind: &str, data: &str) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let _ = writeln!(self.file, "{}", json!([seconds, kind, data])).and_then(|()| self.file.flush());
    }
}
