//! Everything that is written from a source: pages, dashboards, rules, snapshots, chart examples. One command for all, and no
//! other to remember.

use std::fs;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::shell::{Shell, finish};

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Pages of docs/, dashboards, rules and their tests, parts of runbooks and routes, schemas: what takes no lab.
    Pages,
    /// Golden scrapes and OpenAPI documents, by the tests that compare them; needs the stores that tests need.
    Snapshots,
    /// The chart's rendered examples, and the configuration that Compose shares with it; needs Helm.
    Chart,
}

/// The order in which they are written: the chart renders what the others write.
const ALL: [What; 3] = [What::Pages, What::Snapshots, What::Chart];

/// Package, program and arguments. A generator takes `--check`, which writes nothing and fails where a committed file differs.
const GENERATORS: [(&str, &str, &[&str]); 6] = [
    ("docgen", "docgen", &[]),
    ("dashgen", "dashgen", &[]),
    ("cli", "lab", &["slo", "generate"]),
    ("cli", "lab", &["runbook", "generate"]),
    ("cli", "lab", &["chaos", "generate"]),
    ("cli", "lab", &["drill", "generate"]),
];

/// JSON Schemas of files that people write: the package, its example that prints one, and where that is kept.
const SCHEMAS: [(&str, &str, &str); 5] = [
    ("drill", "drill_schema", "drills/schema.json"),
    ("release", "desired_schema", "deploy/gitops/schema.json"),
    ("rota", "oncall_schema", "oncall.schema.json"),
    ("runbook", "guardrails_schema", "guardrails.schema.json"),
    ("runbook", "runbook_schema", "runbooks/schema.json"),
];

/// Crates whose tests compare snapshots, and words in the names of those tests; Schemathesis compares none.
const SNAPSHOTS: [&str; 9] = [
    "chassis-service",
    "control-room",
    "edge",
    "hello",
    "notifier",
    "order-api",
    "user-service",
    "order-worker",
    "load",
];
const COMPARING: [&str; 5] = ["golden", "openapi", "summary", "--skip", "the_services_conform"];

/// Writes everything, or one of it.
pub(crate) fn write(shell: &Shell, what: Option<What>) -> Result<()> {
    for what in ALL.into_iter().filter(|one| what.is_none_or(|what| what == *one)) {
        match what {
            What::Pages => {
                pages(shell, &[])?;
                schemas(shell, false)?;
            }
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
        What::Pages => pages(shell, &["--check"]).and(schemas(shell, true)),
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

/// Writes the schemas, or compares them. In the suite, tests of their crates compare them.
fn schemas(shell: &Shell, check: bool) -> Result<()> {
    let one = |&(package, example, file): &(&str, &str, &str)| {
        let run = ["run", "--locked", "--quiet", "-p", package, "--example", example];
        let (text, path) = (shell.output("cargo", &run)?, shell.root.join(file));
        if !check {
            return fs::write(path, text).with_context(|| format!("cannot write {file}"));
        }
        let kept = fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
        ensure!(kept == text, "{file} differs: run `just generate pages`");
        Ok(())
    };
    SCHEMAS.iter().map(one).fold(Ok(()), Result::and)
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
