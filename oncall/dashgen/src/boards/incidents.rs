//! Incidents and the people's side: what is open, how long incidents take, what reaches whom, and how delivery does.

use super::shared::NEVER;
use crate::{
    link::board as to,
    model::{Board, Kind, Panel, Row, Step, Unit, row, text, value},
    query::{max, quantile, query, rates, sel, sum},
};

pub(super) fn board() -> Board {
    Board {
        uid: "incidents",
        title: "Incidents",
        description: "How the people's side does: what is open and who is on call, how long incidents take to be noticed, taken over and over, what reaches people, and the four figures of delivery.",
        jobs: r#"up{service="control-room", job!="application-metrics"}"#,
        variables: &[],
        rows: vec![now_row(), times_row(), medians_row(), open_row(), notifications_row(), delivery_row()],
    }
}

/// Open states: somebody still has to do something.
const OPEN: &str = r#"state=~"triage|active|mitigated""#;

fn now_row() -> Row {
    let stat = |title, unit, description| Panel::new(Kind::Stat, title, unit, description).size(4, 6);
    let people = format!("max by (schedule, person) ({})", sel("control_room_on_call", ""));
    row(
        "Now",
        vec![
            stat("Open incidents", Unit::Count, "Incidents that are not resolved. Normal is 0.")
                .query(query("open", sum("", &sel("control_room_incidents", OPEN))))
                .steps(NEVER)
                .links([to("overview", "Overview")]),
            stat("Heartbeat of monitoring", Unit::Plain, "Whether the alert that always fires arrives at the control room. Normal is that it does: otherwise no alert reaches anybody.")
                .query(query("heartbeat", max("", &sel("control_room_watchdog_silent", ""))))
                .words(&[(0.0, "arrives", "green"), (1.0, "silent", "red")]),
            stat("Notifications failing", Unit::Count, "Notifications that failed and are tried again. Normal is 0.")
                .query(query("failing", sum("", &sel("control_room_notifications_failing", ""))))
                .steps(NEVER),
            stat("Action items open", Unit::Count, "What postmortems promised and nobody has done yet. Normal is a few that get fewer.")
                .query(query("open", sum("", &sel("control_room_postmortem_action_items_open", "")))),
            Panel::new(
                Kind::Table(vec![text("schedule", "Schedule"), text("person", "On call")]),
                "On call",
                Unit::Plain,
                "Who is on call by which schedule. Normal is one person per schedule.",
            )
            .query(query("", people))
            .size(8, 6),
        ],
    )
}

/// Colours of times in seconds on the lab's clock.
const TIMES: &[Step] = &[(None, "green"), (Some(300.0), "orange"), (Some(1800.0), "red")];

/// Median and 90th percentile over the chosen time range: incidents are too rare for a line.
fn over_range(metric: &str) -> [crate::query::Query; 2] {
    let of = |q: f64, name: &str| {
        let buckets = format!("increase({}[$__range])", sel(&format!("{metric}_bucket"), ""));
        query(name, format!("histogram_quantile({q}, sum by (le) ({buckets}))")).now()
    };
    [of(0.5, "median"), of(0.9, "p90")]
}

/// Without it, nobody knows what a median is worth.
fn how_many() -> Panel {
    let counted = |name: &str, metric: &str| {
        let count = sel(&format!("control_room_incident_{metric}_count"), "");
        query(name, format!("round(sum(increase({count}[$__range])))")).now()
    };
    Panel::new(
        Kind::Stat,
        "Incidents that are counted",
        Unit::Count,
        "From how many incidents each of these medians is. Normal is a handful, which says little: the next row has the 95 % interval of every median, and the control room's page Measures (/measures) each incident as a dot over time.",
    )
    .query(counted("detect", "detect_seconds"))
    .query(counted("acknowledge", "acknowledge_seconds"))
    .query(counted("mitigate", "mitigate_seconds"))
    .query(counted("recover", "recover_seconds"))
    .query(counted("budget", "budget_burned_ratio"))
    .size(4, 6)
}

fn times_row() -> Row {
    let panel = |title, unit, description, metric| {
        let panel = Panel::new(Kind::Stat, title, unit, description);
        over_range(metric).into_iter().fold(panel, Panel::query)
    };
    let time =
        |title, description, metric| panel(title, Unit::Seconds, description, metric).steps(TIMES).size(4, 6);
    row(
        "How long incidents take: median and 90th percentile of the time range",
        vec![
            how_many(),
            time(
                "Time to detect",
                "From the first symptom to the first page; its mean is called MTTD. Normal is below 10 s on the lab's clock. Never the mean: one long incident moves it more than any improvement.",
                "control_room_incident_detect_seconds",
            ),
            time(
                "Time to acknowledge",
                "From the first page until a person took over; its mean is called MTTA. Normal is below a minute or two.",
                "control_room_incident_acknowledge_seconds",
            ),
            time(
                "Time to mitigate",
                "From the first symptom until users were no longer affected; its mean is called MTTM, and by some MTTR. Normal depends on the fault; it is what to practise.",
                "control_room_incident_mitigate_seconds",
            ),
            time(
                "Time to recover",
                "From the first symptom until the indicator was good again; its mean is called MTTR. Normal is a little more than the time to mitigate.",
                "control_room_incident_recover_seconds",
            ),
            panel(
                "Budget burned by an incident",
                Unit::Ratio,
                "Largest share of an error budget that an incident spent. Normal is below 5 %.",
                "control_room_incident_budget_burned_ratio",
            )
            .steps(&[(None, "green"), (Some(0.05), "orange"), (Some(0.2), "red")])
            .size(4, 6),
        ],
    )
}

