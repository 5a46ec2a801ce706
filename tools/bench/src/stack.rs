//! The cost of the chassis's middleware: the same trivial route behind a bare axum router and behind the full stack.
//!
//! Each side runs in its own process with the same runtime; the runs are interleaved and the median counts, because
//! a shared machine drifts. Logs and metrics are on, faults are off, and `--trace-ratio` of the requests are
//! traced: one in a hundred, which is usual at such rates (the lab traces all of its 20 requests per second). The access
//! log is written as by a service; somebody reads it.

use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::Context;
use axum::{Router, routing::get};
use chassis_core::ServiceInfo;
use chassis_faults::Catalogue;
use chassis_http::catalogue::{HTTP_ABORT, HTTP_ERROR, HTTP_HANG, HTTP_LATENCY};
use chassis_service::{App, CommonConfig, lifecycle::Running};
use clap::{Parser, ValueEnum};

use crate::{
    client::hammer,
    report::{self, Bars},
};

/// Keep-alive connections of a run.
const CONNECTIONS: usize = 32;
/// What every service can have done to its public port.
const POINTS: Catalogue = &[&HTTP_ERROR, &HTTP_LATENCY, &HTTP_HANG, &HTTP_ABORT];
/// The bar of the design.
const BAR: f64 = 0.90;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// axum alone.
    Bare,
    /// Behind all layers of the chassis.
    Stack,
    /// axum alone, with the same answer for every path: what `bench load` sends to.
    Any,
}

/// What the stack tells about its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telemetry {
    /// Share of requests that are traced, 0 to 1.
    pub(crate) trace_ratio: f64,
    /// Lines per second of the access log.
    pub(crate) access_log_rate: u32,
}

impl Telemetry {
    fn arguments(self) -> [String; 2] {
        let Self { trace_ratio, access_log_rate } = self;
        [format!("--trace-ratio={trace_ratio}"), format!("--access-log-rate={access_log_rate}")]
    }
}

#[derive(Parser)]
struct Config {
    #[command(flatten)]
    common: CommonConfig,
}

fn routes() -> Router {
    Router::new().route("/", get(async || "ok"))
}

/// Serves one side until killed; prints the address as the first line of standard output.
pub(crate) async fn serve(kind: Kind, telemetry: Telemetry) -> anyhow::Result<()> {
    match kind {
        Kind::Bare => bare(routes()).await?,
        Kind::Any => bare(Router::new().fallback(async || "ok")).await?,
        Kind::Stack => {
            let fixed = ["bench", "--log-level=warn,access=info"].map(str::to_owned);
            let config = Config::parse_from(fixed.into_iter().chain(telemetry.arguments()));
            let service = ServiceInfo { name: "bench", version: env!("CARGO_PKG_VERSION") };
            let chassis = config.common.chassis(service, POINTS, &[]);
            let guard = chassis_otlp::init(&chassis)?;
            let app = App::new(&config.common, chassis).serving(routes(), &[("GET", "/")]);
            let running = Running::start(app).await?;
            println!("{}", running.public.context("a public address")?);
            std::future::pending::<()>().await;
            drop(guard);
        }
    }
    Ok(())
}

async fn bare(routes: Router) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
}

/// A server in a child process, killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) fn start(kind: Kind, telemetry: Telemetry) -> anyhow::Result<Self> {
        let word = kind.to_possible_value().context("a kind")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", word.get_name()])
            .args(telemetry.arguments())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the server side")?;
        let stdout = child.stdout.take().context("its output")?;
        let (mut line, mut output) = (String::new(), BufReader::new(stdout));
        output.read_line(&mut line)?;
        // A full pipe would stop the server, and a closed one would be cheaper to write to than any log.
        thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        let address = line.trim().parse().with_context(|| format!("the server said `{}`", line.trim()))?;
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs both sides in turn and prints their ratio.
pub(crate) async fn run(
    time: Duration,
    rounds: usize,
    telemetry: Telemetry,
    bars: &mut Bars,
) -> anyhow::Result<()> {
    let Telemetry { trace_ratio, access_log_rate } = telemetry;
    println!(
        "stack: full middleware against bare axum, trivial route, {CONNECTIONS} connections, {} % of requests traced, \
         {access_log_rate} lines/s of the access log",
        trace_ratio * 100.0
    );
    let (bare, stack) = (Server::start(Kind::Bare, telemetry)?, Server::start(Kind::Stack, telemetry)?);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    // Warm up connections, allocator and branch predictors.
    for server in [&bare, &stack] {
        measure(server, Duration::from_secs(1)).await?;
    }
    for round in 1..=rounds {
        without.push(measure(&bare, time).await?);
        with.push(measure(&stack, time).await?);
        println!("  round {round}: bare {:>7.0}/s  stack {:>7.0}/s", without[round - 1], with[round - 1]);
    }
    let (without, with) = (report::median(&mut without), report::median(&mut with));
    println!("  median:  bare {without:>7.0}/s  stack {with:>7.0}/s");
    bars.note("requests per second, bare", without);
    bars.note("requests per second, stack", with);
    bars.check("stack / bare", with / without, BAR, true);
    Ok(())
}

async fn measure(server: &Server, time: Duration) -> anyhow::Result<f64> {
    let rate = hammer(server.address, CONNECTIONS, time, |_, _, out| {
        out.extend_from_slice(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    })
    .await?;
    anyhow::ensure!(rate.other == 0, "{} requests did not get a 200", rate.other);
    Ok(rate.per_second())
}
