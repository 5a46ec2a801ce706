//! Keeps what was sampled in the checkout: the largest costs as figures for `load results`, and the flame graphs beside them. So that a
//! change can be compared with what was before it, and a claim about it has its picture.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// What `load results add` says before the path of its file.
const KEPT: &str = "kept as ";

/// Has `load`, in the folder `programs`, keep the figures in the checkout `root`, and copies the graphs of `services` from
/// `folder` beside them.
pub(super) fn keep(
    root: &Path,
    programs: &Path,
    (folder, services): (&Path, &[String]),
    figures: &Value,
    note: &str,
) -> Result<()> {
    let mut load = Command::new(programs.join("load"));
    load.args(["results", "add", "flame"]).current_dir(root).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = load.spawn().context("cannot run load")?;
    let text = json!({ "figures": figures, "notes": [note] }).to_string();
    // Closed at the end of the statement: what reads it waits for that.
    child.stdin.take().context("its input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "load results add flame: {}", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    let file = said.trim().strip_prefix(KEPT).with_context(|| format!("load said `{}`", said.trim()))?;
    println!("{}", said.trim());
    for service in services {
        let copy = root.join(beside(Path::new(file), service));
        fs::copy(folder.join(format!("{service}.svg")), &copy)
            .with_context(|| format!("writing {}", copy.display()))?;
        println!("{KEPT}{}", copy.display());
    }
    Ok(())
}

/// The graph of a service beside the file with the figures: the same name, and that of the service.
fn beside(file: &Path, service: &str) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}-{service}.svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_the_name_of_its_figures_and_of_its_service() {
        let file = Path::new("load/results/flame-2026-12-01T070000Z.json");
        let graph = Path::new("load/results/flame-2026-12-01T070000Z-order-api.svg");
        assert_eq!(beside(file, "order-api"), graph);
    }
}
