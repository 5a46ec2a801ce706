//! PagerDuty and signed webhooks: at least once, with a key.

use clap::Parser as _;
use control_room::{
    config::RoomConfig,
    notify::{Message, NewDelivery, Notify, queue},
    store::Store,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use incident::{Severity, State, What, alerts::pagerduty};
use sha2::Sha256;

use crate::{
    receiver::{Asked, Does, Receiver},
    support::{act, delivered, eventually, go, incident, noted, page, room},
};

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[track_caller]
fn assert_signed(asked: &Asked, secret: &str) {
    let header = asked.header("x-lab-signature");
    let (time, given) = header.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).expect(header);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(format!("{time}.{}", asked.body).as_bytes());
    assert_eq!(hex::encode(mac.finalize().into_bytes()), given);
}

#[tokio::test]
async fn a_webhook_is_signed_and_tried_again_with_the_same_key_and_body() {
    let receiver = Receiver::start([Does::Answers(503, "busy"), Does::AsksToWait(0)]).await;
    let room = room(None, &["--webhook-secret", "s3cret"]).await;
    let id = incident(&room, Severity::Sev4).await;
    page(&room, id, "INC-1/0.0.0/ada/webhook", "webhook", &format!("{}/page", receiver.url)).await;
    let sent = delivered(&room, id, "INC-1/0.0.0/ada/webhook", "sent").await;
    assert_eq!(sent.attempts, 3);
    let asked = receiver.asked();
    assert_eq!(asked.len(), 3);
    for one in &asked {
        assert_signed(one, "s3cret");
        assert_eq!((&*one.path, one.header("idempotency-key")), ("/page", "INC-1/0.0.0/ada/webhook"));
        assert_eq!(one.body, asked[0].body);
    }
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!((&body["incident"], &body["severity"]), (&"INC-1".into(), &"SEV-2".into()));
}

#[tokio::test]
async fn a_webhook_that_is_refused_fails_at_once_and_the_timeline_says_so() {
    let receiver = Receiver::start([Does::Answers(410, "gone")]).await;
    let room = room(None, &[]).await;
    let id = incident(&room, Severity::Sev4).await;
    page(&room, id, "hook", "service", &receiver.url).await;
    let failed = delivered(&room, id, "hook", "failed").await;
    assert_eq!((failed.attempts, failed.error.as_deref()), (1, Some("answered 410: gone")));
    noted(&room, id, "ada was not reached by service: answered 410: gone").await;
    assert_eq!(receiver.asked()[0].header("x-lab-signature"), "", "there is no key to sign with");
    assert_eq!(room.notify.failing().await.unwrap(), 1);
}

#[tokio::test]
async fn pagerduty_gets_trigger_acknowledge_and_resolve_of_one_alert_in_order() {
    // The trigger has to be tried again; the acknowledgement does not overtake it.
    let receiver = Receiver::start([Does::Answers(500, "")]).await;
    let room =
        room(None, &["--pagerduty-url", &receiver.url, "--pagerduty-keys", &format!("ops={KEY}")]).await;
    let id = incident(&room, Severity::Sev2).await;
    page(&room, id, "INC-1/0.0.0/ada/pagerduty", "pagerduty", "ops").await;
    act(&room, id, What::Acknowledged).await;
    go(&room, id, State::Resolved).await;
    let asked =
        eventually("four calls", async || Some(receiver.asked()).filter(|asked| asked.len() >= 4)).await;
    let events: Vec<pagerduty::Event> =
        asked.iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect();
    for (event, one) in events.iter().zip(&asked) {
        let accepted = event.check("fresh").unwrap();
        assert_eq!(
            (accepted.dedup_key.as_deref(), &*event.routing_key, &*one.path),
            (Some("INC-1"), KEY, "/v2/enqueue")
        );
        assert!(event.other.is_empty(), "{event:?}");
    }
    let actions: Vec<&str> = events.iter().map(|event| event.event_action.as_str()).collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
    let payload = events[0].payload.clone().unwrap();
    assert_eq!((&*payload.severity, &*payload.source), ("error", "sre-lab"));
}

#[tokio::test]
async fn a_key_of_pagerduty_that_does_not_exist_is_named_with_those_that_do() {
    let room = room(None, &["--pagerduty-keys", &format!("ops={KEY}")]).await;
    let id = incident(&room, Severity::Sev4).await;
    page(&room, id, "typo", "pagerduty", "opps").await;
    let failed = delivered(&room, id, "typo", "failed").await;
    assert_eq!(failed.error.as_deref(), Some("PAGERDUTY_KEYS has no key `opps`; it has ops"));
}

#[tokio::test]
async fn a_wrong_list_of_keys_is_refused_at_the_start() {
    let config = RoomConfig::parse_from(["control-room", "--pagerduty-keys", "no-name"]);
    let store = Store::open(None).await.unwrap();
    let refused = Notify::open(&store, &control_room::bus::Bus::default(), &config).err().unwrap();
    assert!(refused.to_string().starts_with("PAGERDUTY_KEYS: entry 1"), "{refused}");
}

#[tokio::test]
async fn a_channel_that_does_not_exist_is_refused_when_it_is_queued() {
    let store = Store::open(None).await.unwrap();
    let message: Message = serde_json::from_value(serde_json::json!({
        "title": "t", "text": "", "url": "", "incident": null, "severity": "SEV-1", "state": "active", "key": "k"
    }))
    .unwrap();
    let delivery = NewDelivery {
        key: "k".to_owned(),
        incident: None,
        step: None,
        person: None,
        channel: "pigeon".to_owned(),
        address: None,
        message,
        at: chrono::Utc::now(),
    };
    let mut writing = store.begin().await.unwrap();
    let refused = queue(&mut writing, &delivery).await.unwrap_err();
    assert!(refused.to_string().contains("found `pigeon`"), "{refused}");
}
