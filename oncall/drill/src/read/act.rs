//! Actions and the steps of a solution.

use serde_saphyr::Spanned;

use super::{LONGEST, Reader, SECOND, Values as _, raw};
use crate::{
    Act,
    model::{Check, Step},
};

/// An action: exactly one field is set.
pub(super) fn act(reader: &mut Reader, raw: &Spanned<raw::Act>, field: &str) -> Option<Act> {
    if given(&raw.value) != 1 {
        let message = "expected exactly one of restart, rollback, protect, end_sessions, flush_cache, remove_files, \
                       redrive, scale, load, silence, rule, firewall, limit, start, restore, failover and refused";
        reader.wrong(raw, field, message);
        return None;
    }
    let raw::Act { restart, rollback, protect, end_sessions, flush_cache, remove_files, redrive, .. } =
        &raw.value;
    let raw::Act { scale, load, silence, rule, firewall, limit, start, restore, failover, refused, .. } =
        &raw.value;
    let at = |name: &str| format!("{field}.{name}");
    if let Some(service) = restart {
        return reader.name(service, &at("restart")).map(|service| Act::Restart { service });
    }
    if let Some(change) = rollback {
        return reader.name(change, &at("rollback")).map(|change| Act::Rollback { change });
    }
    if let Some(database) = end_sessions {
        return reader.name(database, &at("end_sessions")).map(|database| Act::EndSessions { database });
    }
    if let Some(service) = remove_files {
        return reader.name(service, &at("remove_files")).map(|service| Act::RemoveFiles { service });
    }
    if let Some(service) = redrive {
        return reader.name(service, &at("redrive")).map(|service| Act::Redrive { service });
    }
    if let Some(part) = start {
        return reader.name(part, &at("start")).map(|part| Act::Start { part });
    }
    if let Some(alert) = silence {
        return reader.line(alert, &at("silence")).map(|alert| Act::Silence { alert });
    }
    if let Some(rps) = load {
        let rps = reader.take(rps, &at("load"), yaml::within(rps.value, 1, 2000));
        return rps.map(|rps| Act::Load { rps });
    }
    for (given, name, act) in [
        (flush_cache, "flush_cache", Act::FlushCache),
        (restore, "restore", Act::Restore),
        (failover, "failover", Act::Failover),
    ] {
        if let Some(given) = given {
            let yes = if given.value { Ok(act) } else { Err("expected true".to_owned()) };
            return reader.take(given, &at(name), yes);
        }
    }
    if let Some(what) = refused {
        return reader.take(what, &at("refused"), what.value.read()).map(|what| Act::Refused { what });
    }
    if let Some(raw) = protect {
        return self::protect(reader, &raw.value, field);
    }
    if let Some(raw) = scale {
        let service = reader.name(&raw.value.service, &at("scale.service"));
        return Some(Act::Scale { service: service?, replicas: raw.value.replicas });
    }
    of_edge(reader, (rule.as_ref(), firewall.as_ref(), limit.as_ref()), field)
}

/// How many fields are set.
fn given(raw: &raw::Act) -> usize {
    let set = [
        raw.restart.is_some(),
        raw.rollback.is_some(),
        raw.protect.is_some(),
        raw.end_sessions.is_some(),
        raw.flush_cache.is_some(),
        raw.remove_files.is_some(),
        raw.redrive.is_some(),
        raw.scale.is_some(),
        raw.load.is_some(),
        raw.silence.is_some(),
        raw.rule.is_some(),
        raw.firewall.is_some(),
        raw.limit.is_some(),
        raw.start.is_some(),
        raw.restore.is_some(),
        raw.failover.is_some(),
        raw.refused.is_some(),
    ];
    set.into_iter().filter(|set| *set).count()
}

fn protect(reader: &mut Reader, raw: &raw::Protect, field: &str) -> Option<Act> {
    let service = reader.name(&raw.service, &format!("{field}.protect.service"));
    let protection = reader.name(&raw.protection, &format!("{field}.protect.protection"));
    Some(Act::Protect { service: service?, protection: protection?, on: raw.enabled })
}

/// What is done at the edge.
type OfEdge<'r> =
    (Option<&'r Spanned<raw::Rule>>, Option<&'r Spanned<raw::Firewall>>, Option<&'r Spanned<raw::Limit>>);

fn of_edge(reader: &mut Reader, (rule, firewall, limit): OfEdge<'_>, field: &str) -> Option<Act> {
    if let Some(raw) = rule {
        let service = reader.name(&raw.value.service, &format!("{field}.rule.service"));
        let rule = reader.name(&raw.value.rule, &format!("{field}.rule.rule"));
        let to = reader.take(&raw.value.to, &format!("{field}.rule.to"), raw.value.to.value.read());
        return Some(Act::Rule { service: service?, rule: rule?, to: to? });
    }
    if let Some(raw) = firewall {
        let service = reader.name(&raw.value.service, &format!("{field}.firewall.service"));
        return Some(Act::Firewall { service: service?, on: raw.value.enabled });
    }
    let raw = limit?;
    let service = reader.name(&raw.value.service, &format!("{field}.limit.service"));
    let rps = match &raw.value.rps {
        None => Some(None),
        Some(rps) => {
            let rate = yaml::within(rps.value, 1, 2000);
            reader.take(rps, &format!("{field}.limit.rps"), rate).map(Some)
        }
    };
    Some(Act::Limit { service: service?, rps: rps? })
}

/// A step: one of act, wait, and until together with within.
pub(super) fn step(reader: &mut Reader, raw: &Spanned<raw::Step>, field: &str) -> Option<Step> {
    let raw::Step { act, wait, until, within } = &raw.value;
    match (act, wait, until, within) {
        (Some(act), None, None, None) => self::act(reader, act, &format!("{field}.act")).map(Step::Act),
        (None, Some(wait), None, None) => {
            reader.time(wait, &format!("{field}.wait"), SECOND, LONGEST).map(Step::Wait)
        }
        (None, None, Some(until), Some(within)) => {
            let query = reader.text(until, &format!("{field}.until"));
            let within = reader.time(within, &format!("{field}.within"), SECOND, LONGEST);
            let check = Check { name: "the solution waits for this".to_owned(), query: query? };
            Some(Step::Until { check, within: within? })
        }
        _ => {
            reader.wrong(raw, field, "expected one of `act`, `wait`, or `until` together with `within`");
            None
        }
    }
}
