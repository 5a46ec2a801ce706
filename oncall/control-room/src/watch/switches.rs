//! What the admin ports say, every second: who is ready, which protections are off, and which faults are active. The last
//! is for instructors, and is sealed in incidents.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use switchboard::{FaultPoint, Plan, Protection};
use tokio::time::{MissedTickBehavior, interval};

use super::{FaultSeen, InstanceSeen, ProtectionSeen, note_failure, publish, truth::Truths};
use crate::{
    eyes::{Admin, Readiness},
    room::Room,
};

/// As often as a person notices.
const PERIOD: Duration = Duration::from_secs(1);

/// What one admin port says.
struct Said<'a> {
    admin: &'a Admin,
    readiness: Readiness,
    faults: Vec<FaultPoint>,
    unprotected: Vec<Protection>,
}

/// Asks until the end.
pub(super) async fn run(room: Room) {
    let mut truths = Truths::default();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let said = join_all(room.eyes.admins.iter().map(ask)).await;
        let faults: Vec<FaultSeen> = said.iter().flat_map(faults).collect();
        let off: Vec<ProtectionSeen> = said.iter().flat_map(protections).collect();
        let ready: BTreeMap<&str, &Readiness> =
            said.iter().map(|said| (said.admin.instance.name.as_str(), &said.readiness)).collect();
        publish(&room, |seen| {
            seen.faults.clone_from(&faults);
            seen.protections_off = off;
            for instance in seen.services.iter_mut().flat_map(|service| &mut service.instances) {
                if let Some(readiness) = ready.get(instance.name.as_str()) {
                    judge(instance, readiness);
                }
            }
        });
        note_failure("what is sealed", truths.seal(&room, &faults, Utc::now()).await);
    }
}

async fn ask(admin: &Admin) -> Said<'_> {
    let (readiness, faults, unprotected) =
        tokio::join!(admin.readiness(), admin.faults(), admin.unprotected());
    Said { admin, readiness, faults, unprotected }
}

fn judge(instance: &mut InstanceSeen, readiness: &Readiness) {
    let (up, reason) = match readiness {
        Readiness::Ready => (true, None),
        Readiness::NotReady(why) => (true, Some(why.clone())),
        Readiness::Gone(why) => (false, Some(why.clone())),
    };
    (instance.ready, instance.up) = (Some(reason.is_none()), up);
    instance.reason = reason;
}

fn faults(said: &Said<'_>) -> impl Iterator<Item = FaultSeen> {
    let instance = &said.admin.instance;
    said.faults.iter().filter_map(move |point| {
        let plan = point.active.as_ref()?;
        Some(FaultSeen {
            instance: instance.name.clone(),
            service: instance.service.clone(),
            fault: point.name.clone(),
            rate: plan.rate.clone(),
            since: since(plan),
            expires_at: plan.expires_at.clone(),
        })
    })
}

fn since(plan: &Plan) -> Option<DateTime<Utc>> {
    let text = plan.rest.get("since")?.as_str()?;
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc))
}

fn protections(said: &Said<'_>) -> impl Iterator<Item = ProtectionSeen> {
    let instance = &said.admin.instance;
    said.unprotected.iter().map(move |protection| ProtectionSeen {
        instance: instance.name.clone(),
        service: instance.service.clone(),
        name: protection.name.clone(),
        seconds_left: protection.seconds_left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_that_answers_without_being_ready_is_up_and_says_why() {
        let mut instance = InstanceSeen::default();
        judge(&mut instance, &Readiness::NotReady("postgres: refused".to_owned()));
        let expected = (Some(false), true, Some("postgres: refused".to_owned()));
        assert_eq!((instance.ready, instance.up, instance.reason.clone()), expected);
        judge(&mut instance, &Readiness::Ready);
        assert_eq!((instance.ready, instance.up, instance.reason), (Some(true), true, None));
    }

    #[test]
    fn a_plan_says_since_when_it_is_active() {
        let plan = serde_json::json!({ "rate": 0.5, "since": "2026-06-01T12:00:00.250Z", "baseline": false });
        let plan: Plan = serde_json::from_value(plan).unwrap();
        assert_eq!(since(&plan), Some("2026-06-01T12:00:00.250Z".parse().unwrap()));
    }
}
