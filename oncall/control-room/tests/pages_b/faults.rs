//! Faults and protections.

use reqwest::Method;
use serde_json::json;

use crate::rig::{
    Rig,
    Who::{Instructor, Trainee},
    between, csrf,
};

const ERRORS: [(&str, &str); 3] =
    [("service", "order-api"), ("target", "order-api"), ("fault", "http-error")];

#[tokio::test]
async fn a_trainee_sees_no_faults_and_cannot_set_any() {
    let rig = Rig::start().await;
    for path in ["/faults", "/faults/order-api/http-error"] {
        let shown = rig.get(Trainee, path).await;
        assert_eq!(shown.status, 403, "{path}");
        assert!(
            !shown.body.contains("http-error does") && shown.body.contains("instructor"),
            "{}",
            shown.body
        );
    }
    let page = rig.page(Trainee, "/protections").await;
    for action in ["/faults/set", "/faults/end", "/faults/end-all", "/faults/stop", "/faults/undo"] {
        let shown = rig.post(Trainee, action, csrf(&page), &ERRORS).await;
        assert_eq!(shown.status, 403, "{action}: {}", shown.body);
    }
    let foreign = rig.post(Instructor, "/faults/end-all", csrf(&page), &[]).await;
    assert_eq!(foreign.status, 422, "the form of another visitor: {}", foreign.body);
    assert!(rig.orders.active().is_empty());
    rig.stop().await;
}

#[tokio::test]
async fn a_fault_is_on_with_one_click_and_off_with_another() {
    let rig = Rig::start().await;
    let page = rig.page(Instructor, "/faults").await;
    assert!(page.contains("No fault is on.") && page.contains("what db-lock does"), "{page}");
    let fields = [&ERRORS[..], &[("p-ttl", "5m")]].concat();
    let page = rig.done(Instructor, "/faults", "/faults/set", &fields).await;
    assert_eq!(rig.orders.active(), ["http-error"]);
    assert!(page.contains("Done: switched the fault http-error on in order-api: ttl 5m."), "{page}");
    assert!(page.contains("ttl=5m") && page.contains("on in 1"), "what is active has its parameters: {page}");
    let id = between(&page, "name=\"id\" value=\"", "\"").to_owned();
    let page = rig.done(Instructor, "/faults", "/faults/undo", &[("id", &id)]).await;
    assert!(rig.orders.active().is_empty());
    assert!(page.contains("No fault is on.") && page.contains("Done: ended the fault http-error"), "{page}");
    let again = rig.page(Instructor, "/faults").await;
    for text in ["switched the fault http-error on", "ended the fault http-error", ">ada<"] {
        assert!(again.contains(text), "the journal has `{text}`: {again}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn all_faults_end_everywhere_with_one_click() {
    let rig = Rig::start().await;
    let users =
        [("service", "user-service"), ("target", "user-service-2"), ("fault", "db-lock"), ("p-ttl", "1m")];
    rig.done(Instructor, "/faults?service=user-service", "/faults/set", &users).await;
    rig.done(Instructor, "/faults", "/faults/set", &ERRORS).await;
    assert_eq!((rig.orders.active().len(), rig.users.active().len()), (1, 1));
    let page = rig.done(Instructor, "/faults", "/faults/end-all", &[]).await;
    assert!(page.contains("Done: ended all faults."), "{page}");
    assert!(rig.orders.active().is_empty() && rig.users.active().is_empty());
    rig.stop().await;
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_a_wrong_value_says_what_would_be_right() {
    let rig = Rig::start().await;
    let form = "/faults/order-api/http-error";
    let page = rig.page(Instructor, form).await;
    for text in [
        "name=\"p-rate\"",
        "a number from 0 to 1",
        "name=\"p-route\"",
        "does not apply",
        "name=\"stop_query\"",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let with = |more: &[(&'static str, &'static str)]| [&ERRORS[..], more].concat();
    let shown = rig.form(Instructor, form, "/faults/set", &with(&[("p-rate", "0.2"), ("dry", "1")])).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert!(shown.body.contains("http-error would be on: rate 0.2, ttl 10m"), "{}", shown.body);
    assert!(shown.body.contains("value=\"0.2\""), "what was typed stays: {}", shown.body);
    let shown =
        rig.form(Instructor, form, "/faults/set", &with(&[("p-rate", "7"), ("p-route", "/orders")])).await;
    assert_eq!(shown.status, 422);
    assert!(shown.body.contains("rate: a number from 0 to 1"), "{}", shown.body);
    assert!(shown.body.contains("value=\"7\"") && shown.body.contains("value=\"/orders\""), "{}", shown.body);
    assert!(rig.orders.active().is_empty());
    assert!(rig.page(Instructor, "/faults").await.contains("Nothing was done yet."));
    assert_eq!(rig.get(Instructor, "/faults/order-api/nothing").await.status, 404);
    assert_eq!(rig.get(Instructor, "/faults?service=nothing").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn a_fault_is_in_no_timeline_and_a_protection_is() {
    let rig = Rig::start().await;
    let incident = json!({ "title": "Orders fail", "severity": "SEV-2", "services": ["order-api"] });
    rig.api(Method::POST, "/api/v1/incidents", Some(&incident)).await;
    rig.done(Instructor, "/faults", "/faults/set", &ERRORS).await;
    let off = [("target", "order-api"), ("name", "circuit-breaker"), ("enabled", "false"), ("ttl", "5m")];
    let page = rig.done(Trainee, "/protections", "/protections", &off).await;
    assert!(page.contains("Switch on"), "{page}");
    assert!(rig.orders.with(|memory| memory.breaker_off));
    let timeline = rig.api(Method::GET, "/api/v1/incidents/INC-1/timeline", None).await.to_string();
    assert!(
        timeline.contains("switched the protection circuit-breaker off in order-api for 5m"),
        "{timeline}"
    );
    assert!(!timeline.contains("http-error"), "{timeline}");
    let changes = rig.api(Method::GET, "/api/v1/changes", None).await.to_string();
    assert!(changes.contains("circuit-breaker") && !changes.contains("http-error"), "{changes}");
    rig.stop().await;
}
