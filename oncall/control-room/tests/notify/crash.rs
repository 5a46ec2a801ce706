//! The control room is killed while it sends.

use control_room::Room;
use incident::{Severity, State, What};

use crate::{
    receiver::{Does, Receiver},
    slack_api::Slack,
    support::{act, delivered, eventually, go, incident, kill, noted, page, room, silent},
};

#[tokio::test]
async fn nobody_is_notified_twice_and_it_is_noted_that_this_is_not_known() {
    let slack = Slack::start([("chat.postMessage", Does::Hangs)]).await;
    let bot = slack.bot();
    let flags: Vec<&str> = bot.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    let before = room(Some(&file), &flags).await;
    let id = incident(&before, Severity::Sev4).await;
    page(&before, id, "first", "slack", "U1").await;
    eventually("the call has begun", async || slack.calls("chat.postMessage").first().cloned()).await;
    kill(before).await;

    let after = room(Some(&file), &flags).await;
    let unknown = delivered(&after, id, "first", "unknown").await;
    assert_eq!(unknown.attempts, 1);
    noted(&after, id, "it is not known whether ada was reached by slack").await;
    page(&after, id, "second", "slack", "U1").await;
    delivered(&after, id, "second", "sent").await;
    assert_eq!(slack.calls("chat.postMessage").len(), 2, "one for each page");
    slack.was_called_correctly();
}

#[tokio::test]
async fn a_system_gets_it_again_with_the_same_key() {
    let receiver = Receiver::start([Does::Hangs]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    let before = room(Some(&file), &[]).await;
    let id = incident(&before, Severity::Sev4).await;
    page(&before, id, "hook", "webhook", &receiver.url).await;
    eventually("the call has begun", async || receiver.asked().first().cloned()).await;
    kill(before).await;

    let after = room(Some(&file), &[]).await;
    delivered(&after, id, "hook", "sent").await;
    let keys: Vec<String> =
        receiver.asked().iter().map(|one| one.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys, ["hook", "hook"]);
}

#[tokio::test]
async fn what_happened_while_nobody_was_told_is_told_once_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    let texts = async |room: &Room, id| {
        let said = room.notify.thread(id, 0).await.unwrap();
        said.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    let before = room(Some(&file), &[]).await;
    let id = incident(&before, Severity::Sev2).await;
    act(&before, id, What::Updated { text: "one".to_owned() }).await;
    eventually("the update is told", async || (texts(&before, id).await == ["one"]).then_some(())).await;
    kill(before).await;
    let meanwhile = silent(Some(&file), &[]).await;
    act(&meanwhile, id, What::Updated { text: "two".to_owned() }).await;
    kill(meanwhile).await;

    let after = room(Some(&file), &[]).await;
    act(&after, id, What::Updated { text: "three".to_owned() }).await;
    eventually("all are told", async || (texts(&after, id).await.len() >= 3).then_some(())).await;
    assert_eq!(texts(&after, id).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_postmortem_is_sent_round_once_however_often_the_control_room_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.db");
    let papers = async |room: &Room, id| {
        let said = room.notify.thread(id, 0).await.unwrap();
        said.into_iter().filter(|message| message.text.starts_with("the postmortem is")).count()
    };
    let before = room(Some(&file), &[]).await;
    let id = incident(&before, Severity::Sev2).await;
    act(&before, id, What::Updated { text: "one".to_owned() }).await;
    eventually("the update is told", async || {
        (!before.notify.thread(id, 0).await.unwrap().is_empty()).then_some(())
    })
    .await;
    kill(before).await;
    let meanwhile = silent(Some(&file), &[]).await;
    go(&meanwhile, id, State::Resolved).await;
    go(&meanwhile, id, State::Closed).await;
    kill(meanwhile).await;

    for _ in 0..2 {
        let after = room(Some(&file), &[]).await;
        // What is said of another incident shows that the follower had its turn.
        let other = incident(&after, Severity::Sev2).await;
        act(&after, other, What::Updated { text: "two".to_owned() }).await;
        eventually("the other one is told", async || {
            (!after.notify.thread(other, 0).await.unwrap().is_empty()).then_some(())
        })
        .await;
        assert_eq!(papers(&after, id).await, 1);
        kill(after).await;
    }
}
