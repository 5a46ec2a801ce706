//! `lab version`: the versions of lab, and of the programs that it would run.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::Result;
use clap::Args;
use serde_json::{Map, Value};

use crate::{
    parts::programs,
    terminal::{json, out},
};

/// Add its output to a bug report.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  lab version\n  lab version --json")]
pub(crate) struct Version {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Version {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut all = Map::new();
        all.insert("lab".to_owned(), Value::from(env!("CARGO_PKG_VERSION")));
        let postgres = programs::postgres_folder().map(|folder| folder.join("postgres")).ok();
        let others = [
            ("postgres", postgres),
            ("redis", programs::find(&["redis-server", "valkey-server"])),
            ("prometheus", programs::find(&["prometheus"])),
            ("alertmanager", programs::find(&["prometheus-alertmanager", "alertmanager"])),
            ("jaeger", programs::find(&["jaeger"])),
            ("loki", programs::find(&["loki"])),
            ("grafana", programs::find(&["grafana", "grafana-server"])),
        ];
        for (name, path) in others {
            let version = path.as_deref().map_or_else(|| "not installed".to_owned(), first_line);
            all.insert(name.to_owned(), Value::from(version));
        }
        if self.json {
            json(&all)?;
        } else {
            for (name, version) in &all {
                out!("{name:13} {}", version.as_str().unwrap_or_default());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn first_line(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("version unknown").to_owned()
}
