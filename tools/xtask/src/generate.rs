//! Everything that is written from a source: pages, dashboards, rules, snapshots, chart examples. One command for all, and no
//! other to remember.

use anyhow::Result;
use clap::ValueEnum;

use crate::shell::{Shell, finish};

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Pages of docs/, dashboards, rules and their tests, burn windows in runbooks and routes: what takes no lab.
    Pages,
    /// Golden scrapes and OpenAPI documents, by the tests that compare them; needs the stores that tests need.
    Snapshots,
    /// The chart's rendered examples, and the configuration that Compose shares with it; needs Helm.
    Chart,
}

/// The order in which they are written: the chart renders what the others write.
const ALL: [What; 3] = [What::Pages, What::Snapshots, What::Chart];

/// Package, program and arguments. A generator takes `--check`, which writes nothing and fails where a committed file differs.
const GENERATORS: [(&str, &str, &[&str]); 3] =
    [("docgen", "docgen", &[]), ("dashgen", "dashgen", &[]), ("cli", "lab", &["slo", "generate"])];

/// Crates whose tests compare snapshots, and words in the names of those tests; Schemathesis compares none.
const SNAPSHOTS: [&str; 8] = [
    "chassis-service",
    "control-room",
    "edge",
    "notifier",
    "order-api",
    "user-service",
    "order-worker",
    "load",
];
const COMPARING: [&str; 5] = ["golden", "openapi", "summary", "--skip", "the_services_keep"];

/// Writes everything, or one of it.
pub(crate) fn write(shell: &Shell, what: Option<What>) -> Result<()> {
    for what in ALL.into_iter().filter(|one| what.is_none_or(|what| what == *one)) {
        match what {
            What::Pages => pages(shell, &[])?,
            What::Snapshots => finish(snapshots(shell).env("UPDATE_SNAPSHOTS", "1"))?,
            What::Chart => shell.run("tests/kubernetes/run", &["chart", "--update"])?,
        }
    }
    Ok(())
}

/// Fails where a committed file differs from its source. Unless they are asked for, snapshots are left to the tests that compare
/// them. All have their say before the first failure is returned.
pub(crate) fn check(shell: &Shell, what: Option<What>) -> Result<()> {
    let asked = |one: &What| what.map_or(*one != What::Snapshots, |what| what == *one);
    let check = |what: What| match what {
        What::Pages => pages(shell, &["--check"]),
        What::Snapshots => finish(&mut snapshots(shell)),
        What::Chart => shell.run("tests/kubernetes/run", &["chart"]),
    };
    ALL.into_iter().filter(asked).map(check).fold(Ok(()), Result::and)
}

fn pages(shell: &Shell, options: &[&str]) -> Result<()> {
    let run = |(package, program, args): &(&str, &str, &[&str])| {
        shell.run("cargo", &[&cargo_run(package, program)[..], args, options].concat())
    };
    GENERATORS.iter().map(run).fold(Ok(()), Result::and)
}

fn snapshots(shell: &Shell) -> std::process::Command {
    let mut tests = shell.command("cargo", &["test", "--locked", "--quiet"]);
    tests.args(SNAPSHOTS.iter().flat_map(|name| ["-p", name]));
    tests.args(["--tests", "--"]).args(COMPARING);
    tests
}

/// As `check` of the pages, by the programs that the suite has built.
pub(crate) fn check_pages(shell: &Shell) -> Result<()> {
    let check = |(_, program, args): &(&str, &str, &[&str])| {
        shell.run(&format!("target/debug/{program}"), &[*args, &["--check"]].concat())
    };
    GENERATORS.iter().map(check).fold(Ok(()), Result::and)
}

fn cargo_run<'a>(package: &'a str, program: &'a str) -> [&'a str; 8] {
    ["run", "--locked", "--quiet", "-p", package, "--bin", program, "--"]
}
