//! The project's own measurements; those that involve time are ratios within one run.
//!
//! `bench stack` compares the chassis's middleware with a bare router, `bench orders` the order path with `pgbench`, `bench edge` the
//! way through the edge with the way past it, `bench load` the load generator with oha; `bench memory` and `bench startup` measure
//! the assembled lab, `bench storm` the control room. `just bench` runs all of these.
//!
//! `bench regression`, `bench capacity` and `bench soak` say whether the performance lab is right. They take much longer, and run only
//! by name.
//!
//! A figure that misses its bar fails the program, after everything has been measured. What was measured is kept in the
//! checkout (`load results`).

mod capacity;
mod client;
mod edge;
mod generator;
mod lab;
mod open;
mod orders;
mod regression;
mod report;
mod rival;
mod soak;
mod stack;
mod storm;

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::report::Bars;

/// Measures the lab and prints each figure next to the required one.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// What to measure; by default everything but `regression`, `capacity` and `soak`.
    #[command(subcommand)]
    what: Option<What>,
    /// Length of each timed run, in seconds.
    #[arg(long, global = true, default_value = "5", value_name = "SECONDS")]
    seconds: u64,
    /// Number of interleaved repetitions, at least 1; the median counts.
    #[arg(long, global = true, default_value = "3", value_parser = at_least_one)]
    rounds: usize,
    /// Share of requests to trace in `stack`, 0 to 1.
    #[arg(long, global = true, default_value_t = 0.01, value_name = "RATIO")]
    trace_ratio: f64,
    /// Lines per second of the access log in `stack`; the default is that of the services.
    #[arg(long, global = true, default_value_t = 100, value_name = "N")]
    access_log_rate: u32,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is not a whole number from 1 on"))
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Requests per second of the full middleware stack on a trivial route, against a bare axum router.
    Stack,
    /// Accepted orders per second, against pgbench running an equivalent two-insert transaction on the same server.
    Orders,
    /// Reads of users through the edge, against the same reads past it: throughput and p99.
    Edge,
    /// Requests that the load generator sends per second of its own CPU time, against oha on the same target: closed loop, and a
    /// scenario in open loop.
    Load,
    /// Memory of the services and of the whole lab at 200 requests per second.
    Memory,
    /// Time from `lab up` to everything ready.
    Startup,
    /// Memory of the control room at rest with its page open; its latency and memory while 5,000 alerts arrive within a minute.
    Storm,
    /// Whether `load compare` finds a regression of 10 % in nine of ten runs, and fails A against A at most once in twenty: about
    /// eight minutes.
    Regression,
    /// Whether the knee of `load capacity` is within 15 % of the measured breakpoint, three times: 20 to 30 minutes.
    Capacity {
        /// How many times; each is kept on its own.
        #[arg(long, default_value_t = 3, conflicts_with = "write", value_parser = clap::value_parser!(u32).range(1..=20))]
        times: u32,
        /// Fewer and shorter steps, in half of the time.
        #[arg(long)]
        quick: bool,
        /// Instead, run `load capacity` once on a lab of optimized programs: load/capacity.json and docs/capacity.md,
        /// in ten minutes.
        #[arg(long)]
        write: bool,
    },
    /// Memory of the load generator in an hour at 200 requests per second.
    Soak {
        /// A shorter run, whose figures say so.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=600))]
        minutes: u32,
    },
    /// The server side of `stack`, in its own process.
    #[command(hide = true)]
    Serve {
        /// With the middleware stack or without.
        kind: stack::Kind,
    },
}

impl What {
    /// What its figures are kept as, after `bench-`.
    const fn name(&self) -> &'static str {
        match self {
            Self::Stack => "stack",
            Self::Orders => "orders",
            Self::Edge => "edge",
            Self::Load => "load",
            Self::Memory => "memory",
            Self::Startup => "startup",
            Self::Storm => "storm",
            Self::Regression => "regression",
            Self::Capacity { .. } => "capacity",
            Self::Soak { .. } => "soak",
            Self::Serve { .. } => "serve",
        }
    }
}

/// The same allocator as the services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (args, mut bars) = (Args::parse(), Bars::default());
    let measured = measure(&args, &mut bars).await;
    // Even if what came later failed.
    bars.keep(args.what.as_ref().map_or("all", What::name));
    measured?;
    bars.verdict()
}

async fn measure(args: &Args, bars: &mut Bars) -> anyhow::Result<()> {
    let time = Duration::from_secs(args.seconds);
    let telemetry = stack::Telemetry { trace_ratio: args.trace_ratio, access_log_rate: args.access_log_rate };
    match args.what {
        Some(What::Serve { kind }) => stack::serve(kind, telemetry).await?,
        Some(What::Stack) => stack::run(time, args.rounds, telemetry, bars).await?,
        Some(What::Orders) => orders::run(time, args.rounds, bars).await?,
        Some(What::Edge) => edge::run(time, args.rounds, bars).await?,
        Some(What::Load) => generator::run(time, args.rounds, telemetry, bars)?,
        Some(What::Memory) => lab::memory(time, bars).await?,
        Some(What::Startup) => lab::startup(args.rounds, bars).await?,
        Some(What::Storm) => storm::run(bars).await?,
        Some(What::Regression) => regression::run(bars).await?,
        Some(What::Capacity { times, quick, write }) => capacity::run((!write).then_some(times), quick)?,
        Some(What::Soak { minutes }) => soak::run(minutes, bars)?,
        None => {
            stack::run(time, args.rounds, telemetry, bars).await?;
            orders::run(time, args.rounds, bars).await?;
            edge::run(time, args.rounds, bars).await?;
            generator::run_or_skip(time, args.rounds, telemetry, bars)?;
            lab::memory(time, bars).await?;
            lab::startup(args.rounds, bars).await?;
            storm::run(bars).await?;
        }
    }
    Ok(())
}
