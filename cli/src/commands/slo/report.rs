//! `lab slo report`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use slo::report::{Format, archive::Trend, past::Range};

use super::{archive, objectives_in, prometheus};
use crate::{home::Home, installation::Installation, terminal::block};

/// Asks Prometheus for each objective. healthy: it is kept and nothing burns. at risk: it is kept, but an alert
/// fires or less than a quarter of the budget is left. violated: the budget is spent. no data: Prometheus has no
/// series of it. If customers were sold something (annotation sre-lab/sla), the column SLA says whether it is kept, and
/// which share of the price is owed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo report\n  \
    lab --prometheus http://host:9090 slo report\n  \
    lab slo report --since 2h                    what became of each objective in the last two hours\n  \
    lab slo report --since 2026-01-05T10:00:00Z --until 2026-01-05T11:30:00Z\n  \
    lab slo report --archive                     the archived weeks (lab slo archive), and their trend\n  \
    lab slo report --format json | jq '.slos[] | {slo, status, budget_remaining}'\n  \
    lab slo report --format html > slo.html")]
pub(crate) struct ReportCommand {
    /// Output format.
    #[arg(long, value_enum, default_value = "text")]
    format: FormatName,
    /// Report on a past range instead of now; this is its start: a duration ago, such as 2h, or a time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
    /// End of that range; by default now.
    #[arg(long, value_name = "TIME", requires = "since", value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// Folder of the specs; by default dashboards/slos of the checkout. They use metrics that the lab's services export.
    #[arg(long, value_name = "DIR", conflicts_with = "archive")]
    specs: Option<PathBuf>,
    /// Report on the archived weeks and their trend instead; by default those in the folder of this lab.
    #[arg(long, value_name = "DIR", conflicts_with = "since")]
    archive: Option<Option<PathBuf>>,
    /// Number of archived weeks, newest first; by default 8.
    #[arg(long, value_name = "N", requires = "archive", value_parser = clap::value_parser!(u16).range(1..))]
    weeks: Option<u16>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Text,
    Json,
    Markdown,
    Html,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::Text,
            FormatName::Json => Self::Json,
            FormatName::Markdown => Self::Markdown,
            FormatName::Html => Self::Html,
        }
    }
}

/// How many archived weeks are shown by default: with today's, two months.
const WEEKS: u16 = 8;

impl ReportCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let (home, format) = (place.home()?, self.format.into());
        let objectives = || objectives_in(&home, self.specs.as_deref());
        let text = match (&self.archive, self.range(Utc::now())?) {
            (Some(folder), _) => {
                let folder = folder.clone().unwrap_or_else(|| home.reports());
                trend(&home, &folder, self.weeks.unwrap_or(WEEKS))?.write(format)?
            }
            (None, Some(range)) => {
                let prometheus = place.prometheus().await?;
                let clock = prometheus::clock(&prometheus).await?;
                prometheus::past(&prometheus, &objectives()?, clock, range).await?.write(format)?
            }
            (None, None) => {
                let prometheus = place.prometheus().await?;
                prometheus::report(&prometheus, &objectives()?).await?.write(format)?
            }
        };
        block(&text);
        Ok(ExitCode::SUCCESS)
    }

    /// The range that was asked for, if any.
    fn range(&self, now: DateTime<Utc>) -> Result<Option<Range>> {
        let Some(from) = self.since else { return Ok(None) };
        let until = self.until.unwrap_or(now);
        if until > now {
            bail!("the range ends at {until}, in the future: expected a range that is over");
        }
        if from >= until {
            bail!("the range begins at {from} and ends at {until}: expected a start before its end");
        }
        Ok(Some(Range { from, until }))
    }
}

/// The newest archived weeks, of the clock of this lab if the archive has any of it, otherwise of the one it has.
fn trend(home: &Home, folder: &std::path::Path, weeks: u16) -> Result<Trend> {
    let archived = archive::read(folder)?;
    let own = home.clock();
    let newest = archived.iter().max_by_key(|week| week.range.until);
    let newest = newest.with_context(|| {
        format!("{} has no archived week: `lab slo archive` writes those that are over", folder.display())
    })?;
    let clock = if archived.iter().any(|week| week.clock == own) { own } else { newest.clock };
    Ok(Trend::new(clock, &archived, usize::from(weeks)))
}

/// `2h`: so long ago; or a moment in RFC 3339.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let ago = humantime::parse_duration(text).ok().and_then(|ago| chrono::Duration::from_std(ago).ok());
    let at = ago.and_then(|ago| Utc::now().checked_sub_signed(ago));
    at.ok_or_else(|| "expected a time ago such as 2h, or a moment such as 2026-01-05T10:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_so_long_ago() {
        assert_eq!(moment("2026-01-05T11:00:00+01:00").unwrap().to_rfc3339(), "2026-01-05T10:00:00+00:00");
        let at = moment("2h").unwrap();
        let ago = Utc::now() - at;
        assert!((7200..7260).contains(&ago.num_seconds()), "{ago}");
        for text in ["", "yesterday", "2026-01-05", "-2h", "99999999999999y"] {
            assert!(moment(text).unwrap_err().contains("such as 2h"), "{text}");
        }
    }
}
