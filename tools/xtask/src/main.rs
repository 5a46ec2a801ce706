//! The project's chores. Uses no other crate of the workspace: it must build in seconds, before everything else.

mod deny;
mod generate;
mod report;
mod rules;
mod scripts;
mod shell;
mod steps;
mod suite;
mod tests;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use shell::Shell;

/// Runs every check of the project, and writes everything that is generated.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Args {
    #[command(subcommand)]
    task: Task,
    /// Fail if a check would be skipped because a program is missing. Set in CI.
    #[arg(long, global = true, env = "CI", hide_env = true, value_parser = clap::builder::FalseyValueParser::new())]
    ci: bool,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every check, as CI does. A failed step stops only the steps that need it.
    Test {
        /// Skip the steps that take minutes; shell, format, rules, chart, clippy and unit tests remain.
        #[arg(long)]
        quick: bool,
        /// Also print the slowest test programs.
        #[arg(long)]
        timings: bool,
    },
    /// Write everything that is generated: pages, dashboards, rules, snapshots, chart examples.
    Generate {
        /// Write nothing; exit with 1 if a committed file differs. Snapshots are compared by their own tests.
        #[arg(long)]
        check: bool,
    },
    /// Check the Prometheus rules and Alertmanager's routes, and run the rules' tests.
    Rules,
    /// Run shellcheck on every shell script in the repository.
    Scripts,
    /// Render the chart and check it against the schemas and rules of Kubernetes.
    Chart {
        /// Write the rendered examples instead of comparing them.
        #[arg(long)]
        update: bool,
    },
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything passed.
fn run(args: &Args) -> anyhow::Result<bool> {
    let shell = Shell::new(args.ci)?;
    match args.task {
        Task::Test { quick, timings } => return suite::run(&shell, quick, timings),
        Task::Generate { check: true } => generate::check(&shell)?,
        Task::Generate { check: false } => generate::write(&shell)?,
        Task::Rules => rules::check(&shell)?,
        Task::Scripts => scripts::check(&shell)?,
        Task::Chart { update: false } => shell.run("tests/kubernetes/run", &["chart"])?,
        Task::Chart { update: true } => shell.run("tests/kubernetes/run", &["chart", "--update"])?,
    }
    Ok(true)
}
