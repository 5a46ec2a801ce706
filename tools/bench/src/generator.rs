//! The load generator against oha, an HTTP load generator in Rust, on the same target with as many connections: requests per second
//! of the generator's own CPU time. Not per second of the clock: both share the cores with the target, so the clock would measure
//! the target.
//!
//! The runs are interleaved, and the median counts. Here, both wait for an answer before the next request (closed loop): how fast they
//! can be. [`crate::open`] compares them as they are used, at a rate.

use std::{net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    open,
    report::{self, Bars},
    rival::{BAR, CONNECTIONS, PATH, finished, oha},
    stack::{Kind, Server, Telemetry},
};

/// What a generator did.
#[derive(Debug, Clone, Copy)]
struct Sent {
    requests: u64,
    /// Requests per second of the clock.
    per_second: f64,
    /// CPU time of the generator, in seconds.
    cpu: f64,
}

impl Sent {
    fn per_core(&self) -> f64 {
        self.requests as f64 / self.cpu
    }
}

/// As [`run`]; says that it was skipped where oha is not installed.
pub(crate) fn run_or_skip(
    time: Duration,
    rounds: usize,
    telemetry: Telemetry,
    bars: &mut Bars,
) -> Result<()> {
    match oha() {
        Ok(_) => run(time, rounds, telemetry, bars),
        Err(why) => {
            println!("load: SKIPPED ({why})\n");
            Ok(())
        }
    }
}

/// Runs both generators in turn and prints their ratio.
///
/// # Errors
/// If oha is not installed, if a generator fails, or if one of its requests does.
pub(crate) fn run(time: Duration, rounds: usize, telemetry: Telemetry, bars: &mut Bars) -> Result<()> {
    let oha = oha()?;
    println!(
        "load: requests per second of the generator's CPU time, {CONNECTIONS} connections, trivial target"
    );
    let target = Server::start(Kind::Any, telemetry)?;
    // Warm up the target.
    for _ in 0..2 {
        ours(target.address, Duration::from_secs(1))?;
        theirs(&oha, target.address, Duration::from_secs(1))?;
    }
    let (mut load, mut other) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (a, b) = (ours(target.address, time)?, theirs(&oha, target.address, time)?);
        println!(
            "  round {round}: load {:>7.0}/s, {:>7.0} per CPU second  oha {:>7.0}/s, {:>7.0} per CPU second",
            a.per_second,
            a.per_core(),
            b.per_second,
            b.per_core()
        );
        load.push(a.per_core());
        other.push(b.per_core());
    }
    let (load, other) = (report::median(&mut load), report::median(&mut other));
    println!("  median:  load {load:>7.0}  oha {other:>7.0}");
    bars.note("requests per CPU second of load", load);
    bars.note("requests per CPU second of oha", other);
    bars.check("load / oha", load / other, BAR, true);
    open::run(&oha, target.address, (time, rounds), bars)
}

fn ours(target: SocketAddr, time: Duration) -> Result<Sent> {
    let program = std::env::current_exe()?.with_file_name("load");
    let url = format!("http://{target}");
    let mut load = Command::new(&program);
    load.args(["--operation", "read-user", "--concurrency", CONNECTIONS, "--json", "--no-admin"]);
    load.args(["--order-api", &url, "--user-service", &url]);
    load.arg(format!("--duration={}ms", time.as_millis()));
    let (summary, cpu) = finished(&mut load)?;
    let (requests, errors) = (&summary["total"]["requests"], &summary["total"]["errors"]);
    ensure!(errors.as_u64() == Some(0), "load: {errors} of {requests} requests failed");
    let per_second = summary["ok_per_second"].as_f64().context("load prints no ok_per_second")?;
    let requests = requests.as_u64().context("load prints no total")?;
    Ok(Sent { requests, per_second, cpu })
}

fn theirs(oha: &Path, target: SocketAddr, time: Duration) -> Result<Sent> {
    let mut command = Command::new(oha);
    // Without its display it uses its quickest workers.
    command.args(["--no-tui", "--output-format", "json", "-c", CONNECTIONS]);
    command.args(["-z", &format!("{}ms", time.as_millis()), &format!("http://{target}{PATH}")]);
    let (summary, cpu) = finished(&mut command)?;
    let statuses = summary["statusCodeDistribution"].as_object().context("oha prints no status codes")?;
    ensure!(statuses.keys().all(|status| status == "200"), "oha: not every answer was a 200: {statuses:?}");
    let requests: u64 = statuses.values().filter_map(Value::as_u64).sum();
    ensure!(requests > 0, "oha got no answer: {}", summary["errorDistribution"]);
    let per_second = summary["summary"]["requestsPerSec"].as_f64().context("oha prints no requestsPerSec")?;
    Ok(Sent { requests, per_second, cpu })
}
