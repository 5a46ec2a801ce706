//! What is on the machine itself: its desktop, and the bell of its terminal. Both are children with a deadline, because a
//! desktop that hangs and a terminal that is stopped must not stop this program.

use std::{process::Stdio, time::Duration};

use chassis_text::markup::content;
use tokio::process::Command;

use super::{exchange::quote, failure::Failure};

/// Longest time that they may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows a notification.
pub(super) async fn desktop(title: &str, text: &str) -> Result<(), Failure> {
    if cfg!(target_os = "macos") {
        let script = "display notification (item 2 of argv) with title (item 1 of argv)";
        let args = ["-e", "on run argv", "-e", script, "-e", "end run", title, text];
        run("osascript", &args, "a notification on the desktop needs it").await
    } else {
        // Servers of notifications read a subset of HTML.
        let text = content(text);
        let args = ["--urgency=critical", "--app-name=SRE Lab", "--", title, &text];
        run("notify-send", &args, "a notification on the desktop needs it; on Debian it is in libnotify-bin")
            .await
    }
}

/// Rings.
pub(super) async fn bell() -> Result<(), Failure> {
    run("sh", &["-c", "printf '\\a' > /dev/tty"], "the terminal's bell needs it").await
}

async fn run(program: &str, args: &[&str], absent: &str) -> Result<(), Failure> {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::Never(format!("`{program}` cannot be started ({error}): {absent}")))?;
    let waited = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = waited
        .map_err(|_| Failure::Unclear(format!("`{program}` did not end within {} s", PATIENCE.as_secs())))?
        .map_err(|error| Failure::Unclear(format!("`{program}`: {error}")))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = quote(&String::from_utf8_lossy(&output.stderr));
        Err(Failure::Never(format!("`{program}` failed ({}): {said}", output.status)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_is_absent_or_fails_is_named_with_what_it_is_for() {
        let absent = run("no-such-notifier", &[], "a notification needs it").await.unwrap_err();
        assert!(absent.why().starts_with("`no-such-notifier` cannot be started"), "{absent:?}");
        assert!(absent.why().ends_with(": a notification needs it"), "{absent:?}");
        let failed = run("sh", &["-c", "echo no bus >&2; exit 3"], "").await.unwrap_err();
        assert!(matches!(&failed, Failure::Never(why) if why.ends_with("no bus")), "{failed:?}");
        assert_eq!(run("sh", &["-c", "exit 0"], "").await, Ok(()));
    }
}
