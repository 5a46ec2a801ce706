//! The clock of the drill that is on: in the strip of every page.
//!
//! Pages know nothing about drills, and each has the strip. So the run is looked up once for a request, before its
//! page is made, and the strip finds it with the task that makes the page.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};

use super::facts::{self, Run, Stage};
use crate::{
    room::Room,
    web::parts::{Tone, badge},
};

tokio::task_local! {
    /// The run that is on while a page is made, if there is one.
    static RUNNING: Option<Run>;
}

/// Looks the run up, and makes the page.
pub(in crate::web) async fn around(State(room): State<Room>, request: Request, next: Next) -> Response {
    let is_file = request.uri().path().starts_with("/assets/");
    let visitor = if is_file { None } else { room.access.visitor(request.headers()) };
    let running = match visitor {
        // A page without its clock is better than no page.
        Some(visitor) => facts::current(&room, &visitor).await.ok().flatten(),
        None => None,
    };
    RUNNING.scope(running, next.run(request)).await
}

/// What the strip says of the run that is on; nothing if there is none.
pub(in crate::web) fn strip(now: DateTime<Utc>) -> Markup {
    let shown = RUNNING.try_with(|running| running.as_ref().map(|run| short(run, now)));
    shown.ok().flatten().unwrap_or_else(|| html! {})
}

/// The run in a line.
fn short(run: &Run, now: DateTime<Utc>) -> Markup {
    html! {
        div.strip-drill {
            (badge(Tone::Info, "drill")) a href=(run.path()) { (run.title()) }
            span.muted {
                @match run.stage() {
                    Stage::Waiting => { "getting ready" },
                    Stage::On if run.paused => { "paused" },
                    Stage::On => { (left(run, now)) },
                    Stage::Settling => { "cleaning up" },
                    Stage::Over => { "over" },
                }
            }
        }
    }
}

/// What is left of the time box; the script keeps it fresh. For a run without one, that it is on.
pub(super) fn left(run: &Run, now: DateTime<Utc>) -> Markup {
    html! {
        @match run.time_box_ends {
            Some(ends) => {
                time datetime=(ends.to_rfc3339_opts(SecondsFormat::Millis, true))
                    title={ "until " (ends.format("%H:%M:%S UTC")) } data-left { (minutes(ends - now)) }
                " left"
            },
            None => { "running" },
        }
    }
}

/// A span as a clock shows it: `7:05`. The words are also in `assets/room.js`.
fn minutes(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_strip_has_the_clock_of_the_run_that_is_on_and_only_there() {
        let now: DateTime<Utc> = "2026-05-04T10:00:00Z".parse().unwrap();
        let run = Run {
            id: 7,
            phase: "observe".to_owned(),
            time_box_ends: Some(now + TimeDelta::seconds(425)),
            ..Run::default()
        };
        let shown = RUNNING.scope(Some(run), async { strip(now).into_string() }).await;
        assert!(shown.contains("href=\"/drills/runs/7\"") && shown.contains(">7:05</time> left"), "{shown}");
        assert_eq!(strip(now).into_string(), "");
        assert_eq!(RUNNING.scope(None, async { strip(now).into_string() }).await, "");
    }

    #[test]
    fn a_clock_does_not_run_below_zero() {
        assert_eq!(minutes(TimeDelta::seconds(-5)), "0:00");
        assert_eq!(minutes(TimeDelta::seconds(61)), "1:01");
    }
}
