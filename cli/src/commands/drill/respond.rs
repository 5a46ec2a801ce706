//! What a responder says during a run: noticed, hint, answer, update, over. Each is one call about the run
//! that is on.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Local, NaiveTime, TimeDelta, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::{
    client::Desk,
    text::{WIDTH, wrap},
    view::Run,
};
use crate::terminal::{json as print_json, out};

/// Nothing else to say.
#[derive(Debug, Args)]
pub(super) struct Plain {
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

/// A text.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// What is known, for people who wait.
    text: String,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

/// A reason.
#[derive(Debug, Args)]
pub(super) struct Abort {
    /// The reason.
    #[arg(default_value = "not now")]
    why: String,
    /// Do not wait until the system is clean again. In a cluster, drained pods then stay out until `lab fix`.
    #[arg(long)]
    no_wait: bool,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

/// What the responder thinks. A later answer replaces an earlier one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill answer --component order-api --mechanism bad-release --change order-api-1-8 \\\n      \
    --onset 10:03:12 --evidence 'sum(rate(http_requests_total{status=~\"5..\"}[1m]))'\n  \
    lab drill answer --nothing-wrong")]
pub(super) struct Answer {
    /// A component that is the cause, such as order-api or postgres; may be repeated.
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// What fails: one of those that `lab drill show` lists.
    #[arg(long, value_name = "WORD")]
    mechanism: Option<String>,
    /// The change that caused it, by its name in the list of changes, or `none`.
    #[arg(long, value_name = "NAME")]
    change: Option<String>,
    /// Since when: 10:03:12 on this machine's clock, 90s (ago), or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = onset)]
    onset: Option<DateTime<Utc>>,
    /// A query that proves it; may be repeated.
    #[arg(long = "evidence", value_name = "PROMQL")]
    evidence: Vec<String>,
    /// Nothing is wrong, and no change is to blame.
    #[arg(long, conflicts_with_all = ["components", "mechanism", "change"])]
    nothing_wrong: bool,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

/// What the responder takes along.
#[derive(Debug, Args)]
pub(super) struct Learned {
    /// In a sentence or two.
    text: String,
    /// The run, by its number; your newest one if it is left out.
    #[arg(long, value_name = "N")]
    run: Option<i64>,
}

/// The run that is on.
///
/// # Errors
/// When none is.
pub(super) async fn current(desk: &Desk) -> Result<Run> {
    desk.current().await?.context("no drill runs: `lab drill start`")
}

/// Tells the run that is on, and returns it as it is afterwards.
async fn tell(desk: &Desk, verb: &str, body: &Value) -> Result<Run> {
    let run = current(desk).await?;
    let told = desk.tell(run.id, verb, body).await?;
    // Some answers are only an acknowledgement.
    if told["phase"].is_string() { Run::of(told) } else { desk.run(run.id).await }
}

fn shown(run: &Run, json: bool, said: &str) -> Result<()> {
    if json {
        return print_json(&run.raw);
    }
    out!("{said}");
    Ok(())
}

impl Plain {
    /// Says that something is wrong, without a page.
    pub(super) async fn notice(self, desk: &Desk) -> Result<()> {
        let run = tell(desk, "notice", &json!({})).await?;
        shown(&run, self.json, "noted: you noticed it before a page did, or without one")
    }

    /// Takes the next hint.
    pub(super) async fn hint(self, desk: &Desk) -> Result<()> {
        let had = current(desk).await?;
        let run = tell(desk, "hint", &json!({})).await?;
        if self.json {
            return print_json(&run.raw);
        }
        let Some(hint) = run.hints.last().filter(|_| run.hints.len() > had.hints.len()) else {
            bail!("there are no more hints, or the drill has not begun yet: `lab drill status`");
        };
        let cost = run.brief.as_ref().and_then(|brief| brief.hints.get(run.hints.len() - 1));
        let cost = cost.map_or_else(String::new, |cost| format!(" (it costs {cost} points)"));
        wrap(&format!("{hint}{cost}"), WIDTH).iter().for_each(|line| out!("{line}"));
        out!("left: {}", run.hints_left);
        Ok(())
    }

