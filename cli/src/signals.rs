//! What a person at the terminal wishes of a command that runs for long: Ctrl-C to end it in order, and once more to end it at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::terminal::say;

/// What the end of the terminal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// The same as Ctrl-C.
    Ends,
    /// Nothing.
    Ignored,
}

/// Turns signals into wishes until it is dropped: the first cancels `first` and says `words`, each later one cancels `second`.
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
