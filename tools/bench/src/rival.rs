//! What it takes to compare the load generator with oha: where oha is, what both are asked for, and how much CPU time a program needed.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Keep-alive connections of a run.
pub(crate) const CONNECTIONS: &str = "32";
/// Least part of oha's requests per second of CPU time.
pub(crate) const BAR: f64 = 0.80;
/// The one path that both ask for: `load` reads users.
pub(crate) const PATH: &str = "/users/01900000-0000-7000-8000-000000000001";
/// Units of CPU time in /proc: USER_HZ, which Linux fixes at 100 on every architecture that it runs this lab on.
const TICKS: f64 = 100.0;

/// Runs a generator to its end: what it prints, and its CPU time in seconds.
///
/// # Errors
/// If it fails, or if what it prints is not JSON.
pub(crate) fn finished(command: &mut Command) -> Result<(Value, f64)> {
    let before = children()?;
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    let cpu = children()? - before;
    if !output.status.success() {
        bail!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr));
    }
    ensure!(cpu > 0.0, "no CPU time was counted: is the run too short?");
    Ok((serde_json::from_slice(&output.stdout)?, cpu))
}

/// CPU time in seconds of the children of this process that have ended; the target is still running.
fn children() -> Result<f64> {
    let stat =
        fs::read_to_string("/proc/self/stat").context("CPU time of children is read from /proc, on Linux")?;
    ended(&stat).context("/proc/self/stat")
}

/// Fields 16 and 17 of proc_pid_stat(5). The name of the program, field 2, may have spaces.
fn ended(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split_whitespace().skip(13).map(|ticks| ticks.parse::<f64>().ok());
    Some((times.next()?? + times.next()??) / TICKS)
}

/// The oha of `./lab bench load`, or the one on PATH.
///
/// # Errors
/// If there is none.
pub(crate) fn oha() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let target =
        me.ancestors().find(|path| path.ends_with("target")).context("bench runs from the target folder")?;
    let installed = target.join("tools/bin/oha");
    if installed.is_file() {
        return Ok(installed);
    }
    let there = Command::new("oha").arg("--version").output().is_ok_and(|output| output.status.success());
    if there {
        return Ok("oha".into());
    }
    bail!("oha is not installed; `./lab bench load` installs it into target/tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_children_is_read_behind_any_name() {
        let stat = "42 (a ) name) S 1 42 42 0 -1 4194304 500 9000 0 3 11 12 250 50 20 0 4 0 77";
        assert_eq!(ended(stat), Some(3.0));
        assert_eq!(ended("42 (short) S 1"), None);
    }
}
