//! The engine of `load run` against oha at the same rate: both send on time, whatever the target does, and correct latency for it.
//! At a fixed rate, the one that needs less CPU time leaves more for the target.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    report::{self, Bars},
    rival::{BAR, CONNECTIONS, PATH, finished},
};

/// Requests per second.
const RATE: u32 = 10_000;

/// Runs both in turn and prints their ratio. Takes two runs of `time` for each of `rounds`.
///
/// # Errors
/// If a generator fails, or if one of its requests does.
pub(crate) fn run(
    oha: &Path,
    target: SocketAddr,
    (time, rounds): (Duration, usize),
    bars: &mut Bars,
) -> Result<()> {
    println!("  open loop, {RATE} requests per second: `load run` against oha with --latency-correction");
    let folder = std::env::temp_dir().join(format!("bench-open-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let file = folder.join("open.yaml");
    fs::write(&file, scenario(target, time))?;
    let (mut load, mut other, mut late, mut skipped) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    for round in 1..=rounds {
        let (mine, on_time) = ours(&file, &folder)?;
        let theirs = theirs(oha, target, time)?;
        println!(
            "  round {round}: load {mine:>7.0} per CPU second, late by {:.2} ms (p99), {:.0} skipped  oha {theirs:>7.0}",
            on_time.late_ms, on_time.skipped
        );
        load.push(mine);
        other.push(theirs);
        late.push(on_time.late_ms);
        skipped += on_time.skipped;
    }
    fs::remove_dir_all(&folder)?;
    let (load, other) = (report::median(&mut load), report::median(&mut other));
    bars.note("open loop: requests per CPU second of load run", load);
    bars.note("open loop: requests per CPU second of oha", other);
    bars.note("open loop: load run late by, p99, ms", report::median(&mut late));
    bars.note("open loop: starts that load run skipped", skipped);
    bars.check("open loop: load run / oha", load / other, BAR, true);
    Ok(())
}

/// How well a run has kept its times.
struct OnTime {
    late_ms: f64,
    skipped: f64,
}

fn scenario(target: SocketAddr, time: Duration) -> String {
    format!(
        "description: Reads at a fixed rate.\n\
         targets: {{server: 'http://{target}'}}\n\
         arrivals: constant\n\
         max_in_flight: 10000\n\
         stages: [{{kind: hold, for: {}ms, rate: {RATE}}}]\n\
         journeys: [{{name: read, steps: [{{name: read, path: {PATH}}}]}}]\n",
        time.as_millis()
    )
}

/// Requests per second of CPU time, its reports included.
fn ours(scenario: &Path, folder: &Path) -> Result<(f64, OnTime)> {
    let mut load = Command::new(std::env::current_exe()?.with_file_name("load"));
    load.arg("run").arg(scenario).arg("--json").arg("--folder").arg(folder);
    let (report, cpu) = finished(&mut load)?;
    let number = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_f64);
        value.with_context(|| format!("load prints no {pointer}"))
    };
    let (requests, errors) = (number("/total/count")?, number("/total/errors")?);
    ensure!(errors == 0.0, "load: {errors} of {requests} requests failed");
    Ok((requests / cpu, OnTime { late_ms: number("/late_p99_ms")?, skipped: number("/skipped")? }))
}

fn theirs(oha: &Path, target: SocketAddr, time: Duration) -> Result<f64> {
    let mut command = Command::new(oha);
    command.args(["--no-tui", "--output-format", "json", "--latency-correction", "-c", CONNECTIONS]);
    command.args(["-q", &RATE.to_string(), "-z", &format!("{}ms", time.as_millis())]);
    let (summary, cpu) = finished(command.arg(format!("http://{target}{PATH}")))?;
    let statuses = summary["statusCodeDistribution"].as_object().context("oha prints no status codes")?;
    let requests: u64 = statuses.values().filter_map(Value::as_u64).sum();
    ensure!(requests > 0, "oha got no answer: {}", summary["errorDistribution"]);
    Ok(requests as f64 / cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_asks_for_the_rate_and_the_path_of_oha() {
        let text = scenario(SocketAddr::from(([127, 0, 0, 1], 80)), Duration::from_secs(5));
        assert!(
            text.contains("for: 5000ms, rate: 10000}") && text.contains(&format!("path: {PATH}}}")),
            "{text}"
        );
    }
}
