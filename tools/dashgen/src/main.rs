//! Writes `dashboards/grafana/*.json` and the rules that they need; with `--check` fails when a committed file differs.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use dashgen::check::read::Dashboard;

/// Writes the Grafana dashboards, and the recording rules that they need, from their typed source.
#[derive(Debug, Parser)]
struct Args {
    /// Write nothing; fail when a committed file differs from what the source says.
    #[arg(long)]
    check: bool,
    /// Write nothing; print every LogQL query, one a line, for Loki's own parser to judge.
    #[arg(long, conflicts_with = "check")]
    logql: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.logql {
        return print_logql();
    }
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
        bail!("{} differ from tools/dashgen; run `just dashboards` and commit", stale.join(", "));
    }
    Ok(())
}

fn print_logql() -> anyhow::Result<()> {
    let mut queries = BTreeSet::new();
    for (name, text) in dashgen::files().into_iter().filter(|(name, _)| name.ends_with(".json")) {
        queries.extend(Dashboard::parse(&text).map_err(|error| anyhow!("{name}: {error}"))?.log_queries());
    }
    if queries.is_empty() {
        bail!("no dashboard has a LogQL query, which cannot be");
    }
    for query in queries {
        println!("{query}");
    }
    Ok(())
}
