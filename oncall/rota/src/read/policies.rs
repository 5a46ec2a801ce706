//! Escalation policies: what their steps mean, and whether they can end in silence.

use std::time::Duration;

use serde_saphyr::Spanned;

use super::{Reader, Values as _, parts, raw, values};
use crate::{Policy, Step, Target, Zone};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// As in other systems: a person who has not reacted after six rounds is reached in another way.
const MOST_REPEATS: u32 = 5;

/// Names that steps may use.
pub(super) struct Names {
    pub(super) people: Vec<String>,
    pub(super) schedules: Vec<String>,
    pub(super) webhooks: Vec<String>,
}

pub(super) fn policies(reader: &mut Reader, list: &[Spanned<raw::Policy>], names: &Names) -> Vec<Policy> {
    let (mut policies, mut before) = (Vec::<Policy>::new(), Vec::new());
    for (index, raw) in reader.list("policies", list).iter().enumerate() {
        let field = format!("policies[{index}]");
        let name = reader.name(&raw.value.name, &format!("{field}.name"), &mut before);
        let policy = policy(reader, &raw.value, &field, names);
        let Some((name, policy)) = name.zip(policy) else { continue };
        let taken = |severity: u8| policies.iter().any(|other| other.severities.contains(&severity));
        if let Some(severity) = policy.severities.iter().copied().find(|severity| taken(*severity)) {
            let message =
                format!("another policy is for SEV-{severity}: expected one policy for each severity");
            reader.wrong(raw, &format!("{field}.severities"), message);
        }
        if policy.severities.is_empty() && policies.iter().any(|other| other.severities.is_empty()) {
            let message = "missing: only one policy may be for all severities that no other policy names";
            reader.wrong(raw, &format!("{field}.severities"), message);
        }
        policies.push(Policy { name, ..policy });
    }
    policies
}

/// Everything but the name.
fn policy(reader: &mut Reader, raw: &raw::Policy, field: &str, names: &Names) -> Option<Policy> {
    let at = |name: &str| format!("{field}.{name}");
    let mut severities = Vec::new();
    for (index, text) in reader.list(&at("severities"), &raw.severities).iter().enumerate() {
        let severity = values::severity(&text.value);
        severities.extend(reader.take(text, &at(&format!("severities[{index}]")), severity));
    }
    let repeat = match &raw.repeat {
        None => Some(0),
        Some(repeat) => reader.take(repeat, &at("repeat"), yaml::within(repeat.value, 0, MOST_REPEATS)),
    };
    let ack_expires = match &raw.ack_expires {
        None => Some(None),
        Some(text) => {
            let expires = values::duration(&text.value, MINUTE);
            reader.take(text, &at("ack_expires"), expires).map(Some)
        }
    };
    let mut steps = Vec::new();
    for (index, raw) in reader.list(&at("steps"), &raw.steps.value).iter().enumerate() {
        steps.push(step(reader, raw, &at(&format!("steps[{index}]")), names));
    }
    let steps = steps.into_iter().collect::<Option<Vec<_>>>()?;
    if !steps.iter().any(|step| matches!(step, Step::Notify(_))) {
        reader.wrong(&raw.steps, &at("steps"), "expected at least one step that notifies somebody");
    }
    let waits = steps.iter().map(|step| if let Step::Wait(time) = step { *time } else { Duration::ZERO });
    if repeat.is_some_and(|repeat| repeat > 0) && waits.sum::<Duration>() < MINUTE {
        let message = "repeats without a pause: expected steps that wait for at least 1m in all";
        reader.wrong(&raw.steps, &at("steps"), message);
    }
    Some(Policy { name: String::new(), severities, steps, repeat: repeat?, ack_expires: ack_expires? })
}

fn step(reader: &mut Reader, raw: &Spanned<raw::Step>, field: &str, names: &Names) -> Option<Step> {
    let at = |name: &str| format!("{field}.{name}");
    let raw::Step {
        wait,
        notify_person,
        notify_schedule,
        notify_round_robin,
        only_during,
        only_after,
        webhook,
    } = &raw.value;
    let set = [
        wait.is_some(),
        notify_person.is_some(),
        notify_schedule.is_some(),
        notify_round_robin.is_some(),
        only_during.is_some(),
        only_after.is_some(),
        webhook.is_some(),
    ];
    if set.iter().filter(|set| **set).count() != 1 {
        let message = "expected exactly one of wait, notify_person, notify_schedule, notify_round_robin, only_during, \
                       only_after and webhook";
        reader.wrong(raw, field, message);
        return None;
    }
    if let Some(text) = wait {
        let wait = values::duration(&text.value, SECOND);
        return reader.take(text, &at("wait"), wait).map(Step::Wait);
    }
    if let Some(name) = webhook {
        return reader.known(name, &at("webhook"), "webhooks", names.webhooks.iter()).map(Step::Webhook);
    }
    if let Some(gate) = only_during {
        return during(reader, &gate.value, &at("only_during"));
    }
    if let Some(threshold) = only_after {
        return after(reader, &threshold.value, &at("only_after"));
    }
    let target = if let Some(name) = notify_person {
        reader.known(name, &at("notify_person"), "people", names.people.iter()).map(Target::Person)
    } else if let Some(name) = notify_schedule {
        reader.known(name, &at("notify_schedule"), "schedules", names.schedules.iter()).map(Target::Schedule)
    } else {
        let people = notify_round_robin.as_ref()?;
        round_robin(reader, people, &at("notify_round_robin"), names)
    };
    target.map(Step::Notify)
}

fn round_robin(
    reader: &mut Reader,
    raw: &Spanned<Vec<raw::Text>>,
    field: &str,
    names: &Names,
) -> Option<Target> {
    if raw.value.is_empty() {
        reader.wrong(raw, field, "empty: expected at least one person");
        return None;
    }
    let mut people = Vec::new();
    for (index, name) in reader.list(field, &raw.value).iter().enumerate() {
        people.push(reader.known(name, &format!("{field}[{index}]"), "people", names.people.iter()));
    }
    people.into_iter().collect::<Option<Vec<_>>>().map(Target::RoundRobin)
}

fn during(reader: &mut Reader, raw: &raw::Gate, field: &str) -> Option<Step> {
    let zone = reader.take(&raw.zone, &format!("{field}.zone"), Zone::named(&raw.zone.value))?;
    parts::windows(reader, &raw.windows, &format!("{field}.windows"), &zone).map(Step::OnlyDuring)
}

fn after(reader: &mut Reader, raw: &raw::Threshold, field: &str) -> Option<Step> {
    let count = yaml::within(raw.alerts.value, 2, 1000);
    let count = reader.take(&raw.alerts, &format!("{field}.alerts"), count);
    let within = values::duration(&raw.within.value, SECOND);
    let within = reader.take(&raw.within, &format!("{field}.within"), within);
    Some(Step::OnlyAfter { count: count?, within: within? })
}
