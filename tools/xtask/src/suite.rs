//! The whole suite, step by step.

use std::path::Path;

use anyhow::Result;

use crate::{
    dashboards, deny, drills, examples, generate,
    part::{Long, PARTS},
    programs,
    report::Report,
    rules, runner, scripts,
    shell::{Shell, finish},
    steps::Steps,
    terraform,
};

/// How much of the suite runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What takes a few minutes.
    Quick,
    /// What CI runs: of the long tests those of the day.
    Usual,
    All,
}

/// A minute of kills that can be repeated. The ports have nothing in common with those of the lab of tests/terraform.
const TORTURE: &[&str] = &["torture", "--for", "1m", "--seed", "172", "--port-offset", "9300"];

/// With the programs in one file, which no build of the workspace compiles: clippy links nothing.
const CLIPPY: &[&str] = &[
    "clippy",
    "--locked",
    "--workspace",
    "--all-targets",
    "--features",
    "lab-programs/one-file",
    "--",
    "-D",
    "warnings",
];

/// Runs the steps; returns whether all passed.
pub(crate) fn run(shell: &Shell, extent: Extent, timings: bool) -> Result<bool> {
    let mut steps = Steps::begin();
    let mut report = Report::default();
    let cargo = |args: &[&str]| shell.run("cargo", args);
    steps.step("scripts", &[], || scripts::check(shell));
    steps.step("format", &[], || cargo(&["fmt", "--all", "--check"]));
    steps.step("rules", &[], || rules::lint(shell));
    steps.step("chart", &[], || shell.run("tests/kubernetes/run", &["chart"]));
    steps.step("scripts of deploy", &[], || shell.run("tests/deploy/run", &[]));
    steps.step("clippy", &[], || cargo(CLIPPY));
    if extent == Extent::Quick {
        steps.step("tests of the rules", &[], || rules::test(shell));
        steps.step("unit tests", &[], || {
            runner::run(programs::build(shell, programs::UNIT_TESTS)?, None, &mut report)
        });
    } else {
        let long = if extent == Extent::All { Long::All } else { Long::of_the_day(shell)? };
        slow(shell, long, &mut steps, &mut report);
        say_what_is_left(long);
    }
    let passed = steps.finish();
    report.print(timings);
    Ok(passed)
}

/// Says what a run of one part did not check.
fn say_what_is_left(long: Long) {
    if let Long::Part(part) = long {
        println!(
            "\nThis was part {} of {PARTS} of the long tests, without the rules on Prometheus 3 and the torture on Apache \
             Kafka; `./lab test --all` runs all.",
            part + 1
        );
    }
}

/// The steps that take minutes.
fn slow(shell: &Shell, long: Long, steps: &mut Steps, report: &mut Report) {
    let mut tests = Vec::new();
    steps.step("docs", &[], || {
        let doc = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items", "--keep-going"];
        finish(shell.command("cargo", &doc).env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.step("dependencies", &[], || deny::check(shell));
    // Everything that is run from here on: the tests of the whole lab start the programs from beside the `lab` binary.
    steps.step("build", &[], || {
        tests = programs::build(shell, programs::EVERYTHING)?;
        Ok(())
    });
    // After the build, which has compiled what the examples use.
    steps.step("examples in docs", &["build"], || examples::check(shell));
    steps.step("generated files", &["build"], || generate::check_pages(shell));
    steps.step("dashboards", &[], || dashboards::check(shell));
    steps.step("schemathesis", &[], || schemathesis(shell));
    steps.step("axe", &[], || axe(shell));
    steps.step("workflows", &[], || shell.run("tools/workflows/check", &[]));
    steps.step("emulators of S3", &[], || emulators(shell));
    // Not beside the tests: it compiles for minutes, and tests with deadlines had no core left.
    if long == Long::All {
        steps.step("rules on Prometheus 3", &[], || rules::check_on_prometheus_3(shell));
    }
    steps.step("tests", &["build"], || runner::run(tests, Some(long), report));
    // Its lab has the machine for itself.
    steps.step("drills", &["build"], || drills::prove(shell));
    // A minute of SIGKILL. The seed is fixed, so that a failure can be repeated; with the usual parts it kills the
    // broker, user-service, Prometheus, the control room, the supervisor and order-api. Try other seeds by hand.
    // Nothing in it has a deadline of seconds, so what only needs a processor runs beside it.
    steps.side_by_side(
        |steps| steps.step("torture", &["build"], || shell.run("target/debug/lab", TORTURE)),
        |steps| {
            steps.step("tests of the rules", &[], || rules::test(shell));
            steps.step("terraform", &["build"], || terraform::quick(shell));
            steps.step("backups of the chart", &["build"], || backups_of_the_chart(shell));
        },
    );
    if long == Long::All {
        steps.step("torture on Apache Kafka", &["build"], || torture_on_apache_kafka(shell));
    }
}

/// The scripts with which the chart backs up PostgreSQL and restores it, with a PostgreSQL of this machine.
fn backups_of_the_chart(shell: &Shell) -> Result<()> {
    if !Path::new("/usr/lib/postgresql").is_dir() || !shell.quietly("curl", &["--version"]) {
        return shell.skip(
            "backups of the chart",
            "they need curl, and PostgreSQL from a package of Debian or Ubuntu",
        );
    }
    shell.run("tests/kubernetes/run", &["backups", "target/debug"])
}

/// The same kills, of a broker whose log survives them.
fn torture_on_apache_kafka(shell: &Shell) -> Result<()> {
    let lack = shell.output("tools/kafka/fetch", &["--check"])?.trim().replace('\n', " and ");
    if !lack.is_empty() {
        return shell.skip("torture on Apache Kafka", &format!("it needs {lack}"));
    }
    shell.run("target/debug/lab", &[TORTURE, &["--kafka", "apache"]].concat())
}

/// Installs what the test of the OpenAPI documents needs; without it that test is skipped on a laptop, and fails in
/// CI.
fn schemathesis(shell: &Shell) -> Result<()> {
    shell.run("tools/schemathesis/install", &[]).or_else(|_| {
        shell.skip(
            "schemathesis",
            "it cannot be installed: it needs python3 with venv, and Python's package index",
        )
    })
}

/// Installs the other implementations that the contract suite of the object store runs against; without them, as with
/// schemathesis.
fn emulators(shell: &Shell) -> Result<()> {
    let installed = shell.run("tools/s3-emulators/install", &[]);
    installed.and_then(|()| shell.run("tools/localstack/install", &[])).or_else(|_| {
        shell.skip(
            "emulators of S3",
            "they cannot be installed: they need python3 with venv, and Python's package index",
        )
    })
}

/// Installs what judges the pages of the control room in the tests of a browser; without it, as with schemathesis.
fn axe(shell: &Shell) -> Result<()> {
    shell
        .run("tools/axe/install", &[])
        .or_else(|_| shell.skip("axe", "it cannot be installed: it needs node, npm, and npm's registry"))
}
