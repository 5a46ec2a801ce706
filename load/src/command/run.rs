//! `load run SCENARIO`

use std::{fs, net::SocketAddr, path::PathBuf};

use chassis_telemetry::metrics::Metrics;
use chrono::{SecondsFormat, Utc};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    SHIPPED, Stop,
    metrics::{Scraped, peak_mib},
    progress, results,
    results::{Archive, Kept},
    say, store,
    store::Store,
    targets,
};
use crate::{
    report::Report,
    run::{Live, board::Board},
    scenario,
    scenario::Scenario,
};

/// Runs a scenario. Ctrl-C ends it early, and still writes a report.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// A built-in scenario (`load scenarios` lists them), or a file
    scenario: String,
    /// Test another system: URL for all targets, or NAME=URL for one
    #[arg(long, value_name = "[NAME=]URL")]
    target: Vec<String>,
    /// Seed to use instead of the scenario's
    #[arg(long)]
    seed: Option<u64>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER")]
    folder: PathBuf,
    /// Serve /metrics here while it runs, such as 127.0.0.1:0
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<SocketAddr>,
    /// Where the Prometheus of a lab looks for runs that can be scraped
    #[arg(long, default_value = ".lab/prometheus/targets", value_name = "FOLDER", requires = "metrics")]
    discovery: PathBuf,
    /// Begin a sampled trace for this share of the steps, 0 to 1: exemplars of their durations
    #[arg(long, default_value_t = 0.0, value_name = "RATIO", value_parser = chassis_core::config::ratio)]
    trace_ratio: f64,
    /// Fail if this program itself needs more memory than this, in MiB
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    max_memory: Option<u32>,
    /// Also keep the figures in the checkout, for `load results`
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = results::FOLDER)]
    keep: Option<PathBuf>,
}

impl Run {
    pub(super) async fn live(self) -> Result<u8, Stop> {
        let mut scenario = find(&self.scenario)?;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        targets::replace(&mut scenario, &self.target)?;
        targets::check(&scenario).await?;
        let (metrics, stop) = (Metrics::new(), stop_on_signal()?);
        let scraped = match self.metrics {
            Some(address) => Some(Scraped::start(address, &metrics, &scenario.name, &self.discovery).await?),
            None => None,
        };
        let (report, board) = watched(scenario, &stop, &metrics, self.trace_ratio).await;
        let store = Store::at(&self.folder);
        // First: of what is written, the histograms need most memory, and the report says how much was needed.
        Store::keep_board(&store.folder(&report), &board)?;
        let report = report.with_memory(peak_mib(), self.max_memory.map(f64::from));
        let folder = store.keep(&report)?;
        if let Some(kept) = &self.keep {
            Archive::at(kept).keep(&Kept::run(&report))?;
        }
        if self.json {
            say(&store::json(&report));
        } else {
            say(&format!("\n{}\n{}", report.text(), folder.join("report.html").display()));
        }
        if let Some(scraped) = scraped {
            scraped.end().await;
        }
        Ok(report.verdict.exit_code())
    }
}

/// Runs a scenario with progress on standard error.
pub(super) async fn measure(scenario: Scenario, stop: &CancellationToken) -> (Report, Board) {
    watched(scenario, stop, &Metrics::default(), 0.0).await
}

async fn watched(
    scenario: Scenario,
    stop: &CancellationToken,
    metrics: &Metrics,
    trace_ratio: f64,
) -> (Report, Board) {
    let started_at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let live = Live::watched(scenario, metrics, trace_ratio);
    let over = CancellationToken::new();
    let shown = tokio::spawn(progress::show(std::sync::Arc::clone(&live), over.clone()));
    let finished = live.run(stop).await;
    over.cancel();
    let _ = shown.await;
    (Report::of(&live.scenario, &finished, started_at, store::commit()), finished.board)
}

/// A built-in scenario, or a file.
pub(super) fn find(name: &str) -> Result<Scenario, Stop> {
    let usage = |problems: scenario::Problems| Stop::Usage(problems.to_string());
    if let Some((name, text)) = SHIPPED.iter().find(|(known, _)| *known == name) {
        return scenario::read(&format!("{name}.yaml"), text).map_err(usage);
    }
    let text = fs::read_to_string(name).map_err(|error| {
        let known = SHIPPED.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        Stop::Usage(format!("`{name}` is neither a file ({error}) nor one of {known}"))
    })?;
    scenario::read(name, &text).map_err(usage)
}

/// Cancelled by SIGINT or SIGTERM.
pub(super) fn stop_on_signal() -> Result<CancellationToken, Stop> {
    let follow = |kind| signal(kind).map_err(|error| Stop::File("signals".to_owned(), error));
    let (mut interrupt, mut terminate) = (follow(SignalKind::interrupt())?, follow(SignalKind::terminate())?);
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}
