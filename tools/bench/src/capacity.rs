//! Is the knee that `load capacity` finds where a run of rising load breaks? Three times in a row, on a lab of its own.

use std::process::Command;

use anyhow::{Context, ensure};

use crate::lab::Lab;

/// Runs `load capacity --check-breakpoint`, which prints a line for each time. Takes half an hour and more.
pub(crate) fn run() -> anyhow::Result<()> {
    println!("capacity: the knee against the measured breakpoint");
    let lab = Lab::up(&["--no-load", "--trace-ratio", "0.01"])?;
    let at = |name| anyhow::Ok(format!("http://127.0.0.1:{}", lab.port(name)?));
    let mut load = Command::new(std::env::current_exe()?.with_file_name("load"));
    load.args(["capacity", "average", "--check-breakpoint=3", "--prometheus", &at("prometheus")?]);
    for name in ["order-api", "user-service"] {
        load.arg("--target").arg(format!("{name}={}", at(name)?));
    }
    let status = load.status().context("load, which is built next to this program")?;
    ensure!(status.success(), "the knee is not within 15 % of the breakpoint each time: {status}");
    Ok(())
}
