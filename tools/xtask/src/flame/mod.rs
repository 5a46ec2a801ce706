//! Where services spend their CPU time under load: perf samples them in a lab of their own, and each becomes a flame graph and a list.
//! Both are in `target/flame`, which git ignores.

mod graph;
mod stacks;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{
    perf::lab::Lab,
    shell::{Shell, finish},
};
use stacks::Stacks;

/// Away from the labs of `bench`, `build-times` and `perf`.
const OFFSET: &str = "18000";
/// Samples per second and core; not a round number, so that nothing periodic is always missed.
const HERTZ: &str = "199";
/// Functions in the list.
const LISTED: usize = 15;

/// Draws flame graphs of services under load.
#[derive(Debug, Args)]
pub(crate) struct Flame {
    /// Parts of the lab
    #[arg(default_values = ["order-api", "order-worker"])]
    services: Vec<String>,
    /// How long to sample, in seconds
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    seconds: u32,
    /// Requests per second of the load
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

impl Flame {
    /// Writes the graphs, and prints what costs most.
    pub(crate) fn draw(&self, shell: &Shell) -> Result<()> {
        if !shell.quietly("perf", &["--version"]) {
            return shell.skip("flame graphs", "perf is not installed: apt-get install linux-perf");
        }
        let folder = shell.root.join("target/flame");
        fs::create_dir_all(&folder)?;
        println!("building with frame pointers (the first time from scratch)");
        finish(
            shell
                .command("tools/build.sh", &[])
                .env("LAB_PROFILE", "release")
                .env("CARGO_TARGET_DIR", "target/flame/build")
                // With them perf follows a stack for next to nothing.
                .env("RUSTFLAGS", "-C force-frame-pointers=yes"),
        )?;
        let programs = shell.root.join("target/flame/build/release");
        let rate = self.rate.to_string();
        let home = shell.root.join("target/flame/lab");
        let lab = Lab::up(&programs, &shell.root, &home, &["--rate", &rate, "--port-offset", OFFSET])?;
        println!(
            "sampling {} for {} s at {rate} requests per second",
            self.services.join(", "),
            self.seconds
        );
        let sampled = self.services.iter().map(|service| self.sample(&lab, service, &folder));
        let sampled = sampled.collect::<Result<Vec<(Child, PathBuf)>>>()?;
        for (service, (mut child, data)) in self.services.iter().zip(sampled) {
            let status = child.wait()?;
            ensure!(
                status.success(),
                "perf record {service}: {status}. Without root, it needs kernel.perf_event_paranoid at most 1"
            );
            write(service, &data, &folder)?;
        }
        Ok(())
    }

    /// Starts to sample one service.
    fn sample(&self, lab: &Lab, service: &str, folder: &Path) -> Result<(Child, PathBuf)> {
        let data = folder.join(format!("{service}.data"));
        let mut perf = Command::new("perf");
        perf.args(["record", "--quiet", "--freq", HERTZ, "--call-graph", "fp"]);
        perf.arg("--pid").arg(lab.pid(service)?.to_string()).arg("--output").arg(&data);
        perf.args(["--", "sleep", &self.seconds.to_string()]);
        Ok((perf.spawn().context("cannot run perf")?, data))
    }
}

/// Writes the graph of what perf has recorded, and prints the functions that cost most.
fn write(service: &str, data: &Path, folder: &Path) -> Result<()> {
    let mut perf = Command::new("perf");
    perf.args(["script", "--fields", "comm,ip,sym", "--input"]).arg(data);
    let output = perf.output().context("cannot run perf script")?;
    ensure!(output.status.success(), "perf script: {}", String::from_utf8_lossy(&output.stderr));
    let stacks = Stacks::read(&String::from_utf8_lossy(&output.stdout));
    ensure!(stacks.total() > 0, "{service} was never seen on a CPU: raise --rate or --seconds");
    let path = folder.join(format!("{service}.svg"));
    fs::write(&path, graph::draw(service, &stacks)).with_context(|| format!("writing {}", path.display()))?;
    fs::write(folder.join(format!("{service}.folded")), stacks.folded())?;
    fs::remove_file(data)?;
    println!("\n{service}: {} samples, {}\n   own   whole  function", stacks.total(), path.display());
    for cost in stacks.costs().iter().take(LISTED) {
        println!("{:>5.1}% {:>6.1}%  {}", cost.own * 100.0, cost.whole * 100.0, cost.function);
    }
    Ok(())
}
