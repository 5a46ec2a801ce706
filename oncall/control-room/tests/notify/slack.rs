//! War rooms and direct messages in Slack.

use std::fs;

use control_room::Room;
use incident::{Severity, State, What};
use serde_json::Value;

use crate::{
    receiver::Does,
    slack_api::Slack,
    support::{act, delivered, eventually, go, incident, kill, noted, page, room},
};

const ROTA: &str = "
people:
  - name: ada
    title: Ada Okafor
    zone: Europe/Berlin
    contacts: [{kind: slack, to: U024BE7LH}]
schedules:
  - name: first-line
    zone: Europe/Berlin
    layers:
      - name: week
        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada]}
policies:
  - name: everything
    steps:
      - notify_schedule: first-line
";

async fn with(slack: &Slack, more: &[&str]) -> Room {
    let bot = slack.bot();
    let flags: Vec<&str> = bot.iter().map(String::as_str).chain(more.iter().copied()).collect();
    room(None, &flags).await
}

async fn called(slack: &Slack, method: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{count} calls of {method}"), async || {
        Some(slack.calls(method)).filter(|calls| calls.len() >= count)
    })
    .await
}

/// The war room has a channel.
async fn opened(room: &Room, id: incident::Id) -> control_room::notify::WarRoom {
    eventually("the war room is open", async || {
        room.notify.war_room(id).await.expect("the store").filter(|war_room| war_room.state == "open")
    })
    .await
}

#[tokio::test]
async fn a_war_room_follows_its_incident_from_opening_to_archive() {
    let slack = Slack::start([]).await;
    let folder = tempfile::tempdir().unwrap();
    let rota = folder.path().join("oncall.yaml");
    fs::write(&rota, ROTA).unwrap();
    let room = with(&slack, &["--oncall", rota.to_str().unwrap()]).await;
    let id = incident(&room, Severity::Sev2).await;
    let war_room = opened(&room, id).await;
    assert_eq!((&*war_room.kind, war_room.channel.as_deref()), ("slack", Some("C1")));
    assert!(war_room.url.unwrap().contains("C1"));
    let created = called(&slack, "conversations.create", 1).await;
    assert!(created[0]["name"].as_str().unwrap().starts_with("inc-1-"), "{created:?}");
    called(&slack, "conversations.setTopic", 1).await;

    act(&room, id, What::Acknowledged).await;
    let updates = called(&slack, "chat.update", 1).await;
    assert!(updates[0]["text"].as_str().unwrap().contains("active"), "{updates:?}");
    let invited = called(&slack, "conversations.invite", 1).await;
    assert_eq!(invited[0]["users"], "U024BE7LH");
    room.notify.say(&room, id, "ada", "Rolling back <now> & here").await.unwrap();
    eventually("ada's words are in the channel", async || {
        let said = slack.calls("chat.postMessage");
        said.into_iter().find(|call| {
            call["text"].as_str().unwrap().contains("*ada*: Rolling back &lt;now&gt; &amp; here")
        })
    })
    .await;

    go(&room, id, State::Resolved).await;
    go(&room, id, State::Closed).await;
    called(&slack, "conversations.archive", 1).await;
    eventually("the war room is archived", async || {
        room.notify.war_room(id).await.unwrap().filter(|war_room| war_room.state == "archived")
    })
    .await;
    let methods = slack.methods();
    assert_eq!(methods.last().map(String::as_str), Some("conversations.archive"), "{methods:?}");
    let closing = slack.calls("chat.postMessage");
    assert!(closing.last().unwrap()["text"].as_str().unwrap().contains("now closed"), "{closing:?}");
    for once in ["conversations.create", "conversations.invite", "conversations.archive"] {
        assert_eq!(slack.calls(once).len(), 1, "{once}");
    }
    slack.was_called_correctly();
}

#[tokio::test]
async fn a_closed_incident_sends_its_postmortem_round_once_in_its_channel_and_to_everybody() {
    let slack = Slack::start([]).await;
    let hook = slack.hook();
    let room = with(&slack, &hook.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let id = incident(&room, Severity::Sev2).await;
    opened(&room, id).await;
    room.papers.save(id, 0, "ada", "# Orders <fail>\n\nA draft.").await.unwrap();
    room.papers.save(id, 1, "ada", "# Half of the orders failed\n\nA rule.").await.unwrap();
    go(&room, id, State::Resolved).await;
    go(&room, id, State::Closed).await;
    let line = "the postmortem is “Half of the orders failed”: http://lab.example/postmortems/INC-1";
    let told = |method: &str| {
        let calls = slack.calls(method);
        calls.into_iter().filter(|call| call["text"].as_str().is_some_and(|text| text.contains(line))).count()
    };
    for method in ["chat.postMessage", "/services/hook"] {
        eventually(&format!("{method} has it"), async || (told(method) > 0).then_some(())).await;
    }
    // All that was said is there before the channel is archived.
    called(&slack, "conversations.archive", 1).await;
    assert_eq!((told("chat.postMessage"), told("/services/hook")), (1, 1), "{:?}", slack.methods());
    slack.was_called_correctly();
}

#[tokio::test]
async fn pages_of_one_second_are_one_direct_message() {
    let slack = Slack::start([]).await;
    let room = with(&slack, &[]).await;
    let id = incident(&room, Severity::Sev4).await;
    for key in ["INC-1/0.0.0/ada/slack", "INC-1/0.0.1/ada/slack", "INC-1/0.0.1/ada/slack"] {
        page(&room, id, key, "slack", "U024BE7LH").await;
    }
    delivered(&room, id, "INC-1/0.0.0/ada/slack", "sent").await;
    delivered(&room, id, "INC-1/0.0.1/ada/slack", "sent").await;
    let said = slack.calls("chat.postMessage");
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0]["channel"], "D1");
    assert!(said[0]["text"].as_str().unwrap().starts_with("2 pages for you"), "{said:?}");
    slack.was_called_correctly();
}

