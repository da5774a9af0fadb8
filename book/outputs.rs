//! Blocks that show what the binary prints.
//!
//! A page marks such a block with a comment and leaves the fence below it to `cargo xtask book`:
//!
//! ````text
//! <!-- output: trapeze isa | head -n 5 -->
//! ```text
//! ```
//! ````
//!
//! The fence then holds the command behind a `$`, and what a terminal would show after it. A command is
//! `trapeze` with its arguments, in double quotes where they have blanks; after it ` | head -n N` keeps the first
//! N lines, ` | sed -n A,Bp` lines A to B, or `; echo $?` shows the exit code, without which it has to be 0. A shell
//! understands the same line.
//!
//! Only commands whose output is the same on every host can be shown. What `doctor` finds, and the `wall_ns` of
//! `--json`, are not. A command that not every host can run may be shown: where it cannot, the block stays as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// A built `trapeze`.
pub struct Binary {
    path: PathBuf,
}

impl Binary {
    /// The binary at this path.
    pub fn new(path: &Path) -> Binary {
        Binary {
            path: path.to_path_buf(),
        }
    }

    /// What a terminal shows of this command line, run in the root of the repository; `None` if this host cannot run
    /// it.
    ///
    /// # Errors
    /// If the line is not one of those that this module describes, or ends otherwise than it lets one expect.
    pub fn print(&self, line: &str) -> Result<Option<String>> {
        let (line, echo) = match line.strip_suffix("; echo $?") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (line, kept) = match line.split_once(" | ") {
            Some((line, filter)) => (line, Some(lines(filter)?)),
            None => (line, None),
        };
        ensure!(
            !(echo && kept.is_some()),
            "after a pipe, a shell would show the exit code of `head` or `sed`"
        );
        let (skipped, last) = kept.unwrap_or((0, usize::MAX));
        let words = words(line);
        let ["trapeze", arguments @ ..] = words.as_slice() else {
            bail!("only `trapeze` can be shown, not `{line}`");
        };
        let done = Command::new(&self.path)
            .args(arguments)
            .current_dir(crate::root())
            .env_remove("COLUMNS")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} does not start", self.path.display()))?;

        let out = String::from_utf8(done.stdout)?;
        let mut shown: String = out.split_inclusive('\n').take(last).skip(skipped).collect();
        let said = String::from_utf8(done.stderr)?;
        if said.contains(CANNOT) {
            return Ok(None);
        }
        shown += &said;
        match done.status.code() {
            Some(code) if echo => shown += &format!("{code}\n"),
            Some(0) => {}
            _ => bail!(
                "`{line}` ended with {}; `; echo $?` would show it\n{shown}",
                done.status
            ),
        }
        Ok(Some(shown))
    }
}

/// What `trapeze` says of a mode that the host has not what it takes for.
const CANNOT: &str = "cannot run here";

/// How many lines a filter skips, and which is the last that it keeps.
fn lines(filter: &str) -> Result<(usize, usize)> {
    let number = |text: &str| text.trim().parse::<usize>();
    if let Some(count) = filter.strip_prefix("head -n ") {
        return Ok((0, number(count).context("head -n takes a number")?));
    }
    let range = filter
        .strip_prefix("sed -n ")
        .and_then(|range| range.trim().strip_suffix('p')?.split_once(','));
    let (first, last) = range.context("after `|` only `head -n N` and `sed -n A,Bp` can be shown")?;
    let numbers = (number(first), number(last));
    let (Ok(first @ 1..), Ok(last)) = numbers else {
        bail!("sed -n takes two numbers, the first from 1 on");
    };
    Ok((first - 1, last))
}

/// The words of a command line; double quotes hold one together.
fn words(line: &str) -> Vec<&str> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        })
        .collect()
}

/// The page with the body of every marked block as `print` gives it for the block's command, or as it was.
///
/// # Errors
/// If a mark has no fence, a fence no end, or `print` fails.
pub fn refresh(page: &str, mut print: impl FnMut(&str) -> Result<Option<String>>) -> Result<String> {
    let mut fresh = String::new();
    let mut lines = page.split_inclusive('\n');
    while let Some(line) = lines.next() {
        fresh += line;
        let mark = line.trim_end().strip_prefix("<!-- output: ");
        let Some(command) = mark.and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        ensure!(
            lines.next() == Some("```text\n"),
            "`{command}`: a ```text fence has to follow the mark"
        );
        let mut body = String::new();
        let ended = lines.any(|line| {
            body += line;
            line.trim_end() == "```"
        });
        ensure!(ended, "`{command}`: the fence does not end");
        let Some(shown) = print(command)? else {
            fresh += &format!("```text\n{body}");
            continue;
        };
        ensure!(
            !shown.contains("```"),
            "`{command}`: the output would end the fence"
        );
        let end = if shown.ends_with('\n') { "" } else { "\n" };
        fresh += &format!("```text\n$ {command}\n{shown}{end}```\n");
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shout(command: &str) -> Result<Option<String>> {
        Ok(Some(command.to_uppercase()))
    }

    #[test]
    fn the_body_of_a_marked_block_is_replaced_and_nothing_else() {
        let page = "a\n<!-- output: b c -->\n```text\nold\nolder\n```\n```text\nkept\n```\n";
        let fresh = refresh(page, shout).unwrap();
        assert_eq!(
            fresh,
            "a\n<!-- output: b c -->\n```text\n$ b c\nB C\n```\n```text\nkept\n```\n"
        );
        assert_eq!(refresh(&fresh, shout).unwrap(), fresh);
        assert_eq!(
            refresh(page, |_| Ok(None)).unwrap(),
            page,
            "this host cannot run it"
        );
    }

    #[test]
    fn a_block_that_makes_no_sense_is_an_error() {
        assert!(refresh("<!-- output: b -->\ntext\n", shout).is_err());
        assert!(refresh("<!-- output: b -->\n```text\nold\n", shout).is_err());
        let page = "<!-- output: b -->\n```text\n```\n";
        assert!(refresh(page, |_| Ok(Some("```\n".to_string()))).is_err());
        assert!(refresh(page, |_| bail!("no such command")).is_err());
    }

    #[test]
    fn only_trapeze_is_run() {
        let binary = Binary::new(Path::new("/nonexistent/trapeze"));
        let error = |line| format!("{:#}", binary.print(line).unwrap_err());
        assert!(error("rm -r book").contains("only `trapeze`"));
        assert!(error("trapeze list | head -n many").contains("number"));
        assert!(error("trapeze list | sed -n 0,2p").contains("from 1 on"));
        assert!(error("trapeze list | tail -n 2").contains("sed -n"));
        assert_eq!(lines("sed -n 3,7p").unwrap(), (2, 7));
        assert!(error("trapeze list | head -n 1; echo $?").contains("of `head`"));
        assert!(error("trapeze list").contains("does not start"));
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("isa --row \"csrw status\" --json"),
            ["isa", "--row", "csrw status", "--json"]
        );
    }
}
