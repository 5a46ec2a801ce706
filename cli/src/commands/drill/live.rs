//! One line that says where a run is. On a terminal it is drawn again and again; elsewhere each phase is a
//! line.

use anyhow::Result;
use chrono::Utc;
use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use observe::Error;
use serde_json::json;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    client::{Desk, LOOK},
    text::clock,
    view::{Run, View},
};
use crate::terminal::{Row, say, visible};

/// How many conditions that are not met are named.
const NAMED: usize = 2;

/// The line.
pub(crate) struct Live {
    bar: Option<ProgressBar>,
    /// Whether nothing is shown: another line is in the same place.
    silent: bool,
    shown: String,
}

impl Live {
    /// A line on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        let bar = Term::stderr().is_term().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, silent: false, shown: String::new() }
    }

    /// Nothing.
    pub(crate) fn silent() -> Self {
        Self { bar: None, silent: true, shown: String::new() }
    }

    /// Shows where a run is; `more` stands at the end of the line.
    pub(crate) fn show(&mut self, run: &View, more: &str) {
        let line = line(run, more);
        match &self.bar {
            // Drawn by the library: what others wrote must be escaped before.
            Some(bar) => bar.set_message(visible(&line)),
            // Without a terminal, only what belongs in a log.
            None if !self.silent && self.shown != run.phase => say(&line),
            None => {}
        }
        self.shown.clone_from(&run.phase);
    }

    /// Prints something above the line.
    pub(crate) fn print(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Prints a line above the line, on standard error.
    pub(crate) fn say(&self, row: Row) {
        self.print(|| row.say());
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `03:12  first-page  observe  06:48 left, 3.1 % of the budget burned`
fn line(run: &View, more: &str) -> String {
    let mut words = Vec::new();
    words.extend(run.paused.then(|| "paused".to_owned()));
    if let Some(ends) = run.time_box_ends {
        words.push(format!("{} left", clock((ends - Utc::now()).as_seconds_f64())));
    }
    if let Some(burned) = run.burned {
        words.push(format!("{:.1} % of the budget burned", burned * 100.0));
    }
    if !run.waiting_for.is_empty() && run.phase != "observe" {
        let named: Vec<&str> = run.waiting_for.iter().take(NAMED).map(String::as_str).collect();
        let others = run.waiting_for.len() - named.len();
        let others = if others > 0 { format!(" and {others} more") } else { String::new() };
        words.push(format!("waits until {}{others}", named.join(", ")));
    }
    words.extend(Some(more.to_owned()).filter(|more| !more.is_empty()));
    format!("{}  {}  {:8}  {}", clock(run.seconds()), run.name(), run.phase, words.join("; "))
        .trim_end()
        .to_owned()
}

/// Follows a run until the system is clean again, and looks at it each time. When `stop` is cancelled, the
/// run is aborted, and followed until it has been reset.
///
/// # Errors
/// When the control room does not answer for longer than its restart takes, or a look fails.
pub(crate) async fn until_clean(
    desk: &Desk,
    begun: Run,
    live: &mut Live,
    more: &str,
    stop: &CancellationToken,
    mut look: impl AsyncFnMut(&Run) -> Result<()>,
) -> Result<Run> {
    let (mut run, mut aborted) = (begun, false);
    while !run.is_over() {
        live.show(&run, more);
        look(&run).await?;
        if stop.is_cancelled() && !aborted {
            let told = desk.tell(run.id, "abort", &json!({ "why": "stopped from the terminal" })).await;
            aborted = match told {
                Ok(_) => true,
                Err(error) => match error.downcast_ref::<Error>() {
                    // It resets already, or is over.
                    Some(Error::Refused { status: 409, .. }) => true,
                    // Its supervisor starts the control room again: once more at the next look.
                    Some(Error::Unreachable { .. }) => false,
                    _ => return Err(error),
                },
            };
        }
        if stop.is_cancelled() {
            sleep(LOOK).await;
        } else {
            // Ctrl-C is answered at once.
            let _ = stop.run_until_cancelled(sleep(LOOK)).await;
        }
        run = desk.run(run.id).await?;
    }
    live.show(&run, more);
    Ok(run)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_one_line_with_its_clock_its_phase_and_what_it_waits_for() {
        let started = Utc::now() - TimeDelta::seconds(192);
        let run = Run::of(json!({
            "id": 1, "drill": "noon", "phase": "baseline", "started_at": started,
            "waiting_for": ["no alert fires", "the load is 50 requests per second", "no fault is set"],
        }))
        .unwrap();
        let shown = line(&run, "2 of 40");
        let waits = "waits until no alert fires, the load is 50 requests per second and 1 more";
        assert_eq!(shown, format!("03:12  noon  baseline  {waits}; 2 of 40"));
    }

    #[test]
    fn a_person_sees_what_time_and_budget_are_left_and_nothing_that_is_sealed() {
        let run = Run::of(json!({
            "id": 1, "phase": "observe", "started_at": Utc::now(), "burned": 0.031,
            "time_box_ends": Utc::now() + TimeDelta::milliseconds(408_500),
            "waiting_for": ["errors-of-order-api"],
        }))
        .unwrap();
        assert_eq!(line(&run, ""), "00:00  mystery  observe   06:48 left; 3.1 % of the budget burned");
    }
}
