//! The stream of events.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use crate::rig::Rig;

#[tokio::test]
async fn a_client_that_was_cut_off_misses_nothing_and_gets_nothing_twice() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let mut all = rig.stream("/api/v1/events?after=0", &[]).await;
    let note = async |text: &str| rig.post("/api/v1/incidents/INC-1/notes", &json!({ "text": text })).await;
    note("first note").await;
    let text = all.until("first note").await;
    assert!(text.contains("event: incident\n") && text.contains("\"type\":\"opened\""), "{text}");
    let last = all.ids().last().copied().expect("an event").to_string();
    drop(all);
    note("second note").await;
    let mut rest = rig.stream("/api/v1/events", &[("last-event-id", &last)]).await;
    note("third note").await;
    let text = rest.until("third note").await;
    assert!(!text.contains("first note") && text.matches("second note").count() == 1, "{text}");
    let ids = rest.ids();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert_eq!(
        ids.first().map(ToString::to_string),
        last.parse::<i64>().ok().map(|last| (last + 1).to_string())
    );
}

#[tokio::test]
async fn without_a_number_only_what_happens_from_now_on_is_sent() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    let mut news = rig.stream("/api/v1/events", &[]).await;
    rig.post("/api/v1/incidents/INC-1/notes", &json!({ "text": "from now on" })).await;
    assert!(!news.until("from now on").await.contains("\"type\":\"opened\""), "{}", news.text);
    for wrong in ["x", "1.5"] {
        let answer =
            rig.http.send(Method::GET, "/api/v1/events", &[("last-event-id", wrong)], String::new()).await;
        answer.expect_invalid("Last-Event-ID");
    }
}

#[tokio::test]
async fn a_journal_that_is_longer_than_what_is_read_at_once_is_replayed_completely() {
    let rig = Rig::start(&[]).await;
    rig.open("Orders fail").await;
    for number in 0..250 {
        rig.post("/api/v1/incidents/INC-1/notes", &json!({ "text": format!("note {number}.") })).await;
    }
    let mut all = rig.stream("/api/v1/events?after=0", &[]).await;
    let text = all.until("note 249.").await;
    assert!((0..250).all(|number| text.matches(&format!("note {number}.")).count() == 1));
    let ids = all.ids();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end_of_the_program() {
    let rig = Rig::start(&[]).await;
    let mut stream = rig.stream("/api/v1/events?after=0", &[]).await;
    let began = Instant::now();
    let ((), whole) = tokio::join!(stream.end(), rig.running.stop());
    assert!(whole, "the drain was cut short");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
