//! The commands of `load`: what it does when its first argument is one of them. All but `probe` belong to the performance lab.
//! Without one it is the generator of [`crate::config`].

mod baseline;
mod capacity;
mod compare;
mod generate;
mod history;
mod merge;
mod metrics;
mod progress;
mod results;
mod run;
mod shipped;
mod simulate;
mod store;
mod sweep;
mod targets;

use std::{ffi::OsString, process::ExitCode};

use chassis_core::EXIT_USAGE;
use chassis_service::lifecycle;
use clap::{CommandFactory, Parser, Subcommand};
pub use shipped::SHIPPED;

use crate::probe::{self, config::ProbeConfig};

/// Nothing could be judged: the target is down, or too little was measured.
pub const EXIT_INCONCLUSIVE: u8 = 3;

/// Load tests with a verdict. Exit code: 0 pass, 1 fail, 3 inconclusive, 64 wrong arguments or file.
#[derive(Debug, Parser)]
#[command(name = "load", version)]
struct Lab {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario, show progress, and write a report
    Run(run::Run),
    /// Compare two systems in interleaved blocks, or two kept runs: is B worse than A?
    Compare(compare::Compare),
    /// Keep a run under a name, or list what is kept
    Baseline(baseline::Baseline),
    /// Merge runs that were one load from several processes or hosts into one report
    Merge(merge::Merge),
    /// Show when the results of a scenario changed
    History(history::History),
    /// Find the capacity of a system: raise the load until the objective no longer holds, and write a page about it
    Capacity(Box<capacity::Capacity>),
    /// List and compare measurements that are kept in the checkout
    Results(results::Results),
    /// Simulate many times today's load with the times of service that `load capacity` has measured: what breaks first, and then?
    Simulate(simulate::Simulate),
    /// Write a scenario for any HTTP service from its OpenAPI document
    Openapi(generate::Generate),
    Probe(Box<ProbeConfig>),
    /// List the built-in scenarios
    Scenarios,
    /// Print the JSON Schema of a scenario
    Schema,
}

/// Why a command ended without a verdict.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Wrong arguments or a wrong file.
    #[error("{0}")]
    Usage(String),
    /// Nothing could be measured.
    #[error("{0}")]
    Nothing(String),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}

impl Stop {
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => EXIT_USAGE,
            Self::Nothing(_) => EXIT_INCONCLUSIVE,
            Self::File(..) => 1,
        }
    }
}

/// Whether the arguments of a process, the first one its name, begin with a command of the performance lab.
#[must_use]
pub fn is_wanted(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let first = arguments.into_iter().nth(1);
    let named = |name: &str| first.as_ref().is_some_and(|first| first == name);
    named("help") || Lab::command().get_subcommands().any(|command| named(command.get_name()))
}

/// Does what the arguments of this process say, and returns its exit code.
pub async fn live() -> ExitCode {
    let ended = match Lab::parse().command {
        Command::Run(run) => run.live().await,
        Command::Compare(compare) => compare.live().await,
        Command::Baseline(baseline) => baseline.act(),
        Command::Merge(merge) => merge.act(),
        Command::History(history) => history.show(),
        Command::Capacity(capacity) => capacity.live().await,
        Command::Results(results) => results.act(),
        Command::Simulate(simulate) => simulate.act(),
        Command::Openapi(generate) => generate.live().await,
        Command::Probe(config) => return lifecycle::exit_code(probe::live(&config).await),
        Command::Scenarios => {
            for (name, text) in SHIPPED {
                let description = crate::scenario::read(name, text).map(|scenario| scenario.description);
                say(&format!("{name:14}{}", description.unwrap_or_default()));
            }
            Ok(0)
        }
        Command::Schema => {
            say(crate::scenario::SCHEMA.trim_end());
            Ok(0)
        }
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            eprintln!("error: {stop}");
            ExitCode::from(stop.exit_code())
        }
    }
}

/// Prints a line; a closed standard output fails nothing.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_leaves_the_generator_its_flags() {
        Lab::command().debug_assert();
        let wanted = |args: &[&str]| is_wanted(args.iter().map(OsString::from));
        assert!(wanted(&["load", "run", "smoke"]) && wanted(&["load", "probe", "--every", "5s"]));
        assert!(!wanted(&["load"]) && !wanted(&["load", "--rate", "50"]) && !wanted(&["load", "--help"]));
    }
}
