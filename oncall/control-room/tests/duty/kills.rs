//! SIGKILL at any point of the work: nothing is lost, and nobody is notified twice for one step.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use control_room::duty::tend;
use incident::{Incident, Severity};
use proptest::prelude::*;
use rota::Escalation;

use crate::support::{Place, ROTA, after, deliveries, open, paged, phone, steps};

/// Polls a future only so often, and drops it: what SIGKILL leaves of it.
pub(crate) async fn killed<T>(polls: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Every life has its own runtime, so nothing of a killed one keeps running.
pub(crate) fn life<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run)
}

/// The steps that are due in all, by the pure state machine.
fn due(incident: &Incident, seconds: i64) -> Vec<String> {
    let rota = rota::read("oncall.yaml", ROTA).expect("a sound file");
    let policy = rota.policy(2).expect("a policy").clone();
    let escalation = Escalation::new(policy, incident.opened_at, incident.id.0, 60);
    let mut steps: Vec<String> =
        escalation.due(after(incident, seconds)).iter().map(|due| due.step.to_string()).collect();
    steps.sort();
    steps
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nobody_is_notified_twice_whatever_is_killed(
        lives in prop::collection::vec((0_i64..40, 0_u32..150), 1..8),
    ) {
        let place = Place::new(ROTA);
        let incident = life(async { open(&place.room().await, Severity::Sev2).await });
        let mut now = 0;
        for (pause, polls) in lives {
            now += pause;
            life(async {
                let room = place.room().await;
                killed(polls, tend(&room, incident.id, after(&incident, now))).await;
            });
        }
        let (steps, phone, paged, deliveries) = life(async {
            let room = place.room().await;
            tend(&room, incident.id, after(&incident, now)).await.unwrap();
            let id = incident.id;
            (steps(&room).await, phone(&room).await, paged(&room, id).await, deliveries(&room).await)
        });
        prop_assert_eq!(&steps, &due(&incident, now), "nothing is lost, nothing is early");
        let expected: Vec<String> = steps
            .iter()
            .filter_map(|step| match &step[4..] {
                "0" => Some(format!("{step} ada")),
                "2" => Some(format!("{step} ben")),
                "5" => Some(format!("{step} fay")),
                _ => None,
            })
            .collect();
        prop_assert_eq!(&phone, &expected, "the phone rings once for each step");
        prop_assert_eq!(&paged, &expected, "and so says the journal");
        let expected: usize = steps
            .iter()
            .map(|step| match &step[4..] {
                "0" => 2,
                "2" | "3" => 1,
                _ => 0,
            })
            .sum();
        prop_assert_eq!(deliveries.len(), expected, "one delivery for each contact point: {:?}", deliveries);
    }
}
