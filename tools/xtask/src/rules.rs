//! Prometheus rules and Alertmanager's routes.

use std::{path::Path, sync::Mutex};

use anyhow::{Result, anyhow};

use crate::shell::{Shell, finish, finish_in_one_piece};

/// One folder at a time, because the two clocks record the same series.
const FOLDERS: [&str; 3] = ["dashboards/rules", "dashboards/rules/lab", "dashboards/rules/production"];

/// Runs what takes seconds, and then the tests.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    lint(shell)?;
    test(shell)
}

/// Checks the rules and the routes, without their tests.
pub(crate) fn lint(shell: &Shell) -> Result<()> {
    lint_with(shell, &["promtool"])?;
    let exercises = shell.files(&["docs/exercises/*-rules.yml"])?;
    run_on(shell, &["promtool"], &["check", "rules", "--lint=all"], &exercises)?;
    // The lab's own configuration is a template: the tests of `cli` fill it in and check it.
    shell.run("amtool", &["check-config", "dashboards/alertmanager/production.yml"])
}

/// Runs the tests of the rules, which take both cores for a while. Yields to what runs beside it.
pub(crate) fn test(shell: &Shell) -> Result<()> {
    let promtool = ["nice", "-n", "10", "promtool"];
    // The rules of the exercises, proven wrong, and the right ones.
    run_on(shell, &promtool, &["test", "rules"], &shell.files(&["docs/exercises/*.test.yml"])?)?;
    test_with(shell, &promtool)
}

/// The same tests on Prometheus 3, which counts the samples of a window differently and rewrites bucket bounds. Its promtool
/// is not packaged; it is built once from the Go module proxy. Yields to what runs beside it.
pub(crate) fn check_on_prometheus_3(shell: &Shell) -> Result<()> {
    let promtool = shell.tools().join("promtool-3");
    if !promtool.exists() {
        if !shell.quietly("go", &["version"]) {
            return shell.skip("rules on Prometheus 3", "go is not installed");
        }
        println!("building promtool of Prometheus 3 (once; a few minutes)");
        if build(shell, &promtool).is_err() {
            return shell.skip("rules on Prometheus 3", "its promtool cannot be built here");
        }
    }
    let path = promtool.to_string_lossy();
    let promtool = ["nice", "-n", "10", &path];
    lint_with(shell, &promtool)?;
    test_with(shell, &promtool)
}

fn build(shell: &Shell, promtool: &Path) -> Result<()> {
    let mut go = shell.command("nice", &["-n", "10", "go", "build", "-tags", "remove_all_sd", "-ldflags"]);
    go.args(["-s -w", "-o"]).arg(promtool).arg("github.com/prometheus/prometheus/cmd/promtool");
    finish(go.current_dir(shell.root.join("dashboards/tests/promtool-3")))
}

fn lint_with(shell: &Shell, promtool: &[&str]) -> Result<()> {
    for folder in FOLDERS {
        let files = shell.files(&[&format!(":(glob){folder}/*.yml")])?;
        run_on(shell, promtool, &["check", "rules", "--lint=all"], &files)?;
    }
    Ok(())
}

/// Two at once: some of the generated tests run through hours of the lab's clock. Each lane takes the next file of one
/// queue, the longest first, so that neither waits long for the other.
fn test_with(shell: &Shell, promtool: &[&str]) -> Result<()> {
    let queue = Mutex::new(longest_last(shell, shell.files(&[":(glob)dashboards/tests/*.test.yml"])?));
    let next = || queue.lock().ok().and_then(|mut files| files.pop());
    let lane = || {
        std::iter::from_fn(next)
            .try_for_each(|file| run_on(shell, promtool, &["test", "rules"], std::slice::from_ref(&file)))
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(lane);
        lane().and(other.join().map_err(|_| anyhow!("a test of the rules panicked"))?)
    })
}

/// By how long they take: generated tests evaluate the rules hundreds of times, those that people write a few dozen times; within
/// each kind, by size.
fn longest_last(shell: &Shell, mut files: Vec<String>) -> Vec<String> {
    files.sort_by_cached_key(|file| {
        let size = std::fs::metadata(shell.root.join(file)).map_or(0, |file| file.len());
        (file.contains("/slo-"), size)
    });
    files
}

fn run_on(shell: &Shell, promtool: &[&str], args: &[&str], files: &[String]) -> Result<()> {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut command = shell.command(promtool[0], &[&promtool[1..], args, &files].concat());
    // It lives for seconds: collecting its garbage costs more than the memory.
    finish_in_one_piece(command.env("GOGC", "400"))
}
