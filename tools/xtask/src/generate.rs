//! All generated files: pages, dashboards, rules, snapshots, chart examples.

use anyhow::Result;

use crate::shell::{Shell, finish};

/// Each generator has `--check`, which writes nothing and fails if a committed file differs.
const GENERATORS: [&[&str]; 3] = [
    &["-p", "docgen", "--"],
    &["-p", "dashgen", "--"],
    &["-p", "cli", "--bin", "lab", "--", "slo", "generate"],
];

/// Crates whose tests compare snapshots: golden scrapes and OpenAPI documents.
const SNAPSHOTS: [&str; 4] = ["order-api", "user-service", "order-worker", "load"];

/// Writes everything. The chart comes last: it renders files that the others write.
pub(crate) fn write(shell: &Shell) -> Result<()> {
    for generator in GENERATORS {
        shell.run("cargo", &[&["run", "--locked", "--quiet"], generator].concat())?;
    }
    let mut tests = shell.command("cargo", &["test", "--locked", "--quiet"]);
    tests.args(SNAPSHOTS.iter().flat_map(|name| ["-p", name]));
    finish(tests.args(["--tests", "--", "golden", "openapi", "summary"]).env("UPDATE_SNAPSHOTS", "1"))?;
    shell.run("tests/kubernetes/run", &["chart", "--update"])
}

/// Fails if a committed file differs from its source.
pub(crate) fn check(shell: &Shell) -> Result<()> {
    check_pages(shell).and(shell.run("tests/kubernetes/run", &["chart"]))
}

/// Like `check`, without the chart. Runs all generators before it returns the first failure.
pub(crate) fn check_pages(shell: &Shell) -> Result<()> {
    let check = |generator: &&[&str]| {
        shell.run("cargo", &[&["run", "--locked", "--quiet"], *generator, &["--check"]].concat())
    };
    GENERATORS.iter().map(check).fold(Ok(()), Result::and)
}
