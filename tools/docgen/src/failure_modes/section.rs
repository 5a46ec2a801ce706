//! One failure mode: a row of the index, and its section.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use drill::{Act, Drill, model::FaultKind};

use super::Entry;

/// Seconds, by the name of an alert or a signal.
type Times = BTreeMap<String, f64>;

/// What detects it: kind, Markdown, name under which it is measured, and the stated time.
struct Detector<'d> {
    kind: &'static str,
    text: String,
    name: &'d str,
    within: Duration,
}

fn detectors(drill: &Drill) -> Vec<Detector<'_>> {
    let pages = drill.pages.expected.iter().map(|page| Detector {
        kind: "page",
        text: format!("[{0}](../runbooks/{0}.md) of {1}", page.alert, page.service),
        name: &page.alert,
        within: page.within,
    });
    let signals = drill.signals.iter().map(|signal| Detector {
        kind: "signal",
        text: signal.name.replace('-', " "),
        name: &signal.name,
        within: signal.within,
    });
    pages.chain(signals).collect()
}

/// The row in the index: the first page, or the first signal.
pub(super) fn row(page: &mut String, place: &str, drill: &Drill, measured: Option<&Times>) {
    let link = format!("[{}](#{}-{})", drill.tags.mechanism, drill.tags.mechanism, drill.id);
    let detectors = detectors(drill);
    let Some(first) = detectors.first() else {
        let _ = writeln!(page, "| {place} | {link} | - | - | - |");
        return;
    };
    let (text, within) = (&first.text, seconds(first.within));
    let _ = writeln!(page, "| {place} | {link} | {text} | {within} | {} |", time(measured, first.name));
}

/// The section.
pub(super) fn section(page: &mut String, drill: &Drill, entries: &[&Entry], measured: Option<&Times>) {
    let (mechanism, id, difficulty) = (&drill.tags.mechanism, &drill.id, drill.difficulty);
    let _ = write!(page, "\n### {mechanism}: {id}\n\n");
    let _ = writeln!(page, "“{}” ([{id}](../drills/{id}.yaml), {difficulty}).\n", drill.title);
    let _ = writeln!(page, "- **Cause.** {}", cause(drill));
    let _ = writeln!(page, "- **Effect.** {}", effect(drill));
    mitigations(page, drill);
    let texts = |of: fn(&Entry) -> &str| entries.iter().map(|entry| line(of(entry))).collect::<Vec<_>>();
    let mut protection = texts(|entry| &entry.protection);
    if !drill.weakened.is_empty() {
        let off: Vec<String> =
            drill.weakened.iter().map(|one| format!("`{}` of {}", one.protection, one.target())).collect();
        protection.push(format!("Off in this drill: {}.", off.join(", ")));
    }
    let _ = writeln!(page, "- **Protection.** {}", protection.join(" "));
    let _ = writeln!(page, "- **Residual risk.** {}", texts(|entry| &entry.residual).join(" "));
    let detectors = detectors(drill);
    if !detectors.is_empty() {
        page.push_str("\n| detection | by | stated | measured |\n|---|---|---|---|\n");
    }
    for Detector { kind, text, name, within } in detectors {
        let _ = writeln!(page, "| {kind} | {text} | {} | {} |", seconds(within), time(measured, name));
    }
}

fn cause(drill: &Drill) -> String {
    let mut parts: Vec<String> = Vec::new();
    for fault in &drill.faults {
        let parameters: Vec<String> =
            fault.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let parameters =
            if parameters.is_empty() { String::new() } else { format!(" ({})", parameters.join(", ")) };
        let after = if fault.after.is_zero() {
            String::new()
        } else {
            format!(", {} after the begin", seconds(fault.after))
        };
        let lasts = fault.lasts.map(|lasts| format!(", for {}", seconds(lasts))).unwrap_or_default();
        let again = if fault.survives_restart { "; a restart does not end it" } else { "" };
        let (name, target) = (&fault.fault, fault.target());
        let what = match fault.kind {
            FaultKind::Point => format!("[`{name}`](faults.md#{name}) in {target}"),
            FaultKind::Part => format!("{target} is killed and stays stopped"),
            FaultKind::Script => {
                format!("The script [`{name}`](drills.md#scripts) is run, which changes {target}")
            }
            FaultKind::Rule => {
                format!("The rule [`{name}`](../waf/incidents/{name}.yaml) pushed to {target}")
            }
        };
        parts.push(format!("{what}{parameters}{after}{lasts}{again}."));
    }
    parts.extend(waves(drill));
    if parts.is_empty() {
        parts.push("Nothing is broken.".to_owned());
    }
    parts.extend(drill.changes.iter().map(|change| {
        let text = line(&change.text);
        let end = if text.ends_with('.') { "" } else { "." };
        format!("A change of kind {} comes with it: {text}{end}", change.kind)
    }));
    parts.join(" ")
}

/// What callers send until a response ends it.
fn waves(drill: &Drill) -> Vec<String> {
    let lasting = || drill.load.surges.iter().filter(|surge| surge.lasting);
    let mut told = BTreeSet::new();
    let mut waves = Vec::new();
    for surge in lasting() {
        if told.insert(&surge.name) {
            let often = lasting().filter(|other| other.name == surge.name).count();
            let again = if often > 1 {
                format!(", {} at a time, again and again", seconds(surge.lasts))
            } else {
                String::new()
            };
            let (rps, after, usual) = (surge.rps, seconds(surge.after), drill.load.rps);
            waves.push(format!(
                "Callers send {rps} requests per second instead of {usual}, {after} after the begin{again}; only a \
                 response ends it."
            ));
        }
    }
    waves
}

/// The causal path: which metric of whom deviates, and when at the latest.
fn effect(drill: &Drill) -> String {
    if drill.path.is_empty() {
        return "No metric deviates from what it is at other times.".to_owned();
    }
    let nodes = drill.path.iter().map(|node| {
        let from = node.from.as_ref().map(|from| format!(", because of {}", from.replace('-', " ")));
        let name = node.name.replace('-', " ");
        let (metric, service, within) = (&node.metric, &node.service, seconds(node.within));
        format!("{name}: `{metric}` of {service} within {within}{}", from.unwrap_or_default())
    });
    format!("{}.", nodes.collect::<Vec<_>>().join("; "))
}

fn mitigations(page: &mut String, drill: &Drill) {
    let of = &drill.mitigations;
    let accepted = of.accepted.iter().map(|one| (&one.act, &one.why));
    list(page, "Mitigation", accepted.collect(), "None is needed.");
    list(page, "Does not help", of.wrong.iter().map(|one| (&one.act, &one.why)).collect(), "");
    list(page, "Harms", of.harmful.iter().map(|one| (&one.act, &one.why)).collect(), "");
}

fn list(page: &mut String, title: &str, acts: Vec<(&Act, &String)>, none: &str) {
    let texts: Vec<String> = acts
        .into_iter()
        .map(|(act, why)| {
            let why = line(why);
            let end = if why.ends_with('.') { "" } else { "." };
            format!("{act}: {why}{end}")
        })
        .collect();
    let text = if texts.is_empty() { none.to_owned() } else { texts.join(" ") };
    if !text.is_empty() {
        let _ = writeln!(page, "- **{title}.** {text}");
    }
}

fn time(measured: Option<&Times>, name: &str) -> String {
    let found = measured.and_then(|times| times.get(name));
    found.map_or_else(|| "-".to_owned(), |time| format!("{time:.1} s"))
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// A text of several lines as one.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
