//! What a run was worth: each criterion with what was measured, what was taken away, and what was not met.

use maud::{Markup, html};

use super::facts::{Failure, Run, Score};
use crate::{
    eyes::links::explore,
    web::parts::{Tone, badge, empty, meter, percent},
};

/// How a verdict reads, and what it means.
pub(super) fn verdict(run: &Run) -> Markup {
    let Some(verdict) = run.verdict.as_deref() else { return html! {} };
    let (tone, word) = match verdict {
        "passed" => (Tone::Good, "passed"),
        "failed" => (Tone::Bad, "failed"),
        "timed-out" => (Tone::Warn, "time is over"),
        "aborted" => (Tone::Quiet, "aborted"),
        "invalid" => (Tone::Quiet, "never began"),
        other => (Tone::Quiet, other),
    };
    badge(tone, word)
}

/// The card.
pub(super) fn card(run: &Run) -> Markup {
    html! {
        section.card aria-labelledby="score-title" {
            div.toolbar {
                h2 #score-title { "Scorecard" }
                @if let Some(points) = run.points() { p { span.big { (points) } " of 100" } }
            }
            @if run.seen { p.muted { "The solution was known from an earlier run: this one is practice." } }
            @match &run.score {
                Some(score) => {
                    (criteria(score))
                    (deductions(score))
                },
                None => (empty("No score.", html! {
                    "A run is scored when a person took it and something was injected."
                })),
            }
            (failures(&run.failures))
        }
    }
}

fn criteria(score: &Score) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Criteria" {
            table.table.rows {
                thead { tr {
                    th scope="col" { "Criterion" } th.num scope="col" { "Weight" }
                    th.num scope="col" { "Points" } th scope="col" { "Measured" }
                } }
                tbody {
                    @for line in &score.lines {
                        tr {
                            th scope="row" {
                                (line.criterion)
                                @if let Some(share) = line.share { (meter(share, of(share))) }
                            }
                            td.num { (line.weight) }
                            td.num { (line.share.map_or_else(|| "not counted".to_owned(), percent)) }
                            td { (line.value) }
                        }
                    }
                }
            }
        }
    }
}

/// How good a share of the points is.
fn of(share: f64) -> Tone {
    match share {
        share if share >= 0.75 => Tone::Good,
        share if share >= 0.4 => Tone::Warn,
        _ => Tone::Bad,
    }
}

fn deductions(score: &Score) -> Markup {
    html! {
        @if !score.deductions.is_empty() {
            h3 { "Taken away" }
            ul.stack.tight {
                @for deduction in &score.deductions {
                    li { strong.num { "−" (deduction.points) } " " (deduction.why) }
                }
            }
        }
    }
}

fn failures(failures: &[Failure]) -> Markup {
    html! {
        @if !failures.is_empty() {
            h3 { "Not met" }
            ul.stack.tight {
                @for failure in failures {
                    li {
                        strong { (failure.condition) } ": expected " (failure.expected)
                        ", seen " (failure.seen)
                        @if !failure.query.is_empty() {
                            " " a href=(explore("", &failure.query)) {
                                "Query" span.sr { " of " (failure.condition) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::facts::{Deduction, Line},
        *,
    };

    fn line(criterion: &str, share: Option<f64>, value: &str) -> Line {
        Line { criterion: criterion.to_owned(), weight: 10, share, value: value.to_owned() }
    }

    #[test]
    fn each_criterion_has_its_points_and_what_was_measured() {
        let score = Score {
            total: 64,
            lines: vec![
                line("detect", Some(1.0), "9 s after the start"),
                line("budget", None, "not measured"),
                line("localise", Some(0.0), "missed redis"),
            ],
            deductions: vec![Deduction { points: 5, why: "hint 1".to_owned() }],
        };
        let run = Run { score: Some(score), verdict: Some("timed-out".to_owned()), ..Run::default() };
        let shown = card(&run).into_string();
        for text in ["64</span> of 100", "100\u{a0}%", "9 s after the start", "not counted", "−5", "hint 1"]
        {
            assert!(shown.contains(text), "{text} in {shown}");
        }
        assert!(shown.contains("meter bad") && shown.contains("missed redis"), "{shown}");
        assert!(verdict(&run).into_string().contains("time is over"));
    }

    #[test]
    fn without_a_score_the_page_says_why_and_what_was_not_met() {
        let failure = Failure {
            condition: "every protection is on".to_owned(),
            query: "up == 0".to_owned(),
            expected: "holds".to_owned(),
            seen: "<nothing>".to_owned(),
        };
        let run = Run { failures: vec![failure], ..Run::default() };
        let shown = card(&run).into_string();
        assert!(shown.contains("No score.") && shown.contains("&lt;nothing&gt;"), "{shown}");
        assert!(shown.contains("/explore?query=up+%3D%3D+0"), "{shown}");
        assert_eq!(verdict(&run).into_string(), "");
    }
}
