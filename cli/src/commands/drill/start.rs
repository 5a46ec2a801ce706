//! `lab drill start`: begins a run, tells the briefing, and, if asked, stays beside it with a clock.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use console::Style;
use observe::control_room::Page;
use tokio::time::sleep;

use super::{
    card,
    client::{Desk, LOOK, Order},
    live::Live,
    read,
    view::Run,
};
use crate::{
    commands::drill_bench,
    installation::Installation,
    terminal::{Row, json, out},
};

/// Begins a drill. The clock starts when the system has been healthy for a few seconds. One drill runs at a
/// time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill start first-page --follow      with clock, pages and scorecard\n  \
    lab drill start --mystery --difficulty medium\n  \
    lab drill start noon --responder my-agent    a program responds, and is scored as a person is\n\n\
    Ctrl-C ends --follow, and leaves the drill running.\n\
    In another terminal: lab drill hint, act, answer, update, submit")]
pub(super) struct Start {
    /// The drill, such as first-page; `lab drill list` lists them.
    #[arg(required_unless_present = "mystery")]
    drill: Option<String>,
    /// Choose a drill, and do not say which one.
    #[arg(long, conflicts_with = "drill")]
    mystery: bool,
    /// How hard the mystery may be: first-day, easy, medium, hard or brutal.
    #[arg(long, requires = "mystery", value_name = "DIFFICULTY")]
    difficulty: Option<String>,
    #[command(flatten)]
    program: Option<drill_bench::Responder>,
    /// Decides what the faults hit: the same seed, the same decisions. The drill's own by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Stay until it is over: the clock, what pages, and the scorecard.
    #[arg(long, short)]
    follow: bool,
    /// Print JSON: the run as it begins, or, with --follow, as it ended.
    #[arg(long)]
    json: bool,
}

impl Start {
    /// Whether it stays until the run has been reset.
    pub(super) const fn stays(&self) -> bool {
        self.follow
    }

    pub(super) async fn run(self, place: &Installation, who: Option<String>) -> Result<ExitCode> {
        if let Some(program) = &self.program {
            return drill_bench::start(place, self.drill.as_deref(), self.seed, program, self.json).await;
        }
        let desk = &Desk::of(place, who).await?;
        let order = Order {
            drill: self.drill.clone(),
            difficulty: self.difficulty,
            responder: None,
            verify: None,
            seed: self.seed,
            variant: None,
        };
        let run = desk.begin(&order).await?;
        if !self.json {
            tell(&run);
        }
        if !self.follow {
            if self.json {
                json(&run.raw)?;
            } else {
                out!("follow it with `lab drill status`, `lab pages --follow` and {}", desk.room().base());
            }
            return Ok(ExitCode::SUCCESS);
        }
        let ended = follow(desk, run, self.json).await?;
        if self.json {
            json(&ended.raw)?;
        } else {
            card::print(&ended);
            out!("");
            out!("a page to keep: lab drill report {} --format html -o {}.html", ended.id, ended.name());
        }
        Ok(if ended.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn tell(run: &Run) {
    match &run.brief {
        Some(brief) => read::briefing(brief),
        None => {
            out!("a mystery: nobody says what it is about; the clock starts when the system has been well")
        }
    }
    out!("");
}

/// Stays beside a run, prints what pages, and returns it when it is over. Ctrl-C ends this command only.
async fn follow(desk: &Desk, begun: Run, quiet: bool) -> Result<Run> {
    let mut live = Live::new();
    let mut told = desk.room().pages(0).await?.last().map_or(0, |page| page.id);
    let (mut run, mut hints) = (begun, 0);
    while !run.is_over() {
        live.show(&run, "");
        sleep(LOOK).await;
        run = desk.run(run.id).await?;
        // A control room that is being started again has no pages for a moment.
        for page in desk.room().pages(told).await.unwrap_or_default() {
            told = told.max(page.id);
            if let Some(row) = row(&page).filter(|_| !quiet) {
                live.say(row);
            }
        }
        if let Some(hint) = run.hints.last().filter(|_| run.hints.len() > hints && !quiet) {
            live.say(Row::new().text(format_args!("hint: {hint}")));
        }
        hints = run.hints.len();
    }
    live.end();
    if run.verdict.is_none() {
        bail!("the run ended without a verdict: `lab drill report {}`", run.id);
    }
    Ok(run)
}

/// A page or a ticket as one line; nothing for messages.
fn row(page: &Page) -> Option<Row> {
    let (alert, status) = (page.alertname.as_ref()?, page.status.as_deref()?);
    let service = page.labels.get("service").map_or("-", String::as_str);
    let severity = page.severity.as_deref().unwrap_or("-");
    let style = match (status, severity) {
        ("firing", "page") => Style::new().red(),
        ("firing", _) => Style::new().yellow(),
        _ => Style::new().green(),
    };
    let time = page.received_at.with_timezone(&chrono::Local).format("%H:%M:%S").to_string();
    let summary = page.annotations.get("summary").map_or("", String::as_str);
    Some(
        Row::new()
            .text(format_args!("{time}  "))
            .painted(&style, format_args!("{status:8} {severity:6}"))
            .text(format_args!(" {alert} of {service}: {summary}")),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_is_a_line_and_a_message_is_none() {
        let page = json!({
            "id": 1, "received_at": "2026-11-21T10:00:02Z", "status": "firing", "severity": "page",
            "alertname": "NoTraffic", "labels": { "service": "order-api" },
            "annotations": { "summary": "no requests" },
        });
        let shown = row(&serde_json::from_value(page).unwrap()).unwrap().into_string();
        assert!(shown.ends_with(" NoTraffic of order-api: no requests"), "{shown}");
        let chat = json!({ "id": 2, "received_at": "2026-11-21T10:00:02Z", "text": "hello" });
        assert!(row(&serde_json::from_value(chat).unwrap()).is_none());
    }
}
