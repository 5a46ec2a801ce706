//! The project's chores. Uses no other crate of the workspace: it must build in seconds, before everything else.

mod apache;
mod build_times;
mod dashboards;
mod deny;
mod drills;
mod examples;
mod flame;
mod generate;
mod lanes;
mod libtest;
mod part;
mod perf;
mod programs;
mod report;
mod rules;
mod run;
mod runner;
mod scripts;
mod shell;
mod steps;
mod suite;
mod terraform;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use shell::Shell;
use suite::Extent;

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
    /// Run the checks, as CI does: of the long tests one part, another one each day.
    ///
    /// The day is that of the commit that is checked out. A failed step stops only the steps that need it.
    Test {
        /// Skip the steps that take minutes; shell, format, rules, chart, clippy and unit tests remain.
        #[arg(long)]
        quick: bool,
        /// Run all long tests, the rules on Prometheus 3, and the torture on Apache Kafka.
        #[arg(long, conflicts_with = "quick")]
        all: bool,
        /// Also print the slowest test programs and tests.
        #[arg(long)]
        timings: bool,
    },
    /// Write everything that is generated: pages, dashboards, rules, snapshots, chart examples.
    Generate {
        /// Only these.
        what: Option<generate::What>,
        /// Write nothing; fail where a committed file differs. Snapshots are left to the tests that compare them, unless named.
        #[arg(long)]
        check: bool,
    },
    /// Check the Prometheus rules and Alertmanager's routes, and run the rules' tests.
    Rules,
    /// Measure how long a cold `./lab up` takes, and one after a change. `./lab bench build` calls this.
    BuildTimes,
    /// Compare the checkout with a revision of it: response times in two labs, or instructions per order.
    Perf(perf::Perf),
    /// Draw where order-api and order-worker spend their CPU time under load.
    Flame(flame::Flame),
    /// Judge the dashboards with the code that Grafana publishes.
    Dashboards,
    /// Run shellcheck on every shell script in the repository.
    Scripts,
    /// Test the Terraform provider, and deploy/terraform on a lab of its own. Needs the programs in target/debug.
    Terraform,
    /// Render the chart and check it against the schemas and rules of Kubernetes.
    Chart,
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
    match &args.task {
        Task::Test { quick, all, timings } => {
            let extent = match (quick, all) {
                (true, _) => Extent::Quick,
                (_, true) => Extent::All,
                _ => Extent::Usual,
            };
            return suite::run(&shell, extent, *timings);
        }
        Task::Perf(perf) => return perf.run(&shell),
        Task::Flame(flame) => flame.draw(&shell)?,
        Task::Generate { what, check: true } => generate::check(&shell, *what)?,
        Task::Generate { what, check: false } => generate::write(&shell, *what)?,
        Task::BuildTimes => build_times::measure(&shell)?,
        Task::Rules => rules::check(&shell)?,
        Task::Dashboards => dashboards::check(&shell)?,
        Task::Scripts => scripts::check(&shell)?,
        Task::Terraform => terraform::check(&shell)?,
        Task::Chart => shell.run("tests/kubernetes/run", &["chart"])?,
    }
    Ok(true)
}
