//! A terminal of its own for a process, and what is on its screen.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

/// How long is waited for what has to come. It comes at once; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process on a terminal.
pub(crate) struct Terminal {
    /// Until it is closed. Who reads has it only while it reads.
    pty: Option<Arc<Pty>>,
    child: Child,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    parser: vt100::Parser,
    /// All that was written.
    bytes: Vec<u8>,
}

/// A folder for the configuration of this test.
pub(crate) fn configuration(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tui").join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

impl Terminal {
    /// `trapeze` with these arguments, in a terminal of 80 x 24, with a configuration of its own.
    pub(crate) fn trapeze(test: &str, arguments: &[&str]) -> Terminal {
        Terminal::with(test, arguments, &[], (80, 24))
    }

    /// As [`Terminal::trapeze`], with this environment and size.
    pub(crate) fn with(test: &str, arguments: &[&str], more: &[(&str, &str)], size: (u16, u16)) -> Terminal {
        let folder = configuration(test);
        let folder = folder.to_str().expect("a path that is text");
        let environment = [&[("XDG_CONFIG_HOME", folder)], more].concat();
        Terminal::start(env!("CARGO_BIN_EXE_trapeze"), arguments, &environment, size)
    }

    /// A program in a terminal.
    pub(crate) fn start(
        program: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        size: (u16, u16),
    ) -> Terminal {
        let (pty, pts) = open().expect("a pty");
        pty.resize(Size::new(size.1, size.0)).expect("it has a size");
        let command = Command::new(program)
            .args(arguments)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .env("RUST_BACKTRACE", "0")
            .envs(environment.iter().copied());
        let child = command.spawn(pts).expect("it starts");
        let (pty, seen) = (Arc::new(pty), Seen::new(size));
        let seen = Arc::new(Mutex::new(seen));
        let (reader, eyes) = (Arc::downgrade(&pty), Arc::clone(&seen));
        spawn(move || read_all(&reader, &eyes));
        Terminal {
            pty: Some(pty),
            child,
            seen,
        }
    }

    fn pty(&self) -> &Pty {
        self.pty.as_ref().expect("it was not closed")
    }

    /// Takes the terminal away, and waits for the end of the process.
    pub(crate) fn close(&mut self) -> ExitStatus {
        self.pty = None;
        self.status()
    }

    /// Types these characters.
    pub(crate) fn types(&self, text: &str) {
        self.pty().write_all(text.as_bytes()).expect("it can be typed");
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, width: u16, height: u16) {
        let mut seen = self.seen.lock().expect("nobody panics with it");
        seen.parser.screen_mut().set_size(height.max(1), width.max(1));
        drop(seen);
        self.pty()
            .resize(Size::new(height, width))
            .expect("it has a size");
    }

    /// The text on the screen.
    pub(crate) fn screen(&self) -> String {
        self.look(|screen| screen.contents())
    }

    /// Looks at the screen.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.seen.lock().expect("nobody panics with it").parser.screen())
    }

    /// All that was written so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.seen.lock().expect("nobody panics with it").bytes.clone()
    }

    /// Waits until this text is on the screen.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(text, |terminal| terminal.screen().contains(text));
    }

    /// Waits until something is so.
    pub(crate) fn wait_until(&self, what: &str, so: impl Fn(&Terminal) -> bool) {
        let begun = Instant::now();
        while !so(self) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} never came:\n{}",
                self.screen()
            );
            sleep(Duration::from_millis(5));
        }
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process"), signal).expect("it is there");
    }

    /// Waits for the end of the process, and until the terminal is as it was.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let status = self.status();
        self.wait_until("the terminal as it was", Terminal::is_restored);
        status
    }

    fn status(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it has no end:\n{}", self.screen());
            sleep(Duration::from_millis(5));
        }
    }

    /// Whether the terminal is as it was before: its own screen, with a cursor, without the mouse; and not raw.
    pub(crate) fn is_restored(&self) -> bool {
        let modes = tcgetattr(self.pty()).map(|termios| termios.local_modes);
        let cooked = modes.is_ok_and(|modes| modes.contains(LocalModes::ICANON | LocalModes::ECHO));
        cooked
            && self.look(|screen| {
                !screen.alternate_screen()
                    && !screen.hide_cursor()
                    && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads what a process writes, until there is nobody any more who has the terminal.
fn read_all(pty: &Weak<Pty>, seen: &Mutex<Seen>) {
    let a_moment = Timespec {
        tv_sec: 0,
        tv_nsec: 10_000_000,
    };
    let mut bytes = [0; 4096];
    while let Some(pty) = pty.upgrade() {
        let mut wanted = [PollFd::new(&*pty, PollFlags::IN)];
        if !poll(&mut wanted, Some(&a_moment)).is_ok_and(|ready| ready > 0) {
            continue;
        }
        match (&*pty).read(&mut bytes) {
            Ok(count @ 1..) => seen.lock().expect("nobody panics with it").take(&bytes[..count]),
            // The other side is closed by all; it stays so, except between two who open it.
            _ => sleep(Duration::from_millis(10)),
        }
    }
}

impl Seen {
    fn new(size: (u16, u16)) -> Seen {
        Seen {
            parser: vt100::Parser::new(size.1.max(1), size.0.max(1), 0),
            bytes: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.bytes.extend_from_slice(bytes);
    }
}
