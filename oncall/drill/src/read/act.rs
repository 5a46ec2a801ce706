//! Actions and the steps of a solution.

use serde_saphyr::Spanned;

use super::{LONGEST, Reader, SECOND, raw, values};
use crate::{
    Act,
    model::{Check, Step},
};

/// An action: exactly one field is set.
pub(super) fn act(reader: &mut Reader, raw: &Spanned<raw::Act>, field: &str) -> Option<Act> {
    let raw::Act {
        restart,
        rollback,
        protect,
        end_sessions,
        flush_cache,
        remove_files,
        redrive,
        scale,
        load,
        silence,
    } = &raw.value;
    let set = [
        restart.is_some(),
        rollback.is_some(),
        protect.is_some(),
        end_sessions.is_some(),
        flush_cache.is_some(),
        remove_files.is_some(),
        redrive.is_some(),
        scale.is_some(),
        load.is_some(),
        silence.is_some(),
    ];
    if set.iter().filter(|set| **set).count() != 1 {
        let message = "expected exactly one of restart, rollback, protect, end_sessions, flush_cache, remove_files, \
                       redrive, scale, load and silence";
        reader.wrong(raw, field, message);
        return None;
    }
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
    if let Some(alert) = silence {
        return reader.line(alert, &at("silence")).map(|alert| Act::Silence { alert });
    }
    if let Some(rps) = load {
        let rps = reader.take(rps, &at("load"), values::number(rps.value, 1, 2000));
        return rps.map(|rps| Act::Load { rps });
    }
    if let Some(flush) = flush_cache {
        let yes = if flush.value { Ok(Act::FlushCache) } else { Err("expected true".to_owned()) };
        return reader.take(flush, &at("flush_cache"), yes);
    }
    rest(reader, protect.as_ref(), scale.as_ref(), field)
}

fn rest(
    reader: &mut Reader,
    protect: Option<&Spanned<raw::Protect>>,
    scale: Option<&Spanned<raw::Scale>>,
    field: &str,
) -> Option<Act> {
    if let Some(raw) = protect {
        let service = reader.name(&raw.value.service, &format!("{field}.protect.service"));
        let protection = reader.name(&raw.value.protection, &format!("{field}.protect.protection"));
        return Some(Act::Protect { service: service?, protection: protection?, on: raw.value.enabled });
    }
    let raw = scale?;
    let service = reader.name(&raw.value.service, &format!("{field}.scale.service"));
    Some(Act::Scale { service: service?, replicas: raw.value.replicas })
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
