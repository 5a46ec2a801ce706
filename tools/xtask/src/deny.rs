//! Licences, sources and known vulnerabilities of the dependencies, by cargo-deny.

use std::process::Command;

use anyhow::Result;

use crate::shell::{Shell, finish};

const VERSION: &str = "cargo-deny@0.20.2";

/// Runs cargo-deny; if it is missing, installs it below `target/tools`.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let tools = shell.tools();
    let ours = tools.join("bin/cargo-deny");
    let program =
        if shell.quietly("cargo-deny", &["--version"]) { "cargo-deny".into() } else { ours.clone() };
    if program == ours && !ours.exists() {
        // Without optimisation: it runs for a second, and an optimised build takes two minutes.
        let mut install = shell.command("cargo", &["install", "--quiet", "--locked", "--debug", "--root"]);
        finish(install.arg(&tools).arg("--target-dir").arg(tools.join("build")).arg(VERSION))?;
        std::fs::remove_dir_all(tools.join("build"))?;
    }
    let deny = |args: &[&str]| -> Command {
        let mut command = Command::new(&program);
        command.args(args).current_dir(&shell.root);
        command
    };
    let check = ["--all-features", "check"];
    finish(deny(&check).args(["--hide-inclusion-graph", "bans", "licenses", "sources"]))?;
    // The list of known vulnerabilities is a repository on GitHub, which this machine may not be able to reach.
    if deny(&["fetch", "db"]).output().is_ok_and(|output| output.status.success()) {
        return finish(deny(&check).arg("advisories"));
    }
    println!("SKIPPED: advisories (their database cannot be reached)");
    Ok(())
}
