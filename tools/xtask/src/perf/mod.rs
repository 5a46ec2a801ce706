//! The checkout against any revision of it: response times of two labs that run side by side, or the instructions that an order costs.

mod callgrind;
mod instructions;
pub(crate) mod lab;
mod revision;

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::shell::{Shell, finish};
use lab::Lab;
use revision::Tree;

/// Away from a lab with the usual ports, and from those of `bench` and of `build-times`.
const OFFSETS: [&str; 2] = ["9160", "9200"];
/// The exit code of `load compare` if it is too noisy to say.
const INCONCLUSIVE: i32 = 3;

/// Compares the checkout (B), uncommitted changes included, with a revision of it (A).
#[derive(Debug, Args)]
pub(crate) struct Perf {
    /// The revision, such as main or HEAD~1
    rev: String,
    /// Count instructions per order with valgrind instead of measuring time: for machines that are too noisy, such as those of CI
    #[arg(long)]
    instructions: bool,
    /// Accepted growth in percent
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT", value_parser = percent)]
    budget: f64,
    /// Further arguments of `load compare`, such as: -- --metric p50 --rounds 100
    #[arg(last = true)]
    compare: Vec<String>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1_000.0).contains(number));
    number.ok_or_else(|| format!("`{text}` is not a number from 0 to 1000"))
}

impl Perf {
    /// Whether the checkout is shown to be within the budget.
    pub(crate) fn run(&self, shell: &Shell) -> Result<bool> {
        if self.instructions {
            return instructions::compare(shell, &self.rev, self.budget / 100.0);
        }
        let before = Tree::of(shell, &self.rev)?;
        // As `./lab up` does: what a lab starts.
        shell.run("tools/install.sh", &["run"])?;
        println!("building {} and the checkout (the first time from scratch)", before.name);
        for root in [&before.root, &shell.root] {
            build(root)?;
        }
        let labs = [&before.root, &shell.root].into_iter().zip(OFFSETS).zip(["before", "after"]);
        let labs = labs.map(|((root, offset), name)| {
            let folder = shell.root.join("target/perf").join(name);
            Lab::up(&root.join("target/release"), root, &folder, &["--no-load", "--port-offset", offset])
        });
        let labs = labs.collect::<Result<Vec<Lab>>>()?;
        // Through the edge, which knows the way to every service.
        let urls = labs.iter().map(|lab| Ok(format!("http://127.0.0.1:{}", lab.port("edge")?)));
        let urls = urls.collect::<Result<Vec<String>>>()?;
        println!("A is {} ({}), B the checkout", before.name, before.commit);
        let mut compare = shell.command("target/release/load", &["compare"]);
        compare.args(urls).args([format!("--budget={}", self.budget)]).args(&self.compare);
        let status = compare.status().context("cannot run load compare")?;
        if status.code() == Some(INCONCLUSIVE) {
            println!(
                "Too noisy to say, which is not a pass: -- --rounds 200, a quiet machine, or --instructions"
            );
        }
        Ok(status.success())
    }
}

/// Builds the programs of a checkout, optimized, into its `target/release`.
fn build(root: &std::path::Path) -> Result<()> {
    let script = root.join("tools/build.sh");
    if !script.is_file() {
        bail!("{} is missing: that revision is too old to be built in this way", script.display());
    }
    let mut command = Command::new(script);
    finish(command.current_dir(root).env("LAB_PROFILE", "release").env_remove("CARGO_TARGET_DIR"))
}
