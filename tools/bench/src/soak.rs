//! The memory of the load generator in an hour at 200 requests per second: the scenario `soak-hour` on a lab of its own, of optimized
//! programs. A shorter run says that the command works, and its figures say how long it was.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{lab::Lab, report::Bars};

/// As the repository has it.
const SCENARIO: &str = include_str!("../../../load/scenarios/soak-hour.yaml");
/// The length of its only stage.
const HOUR: &str = "for: 1h,";
/// Most memory, in MiB.
const MIB: f64 = 20.0;
/// Least requests per second: 200, less what arrivals by chance differ in a short run. A generator that skips starts stays small.
const RATE: f64 = 195.0;

/// Runs the scenario for `minutes` instead of an hour, and prints what the generator needed.
///
/// # Errors
/// If the lab does not start, or the run does not end by itself.
pub(crate) fn run(minutes: u32, bars: &mut Bars) -> Result<()> {
    println!("soak: memory of the load generator in {minutes} min at 200 requests per second");
    let lab = Lab::up(&["--no-load", "--trace-ratio", "0.01"])?;
    let me = std::env::current_exe()?;
    let folder = me.with_file_name("bench-soak");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("soak-hour.yaml");
    std::fs::write(&file, SCENARIO.replace(HOUR, &format!("for: {minutes}m,")))?;
    let report = report(&lab, &me.with_file_name("load"), &file, &folder)?;
    std::fs::remove_dir_all(&folder)?;
    ensure!(report["whole"].as_bool() == Some(true), "the run was stopped");
    let number = |pointer: &str| {
        let value = report.pointer(pointer).and_then(Value::as_f64);
        value.with_context(|| format!("load prints no {pointer}"))
    };
    for judged in report["thresholds"].as_array().into_iter().flatten() {
        let text = |name: &str| judged[name].as_str().unwrap_or_default();
        println!("  {}: {} ({})", text("threshold"), text("verdict"), text("seen"));
    }
    let rate = number("/total/count")? / number("/seconds")?.max(1.0);
    bars.check(&format!("requests per second, {minutes} min"), rate, RATE, true);
    let memory = format!("memory of the generator, {minutes} min, MiB");
    bars.check(&memory, number("/peak_mib")?, MIB, false);
    bars.note("p99, ms", number("/total/p99")?);
    bars.note("failed requests", number("/total/errors")?);
    bars.note("skipped starts", number("/skipped")?);
    Ok(())
}

/// The report of one run. Whether the lab keeps the objectives of the scenario beside everything else on this machine is not the
/// question here, so the exit code is not either.
fn report(lab: &Lab, program: &Path, scenario: &Path, folder: &Path) -> Result<Value> {
    let mut load = Command::new(program);
    load.arg("run").arg(scenario).args(["--json", "--max-memory", &format!("{MIB:.0}")]);
    load.arg("--folder").arg(folder);
    for name in ["order-api", "user-service"] {
        load.arg("--target").arg(format!("{name}=http://127.0.0.1:{}", lab.port(name)?));
    }
    // Its progress is on standard error.
    let output =
        load.stderr(Stdio::inherit()).output().context("load, which is built next to this program")?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("load run: {}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_has_one_length_and_the_targets_that_are_replaced() {
        assert_eq!(SCENARIO.matches(HOUR).count(), 1);
        assert!(SCENARIO.contains("  order-api: http") && SCENARIO.contains("  user-service: http"));
    }
}
