//! Signals from the terminal to a long-running command: Ctrl-C ends it in order, a second Ctrl-C at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::terminal::say;

/// What closing the terminal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// The same as Ctrl-C.
    Ends,
    /// Nothing.
    Ignored,
}

/// Handles signals until it is dropped: the first cancels `first` and prints `words`, each later one cancels
/// `second`.
pub(crate) async fn listen(
    first: CancellationToken,
    second: CancellationToken,
    hangup: Hangup,
    words: &'static str,
) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hung_up)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up.recv() => if hangup == Hangup::Ignored { continue },
        }
        if first.is_cancelled() {
            second.cancel();
        } else {
            say(words);
            first.cancel();
        }
    }
}
