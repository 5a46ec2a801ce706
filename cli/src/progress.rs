//! What the user sees while the lab starts: one live line per part, or plain lines if the output is not a terminal.

use std::{collections::HashMap, time::Duration};

use console::{Style, Term};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use supervisor::state::{LabState, PartState, Status};

use crate::terminal::Row as Line;

/// Shows a sequence of states.
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    rows: HashMap<String, Row>,
    width: usize,
}

struct Row {
    bar: ProgressBar,
    shown: String,
    restarts: u32,
}

impl Progress {
    /// Live lines on a terminal, plain ones elsewhere.
    pub(crate) fn new() -> Self {
        let bars = Term::stderr().is_term().then(MultiProgress::new);
        Self { bars, rows: HashMap::new(), width: 0 }
    }

    /// Plain lines: live lines would be garbled by what is printed after them.
    pub(crate) fn plain() -> Self {
        Self { bars: None, rows: HashMap::new(), width: 0 }
    }

    /// Treats a state as already shown.
    pub(crate) fn silently(&mut self, state: &LabState) {
        self.width = width(state);
        for part in &state.parts {
            let row = self.rows.entry(part.name.clone()).or_insert_with(|| Row::new(None));
            row.shown = line(part, self.width).into_string();
            row.restarts = part.restarts;
        }
    }

    /// Shows what changed.
    pub(crate) fn show(&mut self, state: &LabState) {
        self.width = width(state);
        for part in &state.parts {
            let line = line(part, self.width);
            let text = line.clone().into_string();
            let row = self.rows.entry(part.name.clone()).or_insert_with(|| Row::new(self.bars.as_ref()));
            if row.shown == text {
                continue;
            }
            row.shown = text;
            match &self.bars {
                Some(_) => row.bar.set_message(line.into_string()),
                // Without a terminal, only what belongs in a log: ready, ended, failed.
                None if part.status == Status::Ready || part.restarts > row.restarts => line.say(),
                None if part.status == Status::Failed => line.say(),
                None => {}
            }
            row.restarts = part.restarts;
            if matches!(part.status, Status::Ready | Status::Stopped | Status::Failed) {
                row.bar.disable_steady_tick();
                row.bar.tick();
            }
        }
    }

    /// Leaves the lines on the screen.
    pub(crate) fn finish(&self) {
        for row in self.rows.values() {
            row.bar.abandon();
        }
    }
}

impl Row {
    fn new(bars: Option<&MultiProgress>) -> Self {
        let bar = match bars {
            Some(bars) => bars.add(ProgressBar::new_spinner()),
            None => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        if bars.is_some() {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, shown: String::new(), restarts: 0 }
    }
}

fn width(state: &LabState) -> usize {
    state.parts.iter().map(|part| part.name.len()).max().unwrap_or(0)
}

/// Name, status, time to readiness, ports, and why the part is not up.
fn line(part: &PartState, width: usize) -> Line {
    let time = part.ready_ms.filter(|_| part.status == Status::Ready);
    let time = time
        .map_or_else(|| " ".repeat(7), |ms| format!("{:>5.2} s", Duration::from_millis(ms).as_secs_f64()));
    let ports: Vec<String> = part.ports.values().map(|port| format!(":{port}")).collect();
    let exit = part.last_exit.as_ref().filter(|_| part.restarts > 0);
    let exit = exit.map_or_else(String::new, |exit| format!("  restarts {}, last {exit}", part.restarts));
    Line::new()
        .text(format_args!("{:width$}  ", part.name))
        .painted(&paint(part.status), format_args!("{:9}", part.status.as_str()))
        .text(format_args!(" {time}  {}{exit}", ports.join(" ")))
}

/// The colour of a status.
pub(crate) fn paint(status: Status) -> Style {
    match status {
        Status::Ready => Style::new().green(),
        Status::Backoff | Status::Failed => Style::new().red(),
        Status::Stopped | Status::Waiting => Style::new().dim(),
        Status::Preparing | Status::Starting | Status::Stopping => Style::new().yellow(),
    }
}
