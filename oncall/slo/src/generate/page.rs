//! The page of the documentation, from a template and the specs.

use super::budgets;
use crate::{
    Clock, PAIRS, Period, Severity, Sli, Slo, theory,
    window::{humane, number, percent},
};

/// `docs/slos.md`.
pub(super) fn page(slos: &[Slo]) -> String {
    include_str!("page.md")
        .replace("{{table}}", &table(slos))
        .replace("{{clocks}}", &clocks())
        .replace("{{budgets}}", &left(slos))
        .replace("{{times}}", &times(slos))
        .replace("{{slos}}", &slos.iter().map(section).collect::<Vec<_>>().join("\n"))
}

fn table(slos: &[Slo]) -> String {
    let mut text = "| objective | promise | of | owner | alert |\n|---|---|---|---|---|\n".to_owned();
    for slo in slos {
        let alert = slo.alert();
        text.push_str(&format!(
            "| [{0}](#{0}) {1} | {2} | {3} | {4} | [{alert}](../runbooks/{alert}.md) |\n",
            slo.name,
            percent(slo.objective),
            slo.promise,
            slo.service,
            slo.owner
        ));
    }
    text.trim_end().to_owned()
}

fn clocks() -> String {
    let row = |pair: &crate::Pair| {
        let (long, short) = (Clock::Lab.scale(pair.long), Clock::Lab.scale(pair.short));
        format!(
            "| {} at {} x | {} and {} | {long} and {short} |",
            pair.severity,
            number(pair.factor),
            pair.long,
            pair.short
        )
    };
    PAIRS.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The alerts on what is left, with the numbers of a 30-day period.
fn left(slos: &[Slo]) -> String {
    let both = |of: &dyn Fn(Clock) -> String| {
        format!("{} ({} on the lab's clock)", of(Clock::Production), of(Clock::Lab))
    };
    let Some(slo) = slos.first() else { return String::new() };
    let horizon = both(&|clock| clock.horizon(slo).to_string());
    let again = both(&|clock| humane(budgets::lasts_again(slo, clock)));
    let windows = both(&|clock| {
        let (long, short) = budgets::windows(clock);
        format!("{long} and {short}")
    });
    format!(
        "| `…BudgetEndsSoon` | at the rate of the last {windows}, what is left lasts less than {horizon} | it lasts {again}, or is gone |\n\
         | `…BudgetSpent` | nothing is left | {} of the budget is back |",
        percent(budgets::BACK),
    )
}

/// Detection and end of the first page, by error ratio.
fn times(slos: &[Slo]) -> String {
    let ratios = [1.0, 0.1, 0.02];
    let mut text =
        "| objective | windows | 100 % bad | 10 % bad | 2 % bad |\n|---|---|---|---|---|\n".to_owned();
    let pages = Clock::Lab.pairs().into_iter().filter(|pair| pair.severity == Severity::Page);
    let pages: Vec<_> = pages.collect();
    for slo in slos {
        for pair in &pages {
            let at = |ratio| {
                let times = theory::detection(pair, slo.budget(), ratio).zip(theory::reset(
                    pair,
                    slo.budget(),
                    ratio,
                ));
                times.map_or_else(
                    || "never".to_owned(),
                    |(fire, end)| format!("{} / {}", humane(fire), humane(end)),
                )
            };
            let cells = ratios.map(at).join(" | ");
            text.push_str(&format!("| {} | {}, {} | {cells} |\n", slo.name, pair.long, pair.short));
        }
    }
    text.trim_end().to_owned()
}

fn section(slo: &Slo) -> String {
    let period = match slo.period {
        Period::Rolling(window) => format!("the last {window}"),
        Period::Calendar(calendar) => format!("the current {} (UTC)", format!("{calendar:?}").to_lowercase()),
    };
    let (good, total) = match &slo.sli {
        Sli::Bad { bad, total } => (format!("bad: `{bad}`"), format!("all: `{total}`")),
        Sli::Good { good, total } => (format!("good: `{good}`"), format!("all: `{total}`")),
        Sli::Latency { histogram, threshold } => (
            format!("good: `{}`", histogram.bucket(*threshold)),
            format!("all: `{}`", histogram.suffixed("_count")),
        ),
        Sli::Throughput(flow) => (
            format!(
                "good: a window in which `{}` rises by at least {} per second",
                flow.done,
                number(flow.floor)
            ),
            format!(
                "all: windows in which `{}` rises by at least {} per second",
                flow.offered,
                number(flow.from)
            ),
        ),
    };
    let budget = slo.budget() * slo.period.nominal().secs();
    format!(
        "## {}\n\n**{}** {} of the events over {period} are good; the budget is worth {} of full outage.\n\n{}\n\n- {good}\n- {total}\n\n\
         Why {}: {}\n{}",
        slo.name,
        slo.promise,
        percent(slo.objective),
        humane(budget),
        slo.description,
        percent(slo.objective),
        slo.reason,
        agreement(slo),
    )
}

/// What was sold, and when somebody looks at the objective again.
fn agreement(slo: &Slo) -> String {
    let sold =
        slo.sla.as_ref().map(|sla| format!("\nSold to customers (SLA), of the price of a period: {sla}.\n"));
    let review = slo.review.map(|day| format!("\nNext review: {day}.\n"));
    sold.unwrap_or_default() + &review.unwrap_or_default()
}
