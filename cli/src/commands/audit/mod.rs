//! `lab audit …`: who did what, in a chain of hashes: exported as lines of JSON, and checked without trusting who keeps it. And
//! whether the lab is configured as its baseline says.

mod config;
mod history;
mod machine;

use std::{fs, io, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use observe::ControlRoom;
use runbook::audit::{Broken, Head, verify_export};

use crate::{
    installation::Installation,
    terminal::{block, out, say},
};

/// Export and verify the audit log of runbooks and automation, and check the configuration against its baseline.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab audit export > audit.jsonl\n  \
    lab audit verify                                   the log that the control room has now\n  \
    lab audit verify audit.jsonl                       an export; - reads standard input\n  \
    lab audit verify --head 41:9f2c…                   it must also still contain this entry\n  \
    lab audit config                                   addresses, switches, files, versions, the rendered chart\n  \
    lab audit config --history                         the scores that --record has kept\n\n\
    Keep the head that `verify` prints somewhere else: only it shows that a log was cut off at its end, or rewritten.")]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the log, one entry per line.
    Export(Export),
    /// Check the chain; exit with 1 at the first entry that was changed, removed, added or moved.
    Verify(Verify),
    /// Check the configuration against deploy/baseline.yaml; exit with 1 if a finding has no waiver.
    Config(config::Config),
}

/// The whole log.
#[derive(Debug, Args)]
struct Export {}

/// Checks the control room's log, or an export.
#[derive(Debug, Args)]
struct Verify {
    /// An export; by default the log that the control room has now.
    file: Option<PathBuf>,
    /// A head that `verify` printed before, as NUMBER:HASH; it must be in the chain.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = head)]
    head: Option<Head>,
}

impl AuditCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            Command::Export(Export {}) => {
                let room = place.control_room().await?;
                block(&export(&room).await?);
                Ok(ExitCode::SUCCESS)
            }
            Command::Verify(verify) => verify.run(place).await,
            Command::Config(config) => config.run(place).await,
        }
    }
}

async fn export(room: &ControlRoom) -> Result<String> {
    Ok(room.text("/api/v1/audit", &[]).await?)
}

impl Verify {
    async fn run(self, place: &Installation) -> Result<ExitCode> {
        let text = match &self.file {
            Some(path) if path.as_os_str() == "-" => {
                io::read_to_string(io::stdin()).context("cannot read standard input")?
            }
            Some(path) => {
                fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
            }
            None => {
                let room = place.control_room().await?;
                export(&room).await?
            }
        };
        match verify_export(&text, self.head.as_ref()) {
            Ok(head) => {
                out!("{} entries, and every one follows the one before", head.seq);
                out!("head: {}:{}", head.seq, head.hash);
                Ok(ExitCode::SUCCESS)
            }
            Err(Broken { seq, what }) => {
                say(format_args!("lab: the audit log is broken at entry {seq}: {what}"));
                Ok(ExitCode::FAILURE)
            }
        }
    }
}

/// Reads `41:9f2c…`.
fn head(text: &str) -> Result<Head, String> {
    let parts = text.split_once(':').and_then(|(seq, hash)| Some((seq.parse().ok()?, hash)));
    match parts {
        Some((seq, hash)) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(Head { seq, hash: hash.to_owned() })
        }
        _ => {
            Err("expected a head as `lab audit verify` prints it: a number, a colon, 64 hex digits"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_is_printed() {
        let hash = "ab".repeat(32);
        assert_eq!(head(&format!("41:{hash}")), Ok(Head { seq: 41, hash }));
        for wrong in ["", "41", "41:ab", ":", "x:y"] {
            assert!(head(wrong).unwrap_err().contains("64 hex digits"), "{wrong}");
        }
    }
}
