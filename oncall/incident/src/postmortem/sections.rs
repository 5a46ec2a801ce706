//! The sections of the draft, in their order. Each ends with a line break.

use chrono::{DateTime, Utc};

use super::{
    Draft,
    markdown::{code, line, link},
};
use crate::{Entry, Incident, Measures, Task, Verdict, Viewer};

const TIME: &str = "%H:%M:%S";
const DATE_TIME: &str = "%Y-%m-%d %H:%M:%S UTC";

/// Seconds for people: `43 s`, `8 min 5 s`, `2 h 10 min`.
fn humane(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, rest) {
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// A list, or a sentence if it is empty.
fn list(items: &[String], none: &str) -> String {
    if items.is_empty() {
        format!("{none}\n")
    } else {
        items.iter().map(|item| format!("- {item}\n")).collect()
    }
}

pub(super) fn head(incident: &Incident, now: DateTime<Utc>) -> String {
    let services: Vec<String> = incident.services.iter().map(|service| line(service)).collect();
    let roles: Vec<String> =
        incident.roles.iter().map(|(role, person)| format!("{} ({role})", line(person))).collect();
    let mut text = format!("# {}: {}\n\n| | |\n|---|---|\n", incident.id, line(&incident.title));
    let again = incident.previous.map(|previous| format!("{previous} was about the same alert"));
    let rows = [
        ("Said at the start", Some(line(&incident.description)).filter(|text| !text.is_empty())),
        ("Severity", Some(incident.severity.to_string())),
        ("Status", Some(format!("draft of {}", now.format(DATE_TIME)))),
        ("Opened", Some(incident.opened_at.format(DATE_TIME).to_string())),
        ("Services", Some(services.join(", ")).filter(|text| !text.is_empty())),
        ("Responders", Some(roles.join(", ")).filter(|text| !text.is_empty())),
        ("Happened before", again),
    ];
    for (name, value) in rows {
        text.extend(value.map(|value| format!("| {name} | {value} |\n")));
    }
    text
}

pub(super) fn summary(incident: &Incident, measures: &Measures) -> String {
    let end = incident.times.resolved.map_or_else(
        || format!("It is still {}.", incident.state),
        |at| format!("It was resolved at {}.", at.format(DATE_TIME)),
    );
    format!(
        "## Summary\n\n{} began at {}, counted from when {}. {end}\n\n*What happened, in three sentences that somebody \
         who was not there understands.*\n",
        incident.id,
        measures.started_at.format(DATE_TIME),
        measures.start.describe()
    )
}

pub(super) fn impact(incident: &Incident) -> String {
    let impact = &incident.impact;
    let mut items = Vec::new();
    items.extend(impact.users.map(|users| format!("{users} users were affected.")));
    items.extend(impact.orders.map(|orders| format!("{orders} orders were refused, lost or late.")));
    items.extend(impact.cents.map(|cents| format!("They were worth ${}.{:02}.", cents / 100, cents % 100)));
    for (slo, share) in &impact.budgets {
        items.push(format!("{:.1} % of the error budget of {} was spent.", share * 100.0, line(slo)));
    }
    format!(
        "## Impact\n\n{}",
        list(&items, "*Nobody has measured it: who noticed what, how many, for how long?*")
    )
}

pub(super) fn detection(incident: &Incident, measures: &Measures) -> String {
    let mut items = Vec::new();
    if let Some(member) = incident.alerts.first() {
        items.push(format!(
            "The first alert was {}: {}.",
            line(&member.alert.name),
            line(&member.alert.summary)
        ));
    }
    let rows = [
        ("Detected", measures.detect, "until the first page"),
        ("Acknowledged", measures.acknowledge, "from the first page until a person took over"),
        ("Mitigated", measures.mitigate, "until users were no longer affected"),
        ("Recovered", measures.recover, "until the indicator was good again"),
    ];
    for (name, seconds, what) in rows {
        items.push(match seconds {
            Some(seconds) => format!("{name} after {} ({what}).", humane(seconds)),
            None => format!("{name}: not measured ({what})."),
        });
    }
    let start = measures.start.describe();
    let question = "*Would a user have told us before the alert did? What would have told us sooner?*";
    format!(
        "## Detection\n\nTimes count from when {start}, where nothing else is said.\n\n{}\n{question}\n",
        list(&items, "")
    )
}

pub(super) fn timeline(incident: &Incident, viewer: Viewer) -> String {
    let mut text =
        "## Timeline\n\nAll times are UTC.\n\n| time | what | source | evidence |\n|---|---|---|---|\n"
            .to_owned();
    let mut day = None;
    for entry in incident.timeline_for(viewer) {
        let date = entry.at.date_naive();
        if day.replace(date) != Some(date) {
            text.push_str(&format!("| **{date}** | | | |\n"));
        }
        text.push_str(&row(entry));
    }
    text
}

fn row(entry: &Entry) -> String {
    let evidence = entry.evidence.iter().map(|evidence| {
        let link = evidence.link.as_ref().map(|url| link("open", url));
        let parts = [code(&evidence.query), line(&evidence.answer), link.unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" → ")
    });
    let evidence = evidence.collect::<Vec<_>>().join("; ");
    let sealed = if entry.sealed { " (sealed)" } else { "" };
    let (time, source) = (entry.at.format(TIME), line(entry.source.name()));
    format!("| {time} | {}{sealed} | {source} | {evidence} |\n", line(&entry.text))
}

pub(super) fn indicator(draft: &Draft<'_>) -> String {
    let Some(curve) = draft.curve else { return "## Indicator\n\n*No curve was recorded.*\n".to_owned() };
    let picture =
        draft.picture.map_or_else(String::new, |path| format!("![{}]({path})\n\n", line(&curve.title)));
    format!("## Indicator\n\n{picture}{}\n", line(&curve.describe()))
}

pub(super) fn factors(incident: &Incident, viewer: Viewer) -> String {
    let mut items = Vec::new();
    if let Some(truth) = incident.truth_for(viewer) {
        let since = truth.since.format(DATE_TIME);
        items.push(format!(
            "The fault {} on {} was active from {since}.",
            line(&truth.fault),
            line(&truth.service)
        ));
    }
    for hypothesis in &incident.hypotheses {
        let (verdict, why) = match &hypothesis.verdict {
            Verdict::Open => ("not decided", ""),
            Verdict::RuledOut { why } => ("ruled out", why.as_str()),
            Verdict::Confirmed { why } => ("confirmed", why.as_str()),
        };
        let why = if why.is_empty() { String::new() } else { format!(": {}", line(why)) };
        items.push(format!("{} — {verdict}{why}", line(&hypothesis.text)));
    }
    let question = "*What made this possible, and what made it worse? Describe conditions, not people: what did everyone \
                    know at the time, and why did each step make sense then?*";
    format!("## Contributing factors\n\n{}\n{question}\n", list(&items, "*No hypothesis was written down.*"))
}

pub(super) fn lessons(incident: &Incident, measures: &Measures) -> String {
    let (mut well, mut badly) = (Vec::new(), Vec::new());
    match measures.acknowledge {
        Some(seconds) if incident.escalations == 0 => {
            well.push(format!("The first person who was paged took over within {}.", humane(seconds)));
        }
        Some(seconds) => badly.push(format!(
            "It took {} and {} escalations until somebody took over.",
            humane(seconds),
            incident.escalations
        )),
        None => badly.push("Nobody acknowledged it.".to_owned()),
    }
    if incident.reopened > 0 {
        badly.push(format!("It was resolved too early and came back {} times.", incident.reopened));
    }
    if incident.previous.is_some() {
        badly.push("It had happened before.".to_owned());
    }
    if incident.alerts.is_empty() {
        badly.push("No alert told us.".to_owned());
    }
    format!(
        "## What went well\n\n{}\n## What went badly\n\n{}\n## Where we were lucky\n\n*What could have made this much \
         worse, and did not happen by chance?*\n",
        list(&well, "*What should we keep doing?*"),
        list(&badly, "*What should we change?*")
    )
}

pub(super) fn action_items(incident: &Incident) -> String {
    let mut text = "## Action items\n\n| | what | owner | due | done |\n|---|---|---|---|---|\n".to_owned();
    let items: Vec<&Task> = incident.tasks.iter().filter(|task| task.follow_up).collect();
    for task in &items {
        let owner = task.owner.as_deref().map_or_else(|| "*nobody yet*".to_owned(), line);
        let due = task.due.map_or_else(|| "*no date yet*".to_owned(), |due| due.to_string());
        let done = task.done_at.map_or_else(String::new, |at| at.date_naive().to_string());
        text.push_str(&format!("| {} | {} | {owner} | {due} | {done} |\n", task.id, line(&task.text)));
    }
    if items.is_empty() {
        text.push_str("| | *What would have prevented it, shortened it, or told us sooner?* | | | |\n");
    }
    let links: Vec<String> = incident.links.iter().map(|known| link(&known.title, &known.url)).collect();
    if !links.is_empty() {
        text.push_str(&format!("\n## Links\n\n{}", list(&links, "")));
    }
    text
}
