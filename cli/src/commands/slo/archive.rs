//! `lab slo archive`: reports of weeks that are over, as files that outlive the metrics of a lab.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use chrono::Utc;
use clap::Args;
use slo::report::{Format, archive::Week, past::Past};
use supervisor::write_private;

use super::{objectives, prometheus};
use crate::{installation::Installation, terminal::out};

/// How far back missing weeks are looked for: a quarter. Prometheus keeps less by default.
const WEEKS: usize = 13;

/// Writes one JSON file for each week that is over, was recorded and has no file yet. A week is 7 days from Monday,
/// 00:00 UTC, and 168 minutes on the lab's clock. Run it as often as you like, or from cron: `lab up` on the lab's
/// clock starts with empty metrics, but the archive stays. `lab slo report --archive` shows the trend.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo archive\n  \
    lab --context k8s slo archive --to reports      the lab on Kubernetes\n  \
    0 1 * * 1  lab --prometheus http://host:9090 slo archive --to /srv/slo       in a crontab")]
pub(crate) struct Archive {
    /// Folder of the archive; by default `reports` in the folder of this lab.
    // Not `--dir`, which is the folder of the lab.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl Archive {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let home = place.home()?;
        let (slos, prometheus) = (objectives(&home)?, place.prometheus().await?);
        let clock = prometheus::clock(&prometheus).await?;
        let folder = self.to.unwrap_or_else(|| home.reports());
        let mut written = 0;
        for week in Week::over(clock, Utc::now()).take(WEEKS) {
            let path = folder.join(week.file());
            if path.exists() {
                continue;
            }
            let past = prometheus::past(&prometheus, &slos, clock, week.range()).await?;
            if past.is_known() {
                write_private(&path, &past.write(Format::Json)?)?;
                out!("wrote {}", path.display());
                written += 1;
            }
        }
        if written == 0 {
            out!("nothing to write: each week that is over and was recorded is in {}", folder.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Every archived week of a folder.
///
/// # Errors
/// Names the folder or the file that cannot be read.
pub(super) fn read(folder: &Path) -> Result<Vec<Past>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let mut weeks = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let week = serde_json::from_str(&text);
            weeks.push(week.with_context(|| format!("{} is not an archived report", path.display()))?);
        }
    }
    Ok(weeks)
}