#[tokio::test]
async fn a_channel_that_an_earlier_attempt_created_is_used() {
    let taken = Does::Answers(200, r#"{"ok": false, "error": "name_taken"}"#);
    let first =
        Does::Answers(200, r#"{"ok": true, "channels": [], "response_metadata": {"next_cursor": "b"}}"#);
    let slack = Slack::start([("conversations.create", taken), ("conversations.list", first)]).await;
    let room = with(&slack, &[]).await;
    let id = incident(&room, Severity::Sev1).await;
    assert_eq!(opened(&room, id).await.channel.as_deref(), Some("C-found"));
    let pages = slack.calls("conversations.list");
    let cursors: Vec<&str> = pages.iter().filter_map(|page| page["cursor"].as_str()).collect();
    assert_eq!(cursors, ["", "b"]);
    slack.was_called_correctly();
}

#[tokio::test]
async fn if_slack_gives_no_channel_people_talk_on_the_page() {
    let refused =
        Does::Answers(200, r#"{"ok": false, "error": "missing_scope", "needed": "channels:manage"}"#);
    let slack = Slack::start([("conversations.create", refused)]).await;
    let room = with(&slack, &[]).await;
    let id = incident(&room, Severity::Sev2).await;
    noted(&room, id, "give the bot the scope channels:manage").await;
    let war_room = opened(&room, id).await;
    assert_eq!(war_room.kind, "thread");
    room.notify.say(&room, id, "ada", "here then").await.unwrap();
    assert_eq!(room.notify.thread(id, 0).await.unwrap().last().unwrap().text, "here then");
    slack.was_called_correctly();
}

#[tokio::test]
async fn a_message_that_slack_did_not_take_is_sent_again_and_one_that_it_may_have_taken_is_not() {
    let slack = Slack::start([
        ("chat.postMessage", Does::AsksToWait(1)),
        ("chat.postMessage", Does::Answers(200, r#"{"ok": true, "ts": "1.1"}"#)),
        ("chat.postMessage", Does::Answers(500, "oops")),
    ])
    .await;
    let room = with(&slack, &[]).await;
    let id = incident(&room, Severity::Sev4).await;
    page(&room, id, "first", "slack", "U1").await;
    let sent = delivered(&room, id, "first", "sent").await;
    assert_eq!(sent.attempts, 2);
    page(&room, id, "second", "slack", "U1").await;
    let unknown = delivered(&room, id, "second", "unknown").await;
    assert_eq!(unknown.attempts, 1);
    noted(&room, id, "it is not known whether ada was reached by slack: answered 500: oops").await;
    // Something that is sent later shows that the sender had its turn.
    page(&room, id, "third", "slack", "U1").await;
    delivered(&room, id, "third", "sent").await;
    assert_eq!(slack.calls("chat.postMessage").len(), 4);
    slack.was_called_correctly();
    kill(room).await;
}

#[tokio::test]
async fn with_a_bot_everybody_hears_of_an_incident_and_joins_its_channel_from_there() {
    let slack = Slack::start([]).await;
    let hook = slack.hook();
    let room = with(&slack, &hook.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let id = incident(&room, Severity::Sev1).await;
    let join = "https://slack.com/app_redirect?channel=C1";
    let told = called(&slack, "/services/hook", 1).await;
    assert!(told[0]["text"].as_str().unwrap().contains("INC-1 · SEV-1"), "{told:?}");
    assert!(told[0].to_string().contains(join), "{told:?}");
    page(&room, id, "direct", "slack", "U1").await;
    delivered(&room, id, "direct", "sent").await;
    let said = slack.calls("chat.postMessage");
    let direct = said.iter().find(|call| call["channel"] == "D1").unwrap();
    assert!(direct.to_string().contains(join), "{direct}");
    slack.was_called_correctly();
}

#[tokio::test]
async fn without_a_bot_summaries_go_to_the_incoming_webhook_and_direct_messages_fail_with_a_reason() {
    let slack = Slack::start([]).await;
    let hook = slack.hook();
    let room = room(None, &hook.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let id = incident(&room, Severity::Sev2).await;
    let opened = called(&slack, "/services/hook", 1).await;
    assert!(opened[0]["text"].as_str().unwrap().contains("INC-1 · SEV-2"), "{opened:?}");
    act(&room, id, What::Acknowledged).await;
    act(&room, id, What::Updated { text: "Half of the orders fail.".to_owned() }).await;
    let told = called(&slack, "/services/hook", 2).await;
    assert!(told[1]["text"].as_str().unwrap().contains("Half of the orders fail."), "{told:?}");
    page(&room, id, "direct", "slack", "U1").await;
    let failed = delivered(&room, id, "direct", "failed").await;
    assert!(failed.error.unwrap().starts_with("SLACK_TOKEN is not set"));
    noted(&room, id, "ada was not reached by slack: SLACK_TOKEN is not set").await;
    slack.was_called_correctly();
}
