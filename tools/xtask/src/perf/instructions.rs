//! How many instructions an order costs, by function: valgrind counts two tests of order-api that differ only in the number of their
//! orders, so that start-up cancels out. Instructions do not depend on what else the machine does.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::{
    callgrind::{Counts, PerOrder, verdict},
    revision::Tree,
};
use crate::{programs, shell::Shell};

/// Tests in services/order-api/tests/api/instructions.rs, with their orders.
const FEW: (&str, u32) = ("instructions::settling_20_orders", 20);
const MANY: (&str, u32) = ("instructions::settling_120_orders", 120);

/// Whether an order costs at most `budget` (0.05 is 5 %) more than in `rev`. Names what grew.
pub(crate) fn compare(shell: &Shell, rev: &str, budget: f64) -> Result<bool> {
    if !shell.quietly("valgrind", &["--version"]) {
        shell.skip("instructions per order", "valgrind is not installed: apt-get install valgrind")?;
        return Ok(true);
    }
    let tree = Tree::of(shell, rev)?;
    // The servers of the tests.
    shell.run("tools/install.sh", &["run"])?;
    let folder = shell.root.join("target/perf/callgrind");
    fs::create_dir_all(&folder)?;
    let before = count(&shell.at(tree.root.clone()), &folder.join("before"))
        .with_context(|| format!("counting {rev} ({})", tree.commit))?;
    let after = count(shell, &folder.join("after")).context("counting the checkout")?;
    let (text, within) = verdict(&before, &after, budget);
    println!("\n{text}");
    Ok(within)
}

fn count(shell: &Shell, out: &Path) -> Result<PerOrder> {
    let args = ["test", "--no-run", "--release", "--locked", "--package", "order-api", "--test", "api"];
    let built = programs::build(shell, &args)?;
    let program = built.iter().find(|program| program.target.ends_with("--test api"));
    let program = program.context("cargo built no test program `api` of order-api")?;
    let few = run(program, FEW.0, &out.with_extension("few"))?;
    let many = run(program, MANY.0, &out.with_extension("many"))?;
    Ok(PerOrder::of(&few, &many, f64::from(MANY.1 - FEW.1)))
}

fn run(program: &programs::Program, test: &str, out: &Path) -> Result<Counts> {
    println!("counting {test} (about a minute)");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(&program.path).args(["--exact", test, "--test-threads=1"]).current_dir(&program.folder);
    // A test that is skipped has counted nothing: without its servers it has to fail.
    let output = valgrind.env("CI", "1").output().context("cannot run valgrind")?;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{test} failed:\n{said}{complained}");
    ensure!(said.contains("1 passed"), "there is no test {test}: that revision cannot be counted");
    let text = fs::read(out).with_context(|| format!("reading {}", out.display()))?;
    Ok(Counts::read(&String::from_utf8_lossy(&text)))
}
