//! A revision beside the checkout, as a worktree of git. It stays, so that the next comparison builds only what differs.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::shell::Shell;

/// Where it is.
const FOLDER: &str = "target/perf/tree";

/// A revision that is checked out.
#[derive(Debug)]
pub(crate) struct Tree {
    /// As it was asked for.
    pub(crate) name: String,
    /// Its commit.
    pub(crate) commit: String,
    /// Where it is checked out.
    pub(crate) root: PathBuf,
}

impl Tree {
    /// Checks `rev` out.
    pub(crate) fn of(shell: &Shell, rev: &str) -> Result<Self> {
        let commit = shell
            .output("git", &["rev-parse", "--verify", &format!("{rev}^{{commit}}")])
            .with_context(|| format!("`{rev}` is no revision of this repository, such as main or HEAD~1"))?
            .trim()
            .to_owned();
        let root = shell.root.join(FOLDER);
        if root.join(".git").exists() {
            shell.run("git", &["-C", FOLDER, "checkout", "--quiet", "--force", "--detach", &commit])?;
        } else {
            // `cargo clean` deletes the folder, and git still knows it.
            shell.run("git", &["worktree", "prune"])?;
            shell.run("git", &["worktree", "add", "--quiet", "--detach", FOLDER, &commit])?;
        }
        Ok(Self { name: rev.to_owned(), commit, root })
    }
}
