//! `cargo test`, and a second try for what failed.
//!
//! A test that fails is tried once more, alone. So is a test program that died by a signal: the brokers of the tests are
//! librdkafka's mock clusters, inside the program, and one assertion of theirs takes all of its tests along. What passes then
//! is named at the end of the run: a defect to find, not a success to trust.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    report::{Report, Runner, Runners},
    shell::Shell,
};

/// More failures than this are a broken change, not bad luck: they are not tried again.
const TRIED_AGAIN: usize = 5;

/// Runs the tests of the workspace; `only` chooses targets.
pub(crate) fn run(shell: &Shell, only: &[&str], report: &mut Report) -> Result<()> {
    let test = ["test", "--locked", "--workspace", "--no-fail-fast"];
    let (passed, runners) = watch(shell.command("cargo", &[&test, only].concat()))?;
    report.add(&runners);
    if passed {
        return Ok(());
    }
    let failed: Vec<&Runner> = runners.iter().filter(|runner| !runner.passed).collect();
    for runner in &failed {
        println!("\n--- not passed: {}", runner.heading);
        runner.last_words().for_each(|line| println!("{line}"));
    }
    let tries: usize = failed.iter().map(|runner| runner.failed.len().max(1)).sum();
    // Without a runner that failed, something did not compile.
    if failed.is_empty() || tries > TRIED_AGAIN || failed.iter().any(|runner| runner.target.is_none()) {
        bail!("tests failed");
    }
    let mut all = true;
    for runner in failed {
        all &= try_again(shell, runner, report)?;
    }
    if !all {
        bail!("tests failed, and failed again alone");
    }
    Ok(())
}

/// Runs the failed tests of a program once more, each alone, or the whole program when it died; whether all passed.
fn try_again(shell: &Shell, runner: &Runner, report: &mut Report) -> Result<bool> {
    let target = runner.target.as_deref().unwrap_or_default();
    let args: Vec<&str> = ["test", "--locked"].into_iter().chain(target.split_whitespace()).collect();
    if runner.failed.is_empty() {
        println!("\n--- died, once more: {target}");
        let (passed, _) = watch(shell.command("cargo", &args))?;
        if passed {
            report.flaky(format!("{target} (died)"));
        }
        return Ok(passed);
    }
    let mut all = true;
    for name in &runner.failed {
        println!("\n--- failed, once more: {target} {name}");
        let (passed, runners) =
            watch(shell.command("cargo", &[&args[..], &["--", "--exact", name]].concat()))?;
        // A name that matches no test, as that of a documentation test, proves nothing.
        let passed = passed && runners.iter().any(|runner| runner.counts.passed > 0);
        if passed {
            report.flaky(format!("{target} {name}"));
        }
        all &= passed;
    }
    Ok(all)
}

/// Runs `cargo test`, shows what it prints, and reads it.
fn watch(mut command: Command) -> Result<(bool, Vec<Runner>)> {
    let (reader, writer) = io::pipe().context("no pipe")?;
    // Both in one: the order of the lines says which program a line of cargo is about.
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot run cargo")?;
    // The command holds the writing end, and the pipe would never end.
    drop(command);
    let mut reader = BufReader::new(reader);
    let mut runners = Runners::default();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        io::stdout().write_all(&line)?;
        runners.line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok((child.wait()?.success(), runners.finish()))
}
