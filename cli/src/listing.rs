//! The listing of a program on the terminal.

use scenarios::listing::{Listing, Place};
use scenarios::terminal::escape_line;
use toy_isa::image::Image;

use crate::failure::Failure;
use crate::output::Output;
use crate::text::{WIDTH, counted, cut, exact};

/// Prints all code, one line for each instruction: address, word, instruction, and the line of the source
/// where it is another one than before. The name of the file stands above.
pub(crate) fn print(listing: &Listing, output: &Output) -> Result<(), Failure> {
    /// An image can be large, and its listing is many times larger: it is printed piece by piece.
    const PIECE: usize = 1 << 16;
    let mut text = String::new();
    let (mut last, mut first) = ((None, None), true);
    for place in listing.places() {
        let here = (place.file.clone(), place.line);
        let mut head = String::new();
        if let (Some(file), true) = (&place.file, here.0 != last.0) {
            head += &format!("# {}\n", escape_line(file.as_bytes()));
        }
        for label in listing.labels(place.address) {
            head += &format!("{:08x} <{}>:\n", place.address, escape_line(label.as_bytes()));
        }
        if !head.is_empty() && !first {
            text.push('\n');
        }
        first = false;
        text += &head;
        text += &line(&place, here != last);
        if text.len() > PIECE {
            output.text(&text)?;
            text.clear();
        }
        last = here;
    }
    output.text(&(text + &data(listing.image())))
}

/// The parts of memory that are not code, one line each.
fn data(image: &Image) -> String {
    let data = image.segments.iter().filter(|segment| !segment.execute);
    let lines: Vec<String> = data
        .map(|segment| {
            let rights = if segment.write { "rw" } else { "r-" };
            let (address, size, bytes) = (segment.address, segment.size, segment.bytes.len());
            let size = counted(size.into(), "byte", "bytes");
            format!(
                "{address:08x}  {rights}  {size}, {} of them in the file\n",
                exact(bytes as u64)
            )
        })
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("\nData:\n{}", lines.concat())
}

/// The line of a listing, with the line of the source if it is wanted.
fn line(place: &Place, with_source: bool) -> String {
    let instruction = place.instruction.as_deref().unwrap_or_default();
    let word = place.word.unwrap_or_default();
    let line = format!("  {:08x}  {word:08x}  {instruction}", place.address);
    match place.line {
        Some(number) if with_source => {
            let source = escape_line(place.source.as_deref().unwrap_or_default().as_bytes());
            cut(&format!("{line:<46}  # {number}  {source}"), WIDTH)
                .trim_end()
                .to_string()
                + "\n"
        }
        _ => line + "\n",
    }
}
