//! `load capacity` on a lab of its own, of optimized programs: what it can do, or whether the knee is where a run of
//! rising load breaks, several times in a row. `load` keeps what it found.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::lab::Lab;

/// The exit code of `load capacity` for a knee that was not confirmed: what was found is written all the same.
const INCONCLUSIVE: i32 = 3;

/// Compares the knee with the breakpoint `times` times, or measures once and writes the page. `quick`: fewer and shorter
/// steps.
///
/// # Errors
/// If a knee is not within 15 % of its breakpoint, or is not confirmed.
pub(crate) fn run(times: Option<u32>, quick: bool) -> anyhow::Result<()> {
    println!(
        "capacity: {}",
        if times.is_some() { "the knee against the measured breakpoint" } else { "how much can it do?" }
    );
    let lab = Lab::up(&["--no-load", "--trace-ratio", "0.01"])?;
    let at = |name| anyhow::Ok(format!("http://127.0.0.1:{}", lab.port(name)?));
    let mut load = Command::new(std::env::current_exe()?.with_file_name("load"));
    load.args(["capacity", "average", "--prometheus", &at("prometheus")?]);
    for name in ["order-api", "user-service"] {
        load.arg("--target").arg(format!("{name}={}", at(name)?));
    }
    if quick {
        load.arg("--quick");
    }
    if let Some(times) = times {
        load.arg(format!("--check-breakpoint={times}"));
    }
    let status = load.status().context("load, which is built next to this program")?;
    let unconfirmed = times.is_none() && status.code() == Some(INCONCLUSIVE);
    ensure!(!unconfirmed, "the knee is not confirmed: see what load said");
    ensure!(status.success(), "load capacity: {status}");
    Ok(())
}
