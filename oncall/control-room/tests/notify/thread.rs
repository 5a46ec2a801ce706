//! War rooms without Slack: a thread on the incident's page.

use control_room::{bus::Kind, error::Error, store::journal_of};
use incident::{Id, Severity, State, What};

use crate::support::{act, eventually, go, incident, room};

#[tokio::test]
async fn an_incident_from_sev_3_on_gets_a_thread_and_what_people_say_is_in_it() {
    let room = room(None, &[]).await;
    let id = incident(&room, Severity::Sev3).await;
    let war_room = eventually("the war room is open", async || {
        room.notify.war_room(id).await.unwrap().filter(|war_room| war_room.state == "open")
    })
    .await;
    assert_eq!(
        (&*war_room.kind, war_room.url.as_deref()),
        ("thread", Some("http://lab.example/incidents/INC-1#war-room"))
    );
    let said = room.notify.say(&room, id, "ben", " I look at the database. ").await.unwrap();
    assert_eq!((&*said.author, &*said.text), ("ben", "I look at the database."));
    assert_eq!(room.notify.thread(id, said.id - 1).await.unwrap(), std::slice::from_ref(&said));
    assert!(room.notify.thread(id, said.id).await.unwrap().is_empty());
    let told = journal_of(&room.store, Kind::Message, 1).await.unwrap();
    assert_eq!(
        serde_json::from_value::<control_room::notify::RoomMessage>(told[0].data.clone()).unwrap(),
        said
    );
}

#[tokio::test]
async fn when_an_incident_closes_the_thread_says_where_its_postmortem_is() {
    let room = room(None, &[]).await;
    let id = incident(&room, Severity::Sev2).await;
    go(&room, id, State::Resolved).await;
    go(&room, id, State::Closed).await;
    let texts = async || {
        let said = room.notify.thread(id, 0).await.unwrap();
        said.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    // Nobody has written it: it is called like the incident, and its page offers to begin.
    let line = "the postmortem is “INC-1: Orders fail”: http://lab.example/postmortems/INC-1";
    eventually("the postmortem is named", async || (texts().await.len() >= 3).then_some(())).await;
    assert_eq!(texts().await, ["now resolved", "now closed", line]);
}

#[tokio::test]
async fn a_small_incident_gets_a_war_room_once_it_is_a_major_one() {
    let room = room(None, &[]).await;
    let id = incident(&room, Severity::Sev4).await;
    act(&room, id, What::Updated { text: "A typo.".to_owned() }).await;
    act(&room, id, What::DeclaredMajor { why: "The typo is in the price.".to_owned() }).await;
    let declared = "declared a major incident: The typo is in the price.";
    eventually("it is said that it is a major one", async || {
        room.notify.thread(id, 0).await.unwrap().into_iter().find(|said| said.text == declared)
    })
    .await;
    assert!(room.notify.war_room(id).await.unwrap().is_some());
}

#[tokio::test]
async fn nothing_can_be_said_without_words_or_without_an_incident() {
    let room = room(None, &[]).await;
    let id = incident(&room, Severity::Sev2).await;
    for text in ["", " \n", &"x".repeat(4001)] {
        let refused = room.notify.say(&room, id, "ada", text).await.unwrap_err();
        assert!(refused.to_string().contains("1 to 4000 characters"), "{refused}");
    }
    assert!(matches!(room.notify.say(&room, Id(9), "ada", "hello?").await, Err(Error::NoIncident(Id(9)))));
}
