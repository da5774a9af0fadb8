//! The terminal as we have it: another screen, raw, with the mouse; and given back as it was.

use std::cell::RefCell;
use std::io::{self, Stdout, Write};
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread::sleep;
use std::time::Duration;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Size;
use ratatui::{Frame, Terminal};

use super::cast::Cast;

/// Whether the terminal is ours: it is given back once only, because a second time would move the cursor back over what
/// was printed since; and nothing is drawn any more afterwards. Who draws has the lock.
static OURS: Mutex<bool> = Mutex::new(false);

/// Takes the lock, also from one who has panicked; not for ever, because who draws may be stuck.
fn ours() -> Option<MutexGuard<'static, bool>> {
    for _ in 0..100 {
        match OURS.try_lock() {
            Ok(ours) => return Some(ours),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(1)),
        }
    }
    None
}

/// The terminal while it is ours. Dropping it gives the terminal back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Out>>,
    cast: Rc<RefCell<Option<Cast>>>,
}

impl Screen {
    /// Takes the terminal; all that is written to it is recorded too, if that is wanted.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn open(cast: Option<Cast>) -> io::Result<Screen> {
        let cast = Rc::new(RefCell::new(cast));
        let out = Out {
            pending: Vec::new(),
            stdout: io::stdout(),
            cast: Rc::clone(&cast),
        };
        let mut screen = Screen {
            terminal: Terminal::new(CrosstermBackend::new(out))?,
            cast,
        };
        screen.reopen()?;
        Ok(screen)
    }

    /// Takes the terminal again after it was given back.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Some(mut ours) = ours() {
            *ours = true;
        }
        enable_raw_mode()?;
        execute!(self.terminal.backend_mut(), EnterAlternateScreen)?;
        self.forget()
    }

    /// The size that it has now.
    pub(super) fn size(&self) -> io::Result<Size> {
        self.terminal.size()
    }

    /// Draws a picture: what differs from the last one is written, and shown at once.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        if let Some(cast) = &mut *self.cast.borrow_mut() {
            let size = self.size()?;
            cast.resized(size.width, size.height);
        }
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(render)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Forgets what is on the screen, so that the next picture is drawn anew.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // `Terminal::clear` would ask the terminal where its cursor is, and not every one answers.
        self.terminal.swap_buffers();
        self.terminal.backend_mut().clear()
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(super) fn mouse(&mut self, ours: bool) -> io::Result<()> {
        match ours {
            true => execute!(self.terminal.backend_mut(), EnableMouseCapture),
            false => execute!(self.terminal.backend_mut(), DisableMouseCapture),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back as it was, if it is ours. Nothing can be done if that fails.
pub(super) fn restore() {
    let Some(mut ours) = ours().filter(|ours| **ours) else {
        return;
    };
    *ours = false;
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// A panic gives the terminal back before it is reported.
pub(super) fn restore_after_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        report(panic);
    }));
}

/// The standard output, written to in one piece for each picture, and the recording of it.
struct Out {
    pending: Vec<u8>,
    stdout: Stdout,
    cast: Rc<RefCell<Option<Cast>>>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let Some(_drawing) = ours().filter(|ours| **ours) else {
            return Ok(());
        };
        if let Some(cast) = &mut *self.cast.borrow_mut() {
            cast.shown(&pending);
        }
        self.stdout.write_all(&pending)?;
        self.stdout.flush()
    }
}
