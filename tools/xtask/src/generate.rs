//! Everything that is written from a source: pages, dashboards, rules, snapshots, chart examples.

use anyhow::Result;

use crate::shell::{Shell, finish};

/// Package, program and arguments. A generator takes `--check`, which writes nothing and fails where a committed file differs.
const GENERATORS: [(&str, &str, &[&str]); 3] =
    [("docgen", "docgen", &[]), ("dashgen", "dashgen", &[]), ("cli", "lab", &["slo", "generate"])];

/// Crates whose tests compare snapshots: golden scrapes and OpenAPI documents.
const SNAPSHOTS: [&str; 4] = ["order-api", "user-service", "order-worker", "load"];

/// Writes everything. The chart comes last: it renders what the others write.
pub(crate) fn write(shell: &Shell) -> Result<()> {
    for (package, program, args) in GENERATORS {
        shell.run("cargo", &[&cargo_run(package, program)[..], args].concat())?;
    }
    let mut tests = shell.command("cargo", &["test", "--locked", "--quiet"]);
    tests.args(SNAPSHOTS.iter().flat_map(|name| ["-p", name]));
    finish(tests.args(["--tests", "--", "golden", "openapi", "summary"]).env("UPDATE_SNAPSHOTS", "1"))?;
    shell.run("tests/kubernetes/run", &["chart", "--update"])
}

/// Fails where a committed file differs from its source.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    let check = |(package, program, args): &(&str, &str, &[&str])| {
        shell.run("cargo", &[&cargo_run(package, program)[..], args, &["--check"]].concat())
    };
    // All have their say before the first failure is returned.
    GENERATORS.iter().map(check).fold(Ok(()), Result::and).and(shell.run("tests/kubernetes/run", &["chart"]))
}

/// As `check`, by the programs that the suite has built, and without the chart.
pub(crate) fn check_pages(shell: &Shell) -> Result<()> {
    let check = |(_, program, args): &(&str, &str, &[&str])| {
        shell.run(&format!("target/debug/{program}"), &[*args, &["--check"]].concat())
    };
    GENERATORS.iter().map(check).fold(Ok(()), Result::and)
}

fn cargo_run<'a>(package: &'a str, program: &'a str) -> [&'a str; 8] {
    ["run", "--locked", "--quiet", "-p", package, "--bin", program, "--"]
}
