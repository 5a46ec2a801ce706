//! Verbs of runbooks as actions of the switchboard: the one port through which the system is changed.

use runbook::{Change, Verb};
use serde_json::Value;
use switchboard::Action;

use super::{named, of};
use crate::{
    actions::{elsewhere, token},
    error::{Error, Result},
    room::Room,
};

/// The action that a change is.
pub(super) async fn action(room: &Room, change: &Change) -> Result<Action> {
    let get = |name: &str| change.with.get(name).cloned().unwrap_or_default();
    let optional = |name: &str| change.with.get(name).cloned();
    let (service, most) = (get("service"), change.blast_radius.most);
    Ok(match change.verb {
        Verb::Restart => Action::Restart { target: replica(room, &service, optional("instance"))? },
        Verb::Drain => {
            let target = replica(room, &service, optional("instance"))?;
            Action::Drain { target, ttl: get("ttl") }
        }
        Verb::Undrain => Action::Undrain { target: Some(replica(room, &service, optional("instance"))?) },
        Verb::Restore => Action::Restore { instance: get("instance"), to: get("to") },
        Verb::Scale => {
            let replicas = scaled(room, &service, &get("by")).await?;
            Action::Scale { target: service, replicas }
        }
        Verb::Protection => Action::SetProtection {
            target: service,
            name: get("name"),
            enabled: get("enabled") == "true",
            ttl: optional("ttl"),
        },
        Verb::EndSessions => Action::EndSessions {
            database: get("database"),
            // The same words on both sides.
            state: serde_json::from_value(Value::from(get("state")))?,
            older_than: get("older_than"),
            application: optional("application"),
            most,
        },
        Verb::PurgeKeys => {
            Action::PurgeKeys { pattern: get("pattern"), ttl_over: optional("ttl_over"), most }
        }
        Verb::Redrive => Action::Redrive { target: service, most },
        Verb::RemoveFiles => Action::RemoveFiles { target: service },
        Verb::Rollback => Action::Rollback { change: get("change") },
        Verb::Silence => {
            Action::Silence { alert: get("alert"), service: optional("service"), ttl: get("ttl") }
        }
        // The same words on both sides.
        Verb::SetRule => {
            let mode = serde_json::from_value(Value::from(get("mode")))?;
            Action::SetRule { target: service, rule: get("rule"), mode }
        }
        Verb::RestoreRule => Action::RestoreRule { target: service, rule: optional("rule") },
        Verb::SwitchFirewall => Action::SwitchFirewall { target: service, enabled: get("enabled") == "true" },
        Verb::ExpireSilence => Action::ExpireSilence { alert: get("alert"), service: optional("service") },
    })
}

/// One replica: the named one, or the only one. The first of several is called by its number: without it, all are meant.
fn replica(room: &Room, service: &str, instance: Option<String>) -> Result<String> {
    let known = of(&room.eyes.admins, service);
    let names = || known.iter().map(|admin| admin.instance.name.as_str()).collect::<Vec<_>>().join(", ");
    match (instance, known.as_slice()) {
        (Some(instance), _) => {
            let found = known.iter().find(|admin| named(admin, &instance));
            let missing = || Error::NoSuch { what: "replica", name: instance.clone(), known: names() };
            let name = &found.ok_or_else(missing)?.instance.name;
            let of_all = known.len() > 1 && name == service;
            Ok(if of_all { format!("{name}-1") } else { name.clone() })
        }
        (None, [only]) => Ok(only.instance.name.clone()),
        (None, []) => {
            let known = room.eyes.services().join(", ");
            Err(Error::NoSuch { what: "service", name: service.to_owned(), known })
        }
        (None, _) => {
            let expected = format!("{service} has several replicas, expected one of {}", names());
            Err(Error::field("instance", expected))
        }
    }
}

