//! Scripts that a drill runs, in PostgreSQL and elsewhere, and undoes, and what guards have to refuse. What they do is in the
//! switchboard.

use drill::names::Guarded;
use switchboard::{Attempt, Script};

use crate::room::Room;

/// Runs a script.
///
/// # Errors
/// Why not, in a sentence. The truth may be in it.
pub(super) async fn run(room: &Room, name: &str) -> Result<(), String> {
    told(room.eyes.tools.run_script(known(name)?).await)
}

/// Undoes a script; it is well if it was not run.
///
/// # Errors
/// As [`run`].
pub(super) async fn undo(room: &Room, name: &str) -> Result<(), String> {
    told(room.eyes.tools.undo_script(known(name)?).await)
}

/// Tries what a guard has to refuse.
///
/// # Errors
/// When it did not, or could not be asked.
pub(super) async fn refused(room: &Room, what: Guarded) -> Result<(), String> {
    let attempt = match what {
        Guarded::RestoreOfAnother => Attempt::RestoreOfAnother,
        Guarded::StartOldPrimary => Attempt::StartOldPrimary,
    };
    told(room.eyes.tools.refused(attempt).await)
}

fn known(name: &str) -> Result<&'static Script, String> {
    Script::named(name).ok_or_else(|| format!("there is no script `{name}`"))
}

fn told(done: switchboard::Result<()>) -> Result<(), String> {
    done.map_err(|error| error.to_string())
}
