//! `load capacity --check-breakpoint`: is the knee where a run of rising load breaks?
//!
//! The knee comes from single steps, each on a target that has recovered. The breakpoint is seen by one run whose load rises from below
//! the knee to above it without a pause, as the first rate from which on the objective is missed.

use std::time::Duration;

use super::{
    super::{
        Stop,
        results::{Archive, Figure, Kept},
        run, say,
        sweep::Sweep,
    },
    Measure,
};
use crate::{
    capacity::Objective,
    report::Report,
    scenario::{Measure as Measured, Scenario, Sign, Stage, Stages, Threshold},
};

/// Largest difference of the knee from the breakpoint, as a share of the breakpoint.
const WITHIN: f64 = 0.15;
/// Where the rising load begins and ends, as shares of the knee, and its steps: each is 5 % of the knee higher. A breakpoint that is
/// not between them is further away than [`WITHIN`], which ends at 87 % and at 118 %.
const RISING: (f64, f64, u32) = (0.8, 1.3, 11);
/// Every search but the first begins at this share of the knee before it. It finds its own knee; what is far below was good already.
const AGAIN: f64 = 0.5;

/// Finds the knee and the breakpoint `times` times, and says how far they are apart. Keeps it after each time: the next
/// may be stopped.
pub(super) async fn live(measure: &Measure, sweep: &Sweep<'_>, times: u32) -> Result<u8, Stop> {
    let archive = Archive::at(&measure.kept);
    let mut kept = Kept::now("breakpoint", Vec::new(), Vec::new());
    let (mut right, mut from) = (true, measure.from);
    for number in 1..=times {
        let knee = measure.search(sweep, &mut sweep.begin().await, from).await?;
        from = knee * AGAIN;
        recovered(sweep).await?;
        let report = rise(sweep, knee).await?;
        let (text, within) = verdict(knee, &report);
        say(&format!("{number}/{times}: {text}"));
        kept.figures.extend(figures(number, knee, &report));
        kept.notes.push(text);
        archive.keep(&kept)?;
        right &= within;
        if number < times {
            recovered(sweep).await?;
        }
    }
    Ok(u8::from(!right))
}

/// Without a target that is good at the lowest load, there is nothing to compare.
async fn recovered(sweep: &Sweep<'_>) -> Result<(), Stop> {
    let gave_up =
        || Stop::Nothing("the target has not recovered: knee and breakpoint were not compared".to_owned());
    if sweep.calm().await? { Ok(()) } else { Err(gave_up()) }
}

/// What is kept of one time.
fn figures(number: u32, knee: f64, report: &Report) -> Vec<Figure> {
    let mut figures = vec![Figure::of(format!("{number}: knee, journeys per second"), knee)];
    if let Some(first) = report.breaks.first() {
        let off = (knee / first.rate - 1.0).abs() * 100.0;
        figures.push(Figure::of(format!("{number}: breakpoint, journeys per second"), first.rate));
        figures.push(Figure::of(format!("{number}: difference, percent"), off).at_most(WITHIN * 100.0));
    }
    figures
}

/// One run of rising load around the knee, each step as long as one of the sweep.
async fn rise(sweep: &Sweep<'_>, knee: f64) -> Result<Report, Stop> {
    let (from, to, steps) = RISING;
    let seconds = sweep.hold.max(Duration::from_secs(1)).as_secs_f64() * f64::from(steps);
    let mut scenario = sweep.scenario.clone();
    scenario.stages = Stages(vec![Stage::steps("rising", knee * from, knee * to, steps, seconds)]);
    scenario.warmup = Duration::ZERO;
    scenario.thresholds = thresholds(&scenario, &sweep.objective);
    let (report, _) = run::measure(scenario, &sweep.stop).await;
    if sweep.stop.is_cancelled() {
        return Err(Stop::Nothing("stopped before the breakpoint was found".to_owned()));
    }
    Ok(report)
}

/// The objective in the words of a scenario.
fn thresholds(scenario: &Scenario, objective: &Objective) -> Vec<Threshold> {
    let Objective { p99_ms, errors, settle, settled } = *objective;
    let all = |text: String, measure, sign, limit| Threshold { text, step: None, measure, sign, limit };
    let mut limits = vec![
        all(format!("p99 <= {p99_ms:.0}ms"), Measured::Quantile(0.99), Sign::AtMost, p99_ms),
        all(format!("errors <= {} %", errors * 100.0), Measured::Errors, Sign::AtMost, errors),
        all("skipped == 0".to_owned(), Measured::Skipped, Sign::Equal, 0.0),
    ];
    let waiting = scenario.steps().map(|(_, step)| step).filter(|step| step.until.is_some());
    limits.extend(waiting.map(|step| Threshold {
        text: format!("{} within {settle}s for {} %", step.name, settled * 100.0),
        step: Some(step.name.clone()),
        measure: Measured::Within(Duration::from_secs_f64(settle)),
        sign: Sign::AtLeast,
        limit: settled,
    }));
    limits
}

/// What to say, and whether the knee is close enough to where `report` broke first.
fn verdict(knee: f64, report: &Report) -> (String, bool) {
    let Some(first) = report.breaks.first() else {
        let most = knee * RISING.1;
        return (
            format!("knee {knee:.0}, and no breakpoint up to {most:.0} journeys per second: WRONG"),
            false,
        );
    };
    let off = knee / first.rate - 1.0;
    let within = off.abs() <= WITHIN;
    let text = format!(
        "knee {knee:.0}, breakpoint {:.0} journeys per second ({}): {:+.1} %, {}",
        first.rate,
        first.threshold,
        off * 100.0,
        if within { format!("within {:.0} %", WITHIN * 100.0) } else { "WRONG".to_owned() }
    );
    (text, within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Break;

    #[test]
    fn the_knee_has_to_be_within_15_percent_of_the_first_break() {
        let at = |rate| Break { threshold: "p99 <= 250ms".to_owned(), at: 30.0, rate };
        let close = |rates: &[f64]| {
            let breaks = rates.iter().map(|rate| at(*rate)).collect();
            verdict(100.0, &Report { breaks, ..Report::default() })
        };
        for (rates, within) in [
            (&[90.0][..], true),
            (&[115.0, 300.0][..], true),
            (&[120.0][..], false),
            (&[70.0, 100.0][..], false),
            (&[][..], false),
        ] {
            let (text, is) = close(rates);
            assert!(is == within && is != text.ends_with("WRONG"), "{rates:?}: {text}");
        }
    }

    #[test]
    fn the_rising_load_covers_every_breakpoint_that_is_close_enough() {
        let (from, to, steps) = RISING;
        assert!(from < 1.0 / (1.0 + WITHIN) && to > 1.0 / (1.0 - WITHIN));
        assert!(((to - from) / f64::from(steps - 1) - 0.05).abs() < 1e-9, "steps of 5 %");
    }

    #[test]
    fn the_rising_load_is_judged_by_the_objective() {
        let text = include_str!("../../../scenarios/average.yaml");
        let scenario = crate::scenario::read("average.yaml", text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let objective = Objective { p99_ms: 250.0, errors: 0.001, settle: 5.0, settled: 0.99 };
        let texts: Vec<String> = thresholds(&scenario, &objective).into_iter().map(|it| it.text).collect();
        assert_eq!(texts, ["p99 <= 250ms", "errors <= 0.1 %", "skipped == 0", "settle within 5s for 99 %"]);
    }
}
