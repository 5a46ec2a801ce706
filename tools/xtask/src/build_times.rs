//! How long a person waits for the compiler: `./lab up` in a fresh copy of the repository with an empty target folder, and again
//! after a change in one crate of the chassis. What cargo has downloaded and the machine has installed stays.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::{
    shell::{Shell, finish},
    steps::clock,
};

/// Longest cold `./lab up`.
const COLD: Duration = Duration::from_secs(300);
/// Longest `./lab up` after a change.
const AGAIN: Duration = Duration::from_secs(45);
/// Away from a lab that may be running with the usual ports, and from that of `bench`.
const PORT_OFFSET: &str = "14000";
/// Changed one after the other: every program stands on the first, three on the second.
const CHANGED: [&str; 2] = ["chassis/core", "chassis/kafka"];

/// Measures, and prints each time beside its bar.
pub(crate) fn measure(shell: &Shell) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("build: from `./lab up` to everything ready, on {cores} cores");
    let copy = Fresh::of(shell)?;
    print("empty target folder", copy.up()?, COLD);
    for folder in CHANGED {
        copy.change(folder)?;
        print(&format!("after a change in {folder}"), copy.up()?, AGAIN);
    }
    Ok(())
}

fn print(what: &str, time: Duration, bar: Duration) {
    let verdict = if time <= bar { "ok" } else { "MISSED" };
    println!("  {what:<32} {:>6}  (at most {}: {verdict})", clock(time), clock(bar));
}

/// A copy of the repository with a target folder and a lab of its own; removed when dropped.
struct Fresh(PathBuf);

impl Fresh {
    fn of(shell: &Shell) -> Result<Self> {
        let copy = Self(shell.root.join("target/build-times"));
        copy.remove();
        for name in shell.files(&[])? {
            let to = copy.0.join(&name);
            fs::create_dir_all(to.parent().unwrap_or(&copy.0))?;
            fs::copy(shell.root.join(&name), &to).with_context(|| format!("cannot copy {name}"))?;
        }
        Ok(copy)
    }

    /// How long `./lab up` takes; the lab is gone when this returns.
    fn up(&self) -> Result<Duration> {
        let began = Instant::now();
        finish(self.lab().args(["up", "--detach", "--port-offset", PORT_OFFSET]))?;
        let took = began.elapsed();
        finish(self.lab().args(["down", "--purge"]))?;
        Ok(took)
    }

    fn lab(&self) -> Command {
        let mut lab = Command::new(self.0.join("lab"));
        lab.arg("--no-install").current_dir(&self.0);
        lab
    }

    /// Adds an item to a crate: cargo builds it and all that stands on it again.
    fn change(&self, folder: &str) -> Result<()> {
        let path = self.0.join(folder).join("src/lib.rs");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let item = "/// Whether this crate was changed to measure how long that takes.\npub const CHANGED: bool = true;\n";
        fs::write(&path, format!("{text}\n{item}"))?;
        Ok(())
    }

    fn remove(&self) {
        let there: &Path = &self.0;
        // What is not there need not be removed; what cannot be removed is found by the copy.
        let _ = fs::remove_dir_all(there);
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Of a lab that did not come up nothing runs any more.
        let _ = self.lab().args(["down", "--purge"]).status();
        self.remove();
    }
}
