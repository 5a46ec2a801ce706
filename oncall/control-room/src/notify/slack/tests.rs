//! Any incident is a message inside Slack's limits.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{Event, Id, Incident, Role, Severity, Source, State, What};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{blocks, limits::check};
use crate::notify::message::Message;

const PAGE: &str = "http://localhost:8080/incidents/INC-1";
const CHANNEL: &str = "https://slack.com/app_redirect?channel=C1";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Text with everything that has a meaning for Slack or JSON.
fn text(longest: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => any::<char>(),
        2 => proptest::sample::select(vec!['&', '<', '>', '"', '\\', '\n', '\u{1}', '|', '*', '😀']),
        1 => proptest::char::range('a', 'z'),
    ];
    prop::collection::vec(character, 0..longest).prop_map(String::from_iter)
}

fn incidents() -> impl Strategy<Value = Incident> {
    let services = prop::collection::vec(text(60), 0..40);
    let roles = prop::collection::vec(text(200), 4);
    let titles = (text(400), text(4000));
    (titles, services, roles, prop::collection::vec(text(4000), 0..2), 0..5_usize).prop_map(
        |((title, description), services, roles, updates, severity)| {
            let by = || Source::Person("ada".to_owned());
            let severity = Severity::ALL[severity];
            let (id, previous) = (Id(u64::MAX), None);
            let opened = What::Opened { id, title, description, severity, services, previous };
            let mut whats = vec![What::Acknowledged];
            whats.extend(
                Role::ALL.into_iter().zip(roles).map(|(role, person)| What::Assigned { role, person }),
            );
            whats.extend(updates.into_iter().map(|text| What::Updated { text }));
            let mut incident = Incident::open(&Event { at: at(0), by: by(), what: opened }).unwrap();
            for (second, what) in (1..).zip(whats) {
                // What is empty is refused; any text is drawn here.
                let _ = incident.apply(&Event { at: at(second), by: by(), what });
            }
            incident
        },
    )
}

fn message(title: String, text: String) -> Message {
    let (severity, state) = (Severity::Sev2, State::Active);
    Message { title, text, url: PAGE.to_owned(), incident: Some(Id(1)), severity, state, key: "k".to_owned() }
}

fn value(payload: &blocks::Payload) -> Value {
    json!(payload)
}

proptest! {
    #[test]
    fn any_incident_is_inside_the_limits(incident in incidents(), page in prop_oneof![Just(PAGE.to_owned()), text(4000)]) {
        let summary = value(&blocks::summary(&incident, &page));
        prop_assert_eq!(check(&summary), Ok(()), "{}", summary);
        prop_assert!(blocks::topic(&incident).encode_utf16().count() <= 250);
    }

    #[test]
    fn any_pages_and_posts_are_inside_the_limits(
        texts in prop::collection::vec((text(500), text(3000)), 1..30),
        room in prop_oneof![Just(CHANNEL.to_owned()), text(4000)],
    ) {
        let messages: Vec<Message> = texts.into_iter().map(|(title, text)| message(title, text)).collect();
        let messages: Vec<&Message> = messages.iter().collect();
        let one = blocks::pages(&messages[..1], Some(room.as_str()));
        for payload in [blocks::pages(&messages, None), one, blocks::posts(&messages)] {
            let payload = value(&payload);
            prop_assert_eq!(check(&payload), Ok(()), "{}", payload);
        }
    }
}

#[test]
fn a_text_can_neither_mention_everybody_nor_leave_its_link() {
    let bad = message("<!channel> & co".to_owned(), "<https://evil.example|Acknowledge>".to_owned());
    for payload in [blocks::pages(&[&bad], None), blocks::pages(&[&bad, &bad], None), blocks::posts(&[&bad])]
    {
        let text = value(&payload).to_string();
        assert!(!text.contains("<https://evil"), "{text}");
        assert!(!payload.text.contains("<!channel>"), "{text}");
    }
}

