//! Writes `dashboards/grafana/*.json` and the rules that they need; with `--check`, fails if a committed file
//! differs.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use clap::Parser;

/// Writes the Grafana dashboards, and the recording rules that they need, from their typed source.
#[derive(Debug, Parser)]
struct Args {
    /// Write nothing; exit with 1 if a committed file differs.
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut stale = Vec::new();
    for (name, text) in dashgen::files() {
        let path = root.join(&name);
        if fs::read_to_string(&path).is_ok_and(|current| current == text) {
            continue;
        }
        if args.check {
            stale.push(name);
            continue;
        }
        let folder = path.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        println!("wrote {name}");
    }
    if !stale.is_empty() {
        bail!("{} differ from oncall/dashgen; run `just generate` and commit", stale.join(", "));
    }
    Ok(())
}
