//! Guardrails: rules, limits, breaker and quiet hours.

use std::{collections::BTreeMap, time::Duration};

use chrono::NaiveTime;
use rota::{Windows, Zone, windows::Window};
use serde_saphyr::Spanned;

use super::{Reader, Values as _, raw};
use crate::{
    Verb,
    guardrails::{Breaker, Guardrails, Limit, Rule, Then},
    parameter::Kind,
};

const MINUTE: Duration = Duration::from_secs(60);

/// The rules of a list. What has a problem is left out, and the file will be refused.
pub(super) fn rules(reader: &mut Reader<'_>, list: &[Spanned<raw::Rule>]) -> Vec<Rule> {
    let (mut rules, mut before) = (Vec::new(), Vec::new());
    for (index, raw) in reader.list("rules", list).iter().enumerate() {
        let field = format!("rules[{index}]");
        let name = reader.name(&raw.value.name, &format!("{field}.name"), &mut before);
        let rule = rule(reader, raw, &field);
        rules.extend(name.zip(rule).map(|(name, rule)| Rule { name, ..rule }));
    }
    rules
}

pub(super) fn guardrails(reader: &mut Reader<'_>, raw: &raw::Guardrails) -> Option<Guardrails> {
    let rules = rules(reader, &raw.rules);
    let per_target = limit(reader, &raw.limits.per_target, "limits.per_target");
    let global = limit(reader, &raw.limits.global, "limits.global");
    let mut minimum_healthy = BTreeMap::new();
    for (service, least) in &raw.minimum_healthy {
        let field = format!("minimum_healthy.{service}");
        minimum_healthy.extend(reader.number(least, &field, 0, 1000).map(|least| (service.clone(), least)));
    }
    let failed = &raw.breaker.failed_verifies;
    let failed_verifies = reader.number(failed, "breaker.failed_verifies", 1, 10);
    let within = reader.duration(&raw.breaker.within, "breaker.within", MINUTE);
    let quiet_hours = match &raw.quiet_hours {
        None => Some(None),
        Some(quiet) => self::quiet(reader, &quiet.value).map(Some),
    };
    let breaker = failed_verifies.zip(within);
    let breaker = breaker.map(|(failed_verifies, within)| Breaker { failed_verifies, within });
    Some(Guardrails {
        rules,
        per_target: per_target?,
        global: global?,
        minimum_healthy,
        breaker: breaker?,
        quiet_hours: quiet_hours?,
    })
}

/// Everything but the name.
fn rule(reader: &mut Reader<'_>, raw: &Spanned<raw::Rule>, field: &str) -> Option<Rule> {
    let at = |name: &str| format!("{field}.{name}");
    let why = reader.sentence(&raw.value.why, &at("why"));
    let then = &raw.value.then;
    let text = then.value.text();
    let decision = text.parse::<Then>().map_err(|_| format!("expected auto, ask or deny, found `{text}`"));
    let decision = reader.take(then, &at("then"), decision);
    let mut verbs = Vec::new();
    for (index, text) in raw.value.verbs.iter().enumerate() {
        let field = at(&format!("verbs[{index}]"));
        let Some(verb) = reader.take(text, &field, Verb::named(text.value.text())) else { continue };
        if verb.needs_approval() && decision == Some(Then::Auto) {
            let message =
                format!("`{verb}` always needs a second person: expected a rule with `then: ask` or `deny`");
            reader.wrong(text, &field, message);
        }
        verbs.push(verb);
    }
    let targets = words(reader, &raw.value.targets, &at("targets"));
    let runbooks = words(reader, &raw.value.runbooks, &at("runbooks"));
    let decision = decision?;
    if decision != Then::Deny && (raw.value.verbs.is_empty() || raw.value.targets.is_empty()) {
        let message = "expected `verbs` and `targets`: a permission names both what is done and to what";
        reader.wrong(raw, field, message);
        return None;
    }
    Some(Rule { name: String::new(), why: why?, then: decision, verbs, targets, runbooks })
}

fn words(reader: &mut Reader<'_>, list: &[raw::Text], field: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, text) in list.iter().enumerate() {
        let word = Kind::Word.check(&text.value).map(|()| text.value.clone());
        words.extend(reader.take(text, &format!("{field}[{index}]"), word));
    }
    words
}

fn limit(reader: &mut Reader<'_>, raw: &raw::Limit, field: &str) -> Option<Limit> {
    let most = reader.number(&raw.most, &format!("{field}.most"), 0, 1000);
    let within = reader.duration(&raw.within, &format!("{field}.within"), MINUTE);
    Some(Limit { most: most?, within: within? })
}

fn quiet(reader: &mut Reader<'_>, raw: &raw::Quiet) -> Option<Windows> {
    let zone = reader.take(&raw.zone, "quiet_hours.zone", Zone::named(&raw.zone.value));
    let mut time = |text: &raw::Text, name: &str| {
        let time = NaiveTime::parse_from_str(&text.value, "%H:%M");
        let time =
            time.map_err(|_| format!("expected hours and minutes such as \"22:00\", found `{}`", text.value));
        reader.take(text, &format!("quiet_hours.{name}"), time)
    };
    let (from, until) = (time(&raw.from, "from"), time(&raw.until, "until"));
    let window = Window { days: [true; 7], from: from?, until: until? };
    Some(Windows { zone: zone?, windows: vec![window] })
}
