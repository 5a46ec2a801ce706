//! Where services spend their CPU time under load: perf samples them in a lab of their own, and each becomes a flame graph and a list.
//! Both are in `target/flame`, which git ignores; `--keep` copies them to where measurements are kept.

mod graph;
mod keep;
mod stacks;
mod top;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::{
    perf::lab::Lab,
    shell::{Shell, finish},
};
use stacks::Stacks;

/// Away from the labs of `bench`, `build-times` and `perf`. Below 16000: there, ports of a lab would be ephemeral ones.
const OFFSET: &str = "9280";
/// Samples per second and core; not a round number, so that nothing periodic is always missed.
const HERTZ: u32 = 199;
/// Functions in the list.
const LISTED: usize = 15;
/// Functions in what is kept, unless `--top` has another number.
const KEPT: usize = 3;
/// How the names of our crates begin.
const OURS: [&str; 6] = ["order_api", "order_worker", "user_service", "edge::", "chassis_", "contracts"];

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
    /// Send only this operation, such as place-order, instead of the shop mix
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Also print a table with the N functions of ours that cost most, each with the libraries that it calls
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Keep the graphs and the largest costs in load/results, for `load results compare`
    #[arg(long)]
    keep: bool,
}

/// A generator; killed when dropped.
struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Flame {
    /// Writes the graphs, and prints what costs most.
    pub(crate) fn draw(&self, shell: &Shell) -> Result<()> {
        if !shell.quietly("perf", &["--version"]) {
            return shell.skip("flame graphs", "perf is not installed: apt-get install linux-perf");
        }
        let folder = shell.root.join("target/flame");
        fs::create_dir_all(&folder)?;
        // As `./lab up` does: what a lab starts.
        shell.run("tools/install.sh", &["run"])?;
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
        let mut arguments = vec!["--port-offset", OFFSET];
        arguments.extend(if self.operation.is_some() { vec!["--no-load"] } else { vec!["--rate", &rate] });
        let lab = Lab::up(&programs, &shell.root, &home, &arguments)?;
        let operation = self.operation.as_deref();
        let _load = operation.map(|operation| self.load(&lab, &programs, operation)).transpose()?;
        println!(
            "sampling {} for {} s at {rate} requests per second",
            self.services.join(", "),
            self.seconds
        );
        let sampled = self.services.iter().map(|service| self.sample(&lab, service, &folder));
        let sampled = sampled.collect::<Result<Vec<(Child, PathBuf)>>>()?;
        let mut stacks = Vec::new();
        for (service, (mut child, data)) in self.services.iter().zip(sampled) {
            let status = child.wait()?;
            ensure!(
                status.success(),
                "perf record {service}: {status}. Without root, it needs kernel.perf_event_paranoid at most 1"
            );
            stacks.push((service.as_str(), write(service, &data, &folder)?));
        }
        if let Some(count) = self.top.or(self.keep.then_some(KEPT)) {
            let top = top::top(&stacks, count);
            println!("\n{}", top.table());
            if self.keep {
                let figures = top.figures(HERTZ, f64::from(self.rate) * f64::from(self.seconds));
                keep::keep(&shell.root, &programs, (&folder, &self.services), &figures, &self.note())?;
            }
        }
        Ok(())
    }

    /// How it was sampled: only like can be compared with like.
    fn note(&self) -> String {
        let what = self.operation.as_deref().unwrap_or("the shop mix");
        format!(
            "{what} at {} requests per second for {} s, {HERTZ} samples per second",
            self.rate, self.seconds
        )
    }

    /// Starts to send one operation through the edge. It ends by itself too, should nobody be left to kill it.
    fn load(&self, lab: &Lab, programs: &Path, operation: &str) -> Result<Load> {
        let edge = format!("http://127.0.0.1:{}", lab.port("edge")?);
        let mut load = Command::new(programs.join("load"));
        load.args(["--operation", operation, "--rate", &self.rate.to_string(), "--no-admin"]);
        load.args(["--order-api", &edge, "--user-service", &edge, "--log-level", "error"]);
        load.arg("--duration").arg(format!("{}s", self.seconds + 60)).stdout(Stdio::null());
        Ok(Load(load.spawn().context("cannot run load")?))
    }

    /// Starts to sample one service.
    fn sample(&self, lab: &Lab, service: &str, folder: &Path) -> Result<(Child, PathBuf)> {
        let data = folder.join(format!("{service}.data"));
        let mut perf = Command::new("perf");
        perf.args(["record", "--quiet", "--freq", &HERTZ.to_string(), "--call-graph", "fp"]);
        perf.arg("--pid").arg(lab.pid(service)?.to_string()).arg("--output").arg(&data);
        perf.args(["--", "sleep", &self.seconds.to_string()]);
        Ok((perf.spawn().context("cannot run perf")?, data))
    }
}

/// Writes the graph of what perf has recorded, prints the functions that cost most, and returns all stacks.
fn write(service: &str, data: &Path, folder: &Path) -> Result<Stacks> {
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
    Ok(stacks)
}