    /// Says that it is over.
    pub(super) async fn submit(self, desk: &Desk) -> Result<()> {
        let run = tell(desk, "submit", &json!({})).await?;
        shown(
            &run,
            self.json,
            "declared over; whether it is, the system decides: `lab drill status`, then `report`",
        )
    }
}

impl Words {
    /// Tells others.
    pub(super) async fn update(self, desk: &Desk) -> Result<()> {
        let run = tell(desk, "update", &json!({ "text": self.text })).await?;
        shown(&run, self.json, "told")
    }
}

impl Learned {
    /// Keeps it as the last part of the report.
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let id = match self.run {
            Some(id) => id,
            None => desk.runs(None, 1).await?.first().context("no drill was run yet: `lab drill start`")?.id,
        };
        desk.tell(id, "learned", &json!({ "text": self.text })).await?;
        out!("kept: lab drill report {id}");
        Ok(())
    }
}

impl Abort {
    /// Whether it stays until the run has been reset.
    pub(super) const fn waits(&self) -> bool {
        !self.no_wait
    }

    /// Stops the run, and waits until everything is as it was.
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let mut run = tell(desk, "abort", &json!({ "why": self.why })).await?;
        while !run.is_over() && !self.no_wait {
            tokio::time::sleep(super::client::LOOK).await;
            run = desk.run(run.id).await?;
        }
        let said = if run.is_over() {
            "aborted, and clean: no fault is set, the load and the protections are as they were"
        } else {
            "aborted; it is being reset"
        };
        shown(&run, self.json, said)
    }
}

impl Answer {
    /// Answers.
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let said = !self.components.is_empty() || self.mechanism.is_some() || self.change.is_some();
        if !said && !self.nothing_wrong && self.onset.is_none() && self.evidence.is_empty() {
            bail!(
                "nothing answered: name a --component, or say --nothing-wrong; `lab drill show` lists \
                 what is asked"
            );
        }
        let change = if self.nothing_wrong { Some("none".to_owned()) } else { self.change };
        let answers = json!({
            "components": self.components, "mechanism": self.mechanism, "change": change, "onset": self.onset,
            "evidence": self.evidence,
        });
        let run = tell(desk, "answer", &answers).await?;
        shown(&run, self.json, "answered; you may answer again until it is over")
    }
}

/// A time of today, a time ago, or a whole one.
fn onset(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = text.parse::<DateTime<Utc>>() {
        return Ok(at);
    }
    if let Ok(ago) = humantime::parse_duration(text)
        && let Ok(ago) = TimeDelta::from_std(ago)
    {
        return Ok(Utc::now() - ago);
    }
    let wrong = || "expected 10:03:12, a time ago such as 90s, or 2026-11-21T10:03:12Z".to_owned();
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S").map_err(|_| wrong())?;
    let now = Local::now();
    let at = now.date_naive().and_time(time).and_local_timezone(Local).earliest().ok_or_else(wrong)?;
    // Shortly after midnight, a time before midnight is yesterday's.
    let at = if at > now + TimeDelta::hours(1) { at - TimeDelta::days(1) } else { at };
    Ok(at.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_may_be_a_time_of_today_a_time_ago_or_a_whole_one() {
        let whole = "2026-11-21T10:03:12Z";
        assert_eq!(onset(whole).unwrap(), whole.parse::<DateTime<Utc>>().unwrap());
        let ago = (Utc::now() - onset("90s").unwrap()).as_seconds_f64();
        assert!((89.0..92.0).contains(&ago), "{ago}");
        let now = Local::now().format("%H:%M:%S").to_string();
        let off = (Utc::now() - onset(&now).unwrap()).num_seconds().abs();
        assert!(off < 5, "{now} is now, and not {off} s away");
        for wrong in ["", "yesterday", "25:00:00", "10:03"] {
            assert!(onset(wrong).unwrap_err().contains("90s"), "{wrong}");
        }
    }
}
