//! Runs `cargo test`, and repeats failed tests.
//!
//! A test that fails is repeated once, alone. So is a test program that died by a signal: the brokers of the tests
//! are librdkafka's mock clusters inside the program, and a failed assertion in one of them ends all of its tests.
//! Tests that then pass are listed at the end of the run: they are defects to find.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    report::{Report, Runner, Runners},
    shell::Shell,
};

/// More failures than this mean a broken change, not bad luck: they are not repeated.
const TRIED_AGAIN: usize = 5;

/// Runs the tests of the workspace; `only` selects targets.
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
    // If no test program failed, something did not compile.
    if failed.is_empty() || tries > TRIED_AGAIN || failed.iter().any(|runner| runner.target.is_none()) {
        bail!("tests failed");
    }
    let mut all = true;
    for runner in failed {
        all &= try_again(shell, runner, report)?;
    }
    if !all {
        bail!("tests failed, and failed again when run alone");
    }
    Ok(())
}

/// Repeats the failed tests of a program, each alone, or the whole program if it died; returns whether all passed.
fn try_again(shell: &Shell, runner: &Runner, report: &mut Report) -> Result<bool> {
    let target = runner.target.as_deref().unwrap_or_default();
    let args: Vec<&str> = ["test", "--locked"].into_iter().chain(target.split_whitespace()).collect();
    if runner.failed.is_empty() {
        println!("\n--- died, running again: {target}");
        let (passed, _) = watch(shell.command("cargo", &args))?;
        if passed {
            report.flaky(format!("{target} (died)"));
        }
        return Ok(passed);
    }
    let mut all = true;
    for name in &runner.failed {
        println!("\n--- failed, running again: {target} {name}");
        let (passed, runners) =
            watch(shell.command("cargo", &[&args[..], &["--", "--exact", name]].concat()))?;
        // A name that matches no test, such as that of a documentation test, proves nothing.
        let passed = passed && runners.iter().any(|runner| runner.counts.passed > 0);
        if passed {
            report.flaky(format!("{target} {name}"));
        }
        all &= passed;
    }
    Ok(all)
}

/// Runs `cargo test`, shows its output, and parses it.
fn watch(mut command: Command) -> Result<(bool, Vec<Runner>)> {
    let (reader, writer) = io::pipe().context("no pipe")?;
    // Both streams in one pipe: the order of the lines shows which program a line of cargo is about.
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot run cargo")?;
    // The command holds the writing end: while it lives, the pipe would never end.
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