#[test]
fn a_page_has_links_to_join_the_war_room_wherever_it_is_and_to_acknowledge() {
    let message = message("SEV-2".to_owned(), "Orders fail".to_owned());
    let (thread, acknowledge) = (format!("{PAGE}#war-room"), format!("{PAGE}#acknowledge"));
    for (room, join) in [(None, &*thread), (Some("javascript:alert(1)"), &*thread), (Some(CHANNEL), CHANNEL)]
    {
        let page = value(&blocks::pages(&[&message], room));
        let buttons = page["attachments"][0]["blocks"][1]["elements"].as_array().unwrap().clone();
        let links: BTreeSet<(&str, &str)> = buttons
            .iter()
            .filter_map(|button| Some((button["text"]["text"].as_str()?, button["url"].as_str()?)))
            .collect();
        assert_eq!(
            links,
            BTreeSet::from([("Join war room", join), ("Acknowledge", &*acknowledge)]),
            "{room:?}"
        );
    }
}

#[test]
fn a_summary_has_the_description_below_the_title_and_no_block_without_one() {
    let sections = |description: &str| {
        let opened = What::Opened {
            id: Id(1),
            title: "Orders fail".to_owned(),
            description: description.to_owned(),
            severity: Severity::Sev2,
            services: Vec::new(),
            previous: None,
        };
        let event = Event { at: at(0), by: Source::ControlRoom, what: opened };
        let summary = value(&blocks::summary(&Incident::open(&event).unwrap(), PAGE));
        let blocks = summary["attachments"][0]["blocks"].as_array().unwrap().iter();
        blocks.filter_map(|block| block["text"]["text"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(sections(""), ["Orders fail"]);
    assert_eq!(
        sections("since <noon>\nat the payment"),
        ["Orders fail", "since &lt;noon&gt;\nat the payment"]
    );
}

#[test]
fn each_severity_has_its_colour_in_pages_and_summaries() {
    let mut colours = BTreeSet::new();
    for severity in Severity::ALL {
        let opened = What::Opened {
            id: Id(1),
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity,
            services: Vec::new(),
            previous: None,
        };
        let event = Event { at: at(0), by: Source::ControlRoom, what: opened };
        let summary = value(&blocks::summary(&Incident::open(&event).unwrap(), PAGE));
        let page = Message { severity, ..message("SEV".to_owned(), "Orders fail".to_owned()) };
        let other = message("SEV-2".to_owned(), "Payments fail".to_owned());
        let (one, both) =
            (value(&blocks::pages(&[&page], None)), value(&blocks::pages(&[&page, &other], None)));
        let of = |payload: &Value| payload["attachments"][0]["color"].as_str().unwrap_or_default().to_owned();
        assert_eq!([of(&one), of(&both)], [of(&summary), of(&summary)]);
        assert_eq!(both["attachments"].as_array().map(Vec::len), Some(2), "one bar for each");
        colours.insert(of(&summary));
    }
    assert_eq!(colours.len(), Severity::ALL.len(), "{colours:?}");
}

#[test]
fn the_limits_are_those_that_slack_documents() {
    let of = |blocks: Value| check(&json!({"text": "t", "blocks": blocks}));
    let long =
        |length| json!([{"type": "header", "text": {"type": "plain_text", "text": "x".repeat(length)}}]);
    assert_eq!(of(long(150)), Ok(()));
    assert!(of(long(151)).unwrap_err().contains("150 are allowed"));
    let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": "x"}});
    assert!(of(Value::from(vec![section; 51])).unwrap_err().contains("1 to 50"));
    let attached =
        |color: &str| check(&json!({"text": "t", "attachments": [{"color": color, "blocks": long(150)}]}));
    assert_eq!(attached("#b3261e"), Ok(()));
    assert!(attached("red-ish").unwrap_err().contains("no colour"));
    assert!(check(&json!({"blocks": []})).unwrap_err().contains("`text` is missing"));
}
