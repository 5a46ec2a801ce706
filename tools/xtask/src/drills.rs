//! Some drills, proven on a lab: those that the last commit affects, and two others, which the commit chooses. What has no time
//! in `docs/measured/drills.json` yet is proven by hand first.

use anyhow::Result;

use crate::{
    perf::lab::Lab,
    shell::{Shell, finish},
};

/// Away from a lab with the usual ports, and from those of `perf`, `bench` and `build-times`. As many traces as in a usual lab, and
/// one replica of each service, as in the labs in which the drills were measured. Drills about backups and failover take part.
const LAB: [&str; 8] =
    ["--rate", "50", "--trace-ratio", "1", "--port-offset", "9240", "--backups", "--replica"];
/// No further drill begins after two minutes, so the step takes at most about four. Those that the commit affects come
/// first.
const VERIFY: [&str; 8] =
    ["drill", "verify", "--sample", "2", "--at-most", "2m", "--among", "docs/measured/drills.json"];
/// Missing in a checkout of one commit.
const BEFORE: &str = "HEAD~1";

/// Proves them. The same commit always gets the same drills.
pub(crate) fn prove(shell: &Shell) -> Result<()> {
    let folder = shell.root.join("target/drills");
    let made = shell.output("git", &["log", "-1", "--format=%ct"])?;
    let _lab = Lab::up(&shell.root.join("target/debug"), &shell.root, &folder, &LAB)?;
    let mut verify = shell.command("target/debug/lab", &VERIFY);
    verify.args(["--rotation", made.trim(), "--dir"]).arg(&folder);
    let commit = format!("{BEFORE}^{{commit}}");
    if shell.quietly("git", &["rev-parse", "--quiet", "--verify", &commit]) {
        verify.args(["--changed", BEFORE]);
    }
    finish(&mut verify)
}