/// How many replicas there will be; at least one stays.
async fn scaled(room: &Room, service: &str, by: &str) -> Result<u32> {
    let now = room.eyes.place.replicas(Some(service), token(room)).await.map_err(elsewhere)?.len();
    let by: i64 = by.parse().map_err(|_| Error::field("by", format!("expected a number, found `{by}`")))?;
    let then = i64::try_from(now).unwrap_or(i64::MAX).saturating_add(by).max(1);
    Ok(u32::try_from(then).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::Parser as _;
    use runbook::reach::BlastRadius;

    use super::*;
    use crate::{SERVICE, assemble, config::RoomConfig};

    async fn room() -> Room {
        let instances = "--instances=order-api=http://127.0.0.1:9101,\
                         order-api-2@order-api=http://127.0.0.1:9131,user-service=http://127.0.0.1:9102";
        let config = RoomConfig::parse_from(["control-room", instances]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        assemble(&config, chassis).await.unwrap()
    }

    fn change(verb: Verb, with: &[(&str, &str)], most: Option<u32>) -> Change {
        let with = with.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Change {
            verb,
            with: with.collect::<BTreeMap<_, _>>(),
            blast_radius: BlastRadius { most, unit: verb.unit() },
            key: "RUN-1/act".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_replica_is_named_by_its_address_and_never_chosen_by_chance() {
        let room = room().await;
        let restart = async |with: &[(&str, &str)]| {
            let change = change(Verb::Restart, with, Some(1));
            action(&room, &change).await
        };
        let second = restart(&[("service", "order-api"), ("instance", "127.0.0.1:9131")]).await.unwrap();
        assert_eq!(second, Action::Restart { target: "order-api-2".to_owned() });
        let first = restart(&[("service", "order-api"), ("instance", "127.0.0.1:9101")]).await.unwrap();
        assert_eq!(first, Action::Restart { target: "order-api-1".to_owned() }, "and not all of them");
        let only = restart(&[("service", "user-service")]).await.unwrap();
        assert_eq!(only, Action::Restart { target: "user-service".to_owned() });
        for (with, said) in [
            (&[("service", "order-api")][..], "expected one of order-api, order-api-2"),
            (&[("service", "order-api"), ("instance", "10.0.0.1:1")][..], "there is no replica `10.0.0.1:1`"),
            (&[("service", "nothing")][..], "there is no service `nothing`"),
        ] {
            let refused = restart(with).await.unwrap_err().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[tokio::test]
    async fn every_verb_is_an_action_that_stops_where_the_runbook_says() {
        let room = room().await;
        let sessions = [("database", "orders"), ("state", "idle-in-transaction"), ("older_than", "10s")];
        let ended = action(&room, &change(Verb::EndSessions, &sessions, Some(10))).await.unwrap();
        let Action::EndSessions { most, older_than, application, .. } = &ended else { panic!("{ended:?}") };
        assert_eq!((*most, older_than.as_str(), application), (Some(10), "10s", &None));
        let off = [("service", "order-api"), ("name", "timeout"), ("enabled", "false"), ("ttl", "5m")];
        let off = action(&room, &change(Verb::Protection, &off, None)).await.unwrap();
        let expected = Action::SetProtection {
            target: "order-api".to_owned(),
            name: "timeout".to_owned(),
            enabled: false,
            ttl: Some("5m".to_owned()),
        };
        assert_eq!(off, expected);
        let drain = [("service", "order-api"), ("instance", "127.0.0.1:9131"), ("ttl", "10m")];
        let drain = action(&room, &change(Verb::Drain, &drain, Some(1))).await.unwrap();
        let (target, ttl) = ("order-api-2".to_owned(), "10m".to_owned());
        assert_eq!(drain, Action::Drain { target, ttl });
        assert_eq!(drain.undo(), Some(Action::Undrain { target: Some("order-api-2".to_owned()) }));
        let restore = [("instance", "a/.lab"), ("to", "latest")];
        let restore = action(&room, &change(Verb::Restore, &restore, None)).await.unwrap();
        let (instance, to) = ("a/.lab".to_owned(), "latest".to_owned());
        assert_eq!(restore, Action::Restore { instance, to });
        let off = [("service", "edge"), ("rule", "scanners"), ("mode", "off")];
        let off = action(&room, &change(Verb::SetRule, &off, None)).await.unwrap();
        let (target, rule) = ("edge".to_owned(), "scanners".to_owned());
        assert_eq!(off, Action::SetRule { target, rule, mode: switchboard::RuleMode::Off });
        let kill = [("service", "edge"), ("enabled", "false")];
        let kill = action(&room, &change(Verb::SwitchFirewall, &kill, None)).await.unwrap();
        assert_eq!(kill, Action::SwitchFirewall { target: "edge".to_owned(), enabled: false });
        for (by, replicas) in [("1", 3), ("-3", 1)] {
            let with = [("service", "order-api"), ("by", by)];
            let scaled = action(&room, &change(Verb::Scale, &with, Some(3))).await.unwrap();
            assert_eq!(scaled, Action::Scale { target: "order-api".to_owned(), replicas });
        }
    }
}
