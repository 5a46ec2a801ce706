//! The assembled lab as a user starts it: its memory under load and its start-up time. Other measurements run
//! against this lab as well.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use at_the_end::AtTheEnd;
use serde_json::Value;

use crate::report::{self, Bars};

/// Away from a lab that may be running on the default ports, and below the range of ephemeral ports of Linux, which
/// starts at 32768.
const PORT_OFFSET: &str = "15000";
/// Required figures of the design, in MiB and seconds.
const SERVICES_MIB: f64 = 90.0;
const WHOLE_MIB: f64 = 400.0;
const STARTUP_SECONDS: f64 = 5.0;
/// The services whose memory is counted together.
const SERVICES: &[&str] = &["order-api", "user-service", "order-worker"];
/// Load while memory is read, in requests per second.
const RATE: &str = "200";
/// Time under load before memory is read: pools are open, buffers warm, the trace store is filling.
const SETTLE: Duration = Duration::from_secs(60);

/// A lab in its own folder; stopped and removed when dropped, and when this process ends in any other way, such as by Ctrl-C.
pub(crate) struct Lab {
    binary: PathBuf,
    folder: PathBuf,
    _end: AtTheEnd,
}

impl Lab {
    /// Runs `lab up --detach` with `args`.
    ///
    /// # Errors
    /// When it does not become ready; the error contains its output.
    pub(crate) fn up(args: &[&str]) -> anyhow::Result<Self> {
        Self::up_with(args, &[])
    }

    /// As [`Lab::up`], with these variables in the environment.
    ///
    /// # Errors
    /// As [`Lab::up`].
    pub(crate) fn up_with(args: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let me = std::env::current_exe()?;
        let target =
            me.ancestors().find(|p| p.ends_with("target")).context("bench runs from the target folder")?;
        let (binary, folder) = (me.with_file_name("lab"), target.join("bench-lab"));
        let mut down = Command::new(&binary);
        down.arg("--dir").arg(&folder).args(["down", "--purge"]);
        // A machine that lost its power leaves a lab's folder behind, which would be in the way. If that fails, `lab up` says why.
        let _ = down.output();
        let failed = |why: &str| eprintln!("stopping the lab failed: {why}");
        let end = AtTheEnd::run(&down, Stdio::inherit(), failed).context("cannot run sh")?;
        let lab = Self { _end: end, binary, folder };
        lab.call(&[&["up", "--detach", "--port-offset", PORT_OFFSET], args].concat(), variables)?;
        Ok(lab)
    }

    /// `lab status --json`.
    pub(crate) fn status(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.run(&["status", "--json"])?.stdout)?)
    }

    /// The number of one named port.
    pub(crate) fn port(&self, name: &str) -> anyhow::Result<u16> {
        let status = self.status()?;
        let port = parts(&status).find_map(|part| part["ports"][name].as_u64());
        port.and_then(|port| u16::try_from(port).ok())
            .with_context(|| format!("the lab has no port `{name}`"))
    }

    /// The file with the owner's password for PostgreSQL clients.
    pub(crate) fn pass_file(&self) -> PathBuf {
        self.folder.join("secrets/pgpass")
    }

    /// Runs one `lab` command on it.
    ///
    /// # Errors
    /// When it fails; the error contains its output.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        self.call(args, &[])
    }

    fn call(&self, args: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<Output> {
        let mut command = Command::new(&self.binary);
        command.arg("--dir").arg(&self.folder).args(args).envs(variables.iter().copied());
        let output = command.output()?;
        if !output.status.success() {
            bail!("lab {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }
}

fn parts(status: &Value) -> impl Iterator<Item = &Value> {
    status["parts"].as_array().into_iter().flatten()
}

/// Prints the memory of each part after a minute at 200 requests per second.
pub(crate) async fn memory(time: Duration, bars: &mut Bars) -> anyhow::Result<()> {
    println!("memory: after {} s at {RATE} requests per second", (SETTLE + time).as_secs());
    let lab = Lab::up(&["--rate", RATE])?;
    tokio::time::sleep(SETTLE + time).await;
    let status = lab.status()?;
    let mib = |value: &Value, kind: &str| value["memory"][kind].as_f64().unwrap_or(0.0) / f64::from(1 << 20);
    for part in parts(&status) {
        let name = part["name"].as_str().unwrap_or_default();
        println!("  {name:<14} rss {:>6.1} MiB  pss {:>6.1} MiB", mib(part, "rss"), mib(part, "pss"));
    }
    let services: f64 = parts(&status)
        .filter(|part| part["name"].as_str().is_some_and(|name| SERVICES.contains(&name)))
        .map(|part| mib(part, "rss"))
        .sum();
    bars.check("three services, RSS in MiB", services, SERVICES_MIB, false);
    // The resident sets of PostgreSQL's sessions each contain the shared buffers, so their sum counts the same
    // pages a dozen times. The proportional set counts each page once, which is the memory that is really in use.
    println!("  whole lab, sum of resident sets: {:.1} MiB", mib(&status, "rss"));
    bars.check("whole lab, each page counted once (PSS), in MiB", mib(&status, "pss"), WHOLE_MIB, false);
    Ok(())
}

/// Prints how long `lab up` takes with built binaries, each time from an empty folder.
pub(crate) async fn startup(rounds: usize, bars: &mut Bars) -> anyhow::Result<()> {
    println!("startup: from `lab up` to everything ready, empty folder each time");
    let mut seconds = Vec::new();
    for round in 1..=rounds {
        let started = Instant::now();
        let lab = Lab::up(&[])?;
        seconds.push(started.elapsed().as_secs_f64());
        println!("  round {round}: {:.2} s", seconds[round - 1]);
        drop(lab);
    }
    bars.check("startup in seconds", report::median(&mut seconds), STARTUP_SECONDS, false);
    Ok(())
}
