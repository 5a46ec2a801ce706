//! SLOs and error budgets: where the alerts link to. Each pair of windows is drawn with its threshold, because an
//! alert fires exactly while both lines are above it.

use slo::{
    PAIRS, PERIOD, Pair, Severity, Window, theory,
    window::{number, percent},
};

use super::shared::{BUDGET, BURN, alerts};
use crate::{
    model::{Board, Kind, Panel, Row, Step, Unit, Variable, row, text, value},
    query::{query, sel},
};

const SLO: &str = r#"slo=~"$slo""#;

pub(super) fn board() -> Board {
    Board {
        uid: "slo",
        title: "SLO and error budget",
        description: "How much may still fail, how fast the budget is burning, and why an alert fires or does not. Choose one SLO above to see only its windows.",
        jobs: r#"board:slo_objective:ratio{instance="all"}"#,
        variables: &[Variable {
            name: "slo",
            label: "SLO",
            metric: r#"board:slo_objective:ratio{job=~"$job"}"#,
            of: "slo",
        }],
        rows: vec![state_row(), windows_row(), history_row()],
    }
}

/// Colours of the time until the budget is gone.
const TIME: &[Step] = &[(None, "red"), (Some(3600.0), "orange"), (Some(21_600.0), "green")];

fn state_row() -> Row {
    let columns = vec![
        text("slo", "SLO"),
        text("job", "Service"),
        value("Value #A", "Objective", Unit::Ratio, &[]),
        value("Value #B", "Failed in the period", Unit::Ratio, &[]),
        value("Value #C", "Budget left", Unit::Ratio, BUDGET),
        value("Value #D", "Burn rate", Unit::Plain, BURN),
        value("Value #E", "Budget lasts for", Unit::Seconds, TIME),
    ];
    let of = |metric| query("", format!("max by (slo, job) ({})", sel(metric, SLO)));
    let firing =
        format!("max by (alertname, severity, alertstate, job) ({})", sel("board:alerts:active", SLO));
    row(
        "State",
        vec![
            Panel::new(Kind::Table(columns), "Objectives", Unit::Ratio, "Each SLO: what was promised, what failed in the period, what is left, and how long that lasts at the current rate. Normal is all green.")
                .query(of("board:slo_objective:ratio"))
                .query(of("board:slo_period_error:ratio"))
                .query(of("board:slo_error_budget_remaining:ratio"))
                .query(of("board:slo_current_burn_rate:ratio"))
                .query(of("board:slo_time_to_exhaustion:seconds"))
                .size(16, 9),
            alerts("Budget alerts", &firing, (8, 9)),
        ],
    )
}

fn windows_row() -> Row {
    row("Burn rate in both windows, with the threshold", PAIRS.iter().map(windows).collect())
}

/// One pair of windows, with its threshold.
fn windows(pair: &Pair) -> Panel {
    let of = |role: &str| {
        sel("board:slo_burn_rate:ratio", &format!("{SLO}, pair=\"{}\", role=\"{role}\"", pair.name))
    };
    let speed = pair.name.rsplit('-').next().unwrap_or_default();
    let (kind, does) = match pair.severity {
        Severity::Page => ("Page", "Pages"),
        Severity::Ticket => ("Ticket", "Opens a ticket"),
    };
    let (times, above) = match number(pair.factor).as_str() {
        "1" => ("1 time".to_owned(), String::new()),
        factor => (format!("{factor} times"), format!("{factor} times ")),
    };
    let share = percent(theory::budget_spent_at_fire(pair, PERIOD));
    let description = format!(
        "{does} while both windows burn more than {above}the allowed rate: {share} of the budget gone within the long window. \
         Normal is below 1."
    );
    Panel::new(Kind::Lines, format!("{kind}, {speed}: {times}"), Unit::Plain, description)
        .query(query("{{slo}} long {{window}}", of("long")))
        .query(query("{{slo}} short {{window}}", of("short")))
        .steps(&[(Some(pair.factor), "red")])
        .size(12, 8)
}

fn history_row() -> Row {
    row(
        "Over time",
        vec![
            Panel::new(Kind::Lines, "Error budget left", Unit::Ratio, "Share of the budget of the rolling period that is left. Normal falls slowly or rises as old failures leave the period; below 0 the objective is violated, and a ticket says that the budget is spent.")
                .query(query("{{slo}}", sel("board:slo_error_budget_remaining:ratio", SLO)))
                .signed()
                .steps(&[(Some(0.0), "red")])
                .size(8, 8),
            next_day(),
            Panel::new(Kind::Lines, "Failed in the period", Unit::Ratio, "Share of the events of the rolling period that failed, weighted by traffic. Normal is below one minus the objective.")
                .query(query("{{slo}}", sel("board:slo_period_error:ratio", SLO)))
                .size(8, 8),
        ],
    )
}

/// The condition of the ticket that a budget ends soon: a day at the current rate takes more than is left.
fn next_day() -> Panel {
    let of = |role: &str| {
        let pair = PAIRS[1].name;
        let burn = sel("board:slo_burn_rate:ratio", &format!("{SLO}, pair=\"{pair}\", role=\"{role}\""));
        format!("{burn} / {}", number(PERIOD.secs() / Window::days(1).secs()))
    };
    let description = format!(
        "Share of the budget that a day at the current rate takes, over {} and over {} (on the lab's clock 60 times as fast). Normal \
         is below what is left; a ticket is opened when both are above it.",
        PAIRS[1].long, PAIRS[1].short
    );
    Panel::new(Kind::Lines, "Taken by the next day", Unit::Ratio, description)
        .query(query("{{slo}} long {{window}}", of("long")))
        .query(query("{{slo}} short {{window}}", of("short")))
        .query(query("{{slo}} left", sel("board:slo_error_budget_remaining:ratio", SLO)))
        .size(8, 8)
}
