//! The load generator against oha, an HTTP load generator in Rust, on the same target with as many connections: requests per second
//! of the generator's own CPU time. Not per second of the clock: both share the cores with the target, so the clock would measure
//! the target.
//!
//! The runs are interleaved, and the median counts. Both wait for an answer before the next request (closed loop), because that is
//! the one way in which both do the same.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    report::{self, Bars},
    stack::{Kind, Server, Telemetry},
};

/// Keep-alive connections of a run.
const CONNECTIONS: &str = "32";
/// Least part of oha's requests per second of CPU time.
const BAR: f64 = 0.80;
/// The one path that both ask for: `load` reads users.
const PATH: &str = "/users/01900000-0000-7000-8000-000000000001";
/// Units of CPU time in /proc: USER_HZ, which Linux fixes at 100 on every architecture that it runs this lab on.
const TICKS: f64 = 100.0;

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
    Ok(())
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

/// Runs a generator to its end: what it prints, and its CPU time.
fn finished(command: &mut Command) -> Result<(Value, f64)> {
    let before = children()?;
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    let cpu = children()? - before;
    if !output.status.success() {
        bail!("{:?}: {}", command.get_program(), String::from_utf8_lossy(&output.stderr));
    }
    ensure!(cpu > 0.0, "no CPU time was counted: is the run too short?");
    Ok((serde_json::from_slice(&output.stdout)?, cpu))
}

/// CPU time in seconds of the children of this process that have ended; the target is still running.
fn children() -> Result<f64> {
    let stat =
        fs::read_to_string("/proc/self/stat").context("CPU time of children is read from /proc, on Linux")?;
    ended(&stat).context("/proc/self/stat")
}

/// Fields 16 and 17 of proc_pid_stat(5). The name of the program, field 2, may have spaces.
fn ended(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split_whitespace().skip(13).map(|ticks| ticks.parse::<f64>().ok());
    Some((times.next()?? + times.next()??) / TICKS)
}

/// The oha of `./lab bench load`, or the one on PATH.
fn oha() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let target =
        me.ancestors().find(|path| path.ends_with("target")).context("bench runs from the target folder")?;
    let installed = target.join("tools/bin/oha");
    if installed.is_file() {
        return Ok(installed);
    }
    let there = Command::new("oha").arg("--version").output().is_ok_and(|output| output.status.success());
    if there {
        return Ok("oha".into());
    }
    bail!("oha is not installed; `./lab bench load` installs it into target/tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_time_of_children_is_read_behind_any_name() {
        let stat = "42 (a ) name) S 1 42 42 0 -1 4194304 500 9000 0 3 11 12 250 50 20 0 4 0 77";
        assert_eq!(ended(stat), Some(3.0));
        assert_eq!(ended("42 (short) S 1"), None);
    }
}
