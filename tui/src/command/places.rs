//! Places in a program, as they are typed: `0x1000`, `hal_put`, `hal_put+8`, `kernel.s:42`, `a0`.

use vmm_core::timeline::{number, register};

use crate::session::Session;

/// Why a text is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It is nothing that is known.
    #[error("'{0}' is no place: expected a symbol, an address such as 0x1000, or file:line")]
    Unknown(String),
    /// No instruction comes from that line.
    #[error("no instruction comes from line {line} of '{file}'")]
    Line {
        /// The file, as it was typed.
        file: String,
        /// The line.
        line: u32,
    },
}

/// The address that is meant: of a symbol, perhaps with a distance, of a line of a source, or a number. A register or
/// `pc` means what is in it.
///
/// # Errors
/// If it is none of that.
pub fn address(session: &Session, text: &str) -> Result<u32, PlaceError> {
    let unknown = || PlaceError::Unknown(text.to_string());
    let (image, _) = session.program();
    if let Some((file, line)) = text.rsplit_once(':')
        && let Ok(line) = line.parse::<u32>()
    {
        let matches = |name: &&String| name.as_str() == file || name.ends_with(&format!("/{file}"));
        let known = image.lines.files().iter().find(matches).ok_or_else(unknown)?;
        let file = file.to_string();
        let found = image.lines.addresses(known, line).next();
        return found.ok_or(PlaceError::Line { file, line });
    }
    let (name, distance) = match text.split_once('+') {
        Some((name, distance)) => (name.trim(), number(distance.trim()).ok_or_else(unknown)?),
        None => (text, 0),
    };
    let hart = session.run().guest().hart;
    let base = if let Some(symbol) = image.symbol(name) {
        symbol.address
    } else if let Some(register) = register(name) {
        hart.x[usize::from(register)]
    } else if name == "pc" {
        hart.pc
    } else {
        number(name)
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(unknown)?
    };
    Ok(base.wrapping_add(u32::try_from(distance).map_err(|_| unknown())?))
}