/// What a median of a handful of incidents is worth.
fn medians_row() -> Row {
    let end = |what: &str| {
        let all = sel(&format!("control_room_incident_{what}_seconds"), "");
        query("", format!("{} > 0", max("until, since", &all)))
    };
    let columns = vec![
        text("until", "Time until"),
        text("since", "Counted from"),
        value("Value #A", "From", Unit::Seconds, &[]),
        value("Value #B", "Median", Unit::Seconds, TIMES),
        value("Value #C", "To", Unit::Seconds, &[]),
    ];
    row(
        "What a median is worth: its 95 % interval, whatever the time range",
        vec![
            Panel::new(
                Kind::Table(columns),
                "Medians and their intervals",
                Unit::Seconds,
                "Where the median of such incidents probably is: the 95 % bootstrap interval over the incidents that the control room remembers, as on its page Measures. Times with different beginnings cannot be compared, so each has a row. Normal is a wide interval: an improvement shows when the interval moves, not when the median does.",
            )
            .query(end("median_low"))
            .query(end("median"))
            .query(end("median_high"))
            .size(24, 8),
        ],
    )
}

fn open_row() -> Row {
    row(
        "Incidents over time",
        vec![
            Panel::new(Kind::Stack, "Open incidents by severity", Unit::Count, "Incidents that are not resolved. Normal is none; many small ones at once are one that nobody has recognized.")
                .query(query("{{severity}}", sum("severity", &sel("control_room_incidents", OPEN))))
                .size(12, 8),
            Panel::new(Kind::Stack, "Incidents by state", Unit::Count, "All open incidents and the newest that ended. Normal is that resolved ones are closed, with a postmortem, within days.")
                .query(query("{{state}}", sum("state", &sel("control_room_incidents", ""))))
                .size(12, 8),
        ],
    )
}

/// The four figures of delivery (DORA), as the page Releases has them.
fn delivery_row() -> Row {
    let figure = |title, unit, description, metric: &str| {
        Panel::new(Kind::Stat, title, unit, description)
            .query(query("30 days", max("", &sel(metric, ""))))
            .size(6, 6)
    };
    row(
        "Delivery: the four figures of the last 30 days",
        vec![
            figure(
                "Deployment frequency",
                Unit::Plain,
                "Releases that reached everyone, per day. Normal is that it does not fall while failures rise: fewer releases are larger ones.",
                "control_room_delivery_deployments_per_day",
            ),
            figure(
                "Lead time for changes",
                Unit::Seconds,
                "Median time from a written change until everyone had it; 0 without one. Normal is little more than the steps of a release take.",
                "control_room_delivery_lead_time_seconds",
            ),
            figure(
                "Change failure rate",
                Unit::Ratio,
                "Share of the changes that users met and that failed; a canary that went back is one. 0 without one. Normal is below 15 %; a handful of releases says little.",
                "control_room_delivery_change_failure_ratio",
            )
            .steps(&[(None, "green"), (Some(0.15), "orange"), (Some(0.5), "red")]),
            figure(
                "Time to restore",
                Unit::Seconds,
                "Median time from when users met a failed change until it was repaired; 0 without one. Normal is about a minute: a canary goes back by itself.",
                "control_room_delivery_restore_seconds",
            )
            .steps(TIMES),
        ],
    )
}

fn notifications_row() -> Row {
    let panel = |kind, title, unit, description| Panel::new(kind, title, unit, description).size(6, 8);
    row(
        "What reaches people",
        vec![
            panel(Kind::Stack, "Alerts taken", Unit::Events, "Alerts that arrived for the first time, by severity and status. Normal is none; pages without an outage are noise.")
                .query(query("{{severity}} {{status}}", rates("severity, status", "control_room_pages_total", ""))),
            panel(Kind::Lines, "Delay of a page", Unit::Seconds, "From the start of an alert until it was taken, p95. Normal is below a second for pages and below half a minute for tickets.")
                .query(query("{{severity}}", quantile(0.95, "severity", "control_room_page_delay_seconds", ""))),
            panel(Kind::Stack, "Notifications", Unit::Events, "Notifications that came to an end, by channel and outcome. Normal is that they are sent.")
                .query(query("{{channel}} {{outcome}}", rates("channel, outcome", "control_room_notifications_total", ""))),
            panel(Kind::Stack, "Requests of other systems", Unit::Requests, "What Alertmanager and others sent, and what became of it. Normal is the heartbeat, which is taken; refused ones have a wrong token or format.")
                .query(query("{{source}} {{outcome}}", rates("source, outcome", "control_room_webhooks_total", ""))),
        ],
    )
}
