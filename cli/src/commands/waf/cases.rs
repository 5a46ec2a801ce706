//! Rules are tried by the edge's own program, so that a verdict here is one there.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::parts::{edge::EDGE, programs};

/// What came of it.
pub(super) struct Tried {
    /// Whether every rule can be read, and every case has its verdict within its cost.
    pub(super) sound: bool,
    /// What the program said: what is sound, or every mistake, one per line.
    pub(super) said: String,
}

/// Tries every rule of a file or folder.
///
/// # Errors
/// When there is no such file, or the edge's program cannot be run.
pub(super) fn tried(path: &Path) -> Result<Tried> {
    if !path.exists() {
        bail!("there is no {}", path.display());
    }
    let program = programs::ours(EDGE)?;
    // Its routes are tried, too: those of the lab, and not of somebody's environment.
    let output = Command::new(&program).env_clear().arg("--waf-rules").arg(path).arg("check").output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Tried { sound: output.status.success(), said: text(&output.stdout) + &text(&output.stderr) })
}
