//! What happens when an incident resolves: recovery and cost are written down, its times are counted once, and a
//! postmortem is drafted. After a restart of this program, drafts that are missing are made up for.

use std::{path::Path, time::Duration};

use chrono::Utc;
use incident::{
    Id, Measures, Source, State, Viewer,
    postmortem::{Curve, Draft, draft},
};

use super::{impact, sli, timeline};
use crate::{error::Result, room::Room};

/// Author of drafts.
const AUTHOR: &str = "control room";
/// Between two attempts to measure: Prometheus may be what is being repaired.
const AGAIN: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
/// Ended incidents that are in memory.
const IN_MEMORY: usize = 500;

/// An incident has resolved.
pub(super) async fn run(room: Room, id: Id) {
    // One of a verification is dismissed a moment later: there is nothing to learn from it.
    if room.desk.get(id).await.is_ok_and(|incident| room.drills.rehearses(&incident)) {
        return;
    }
    warn(id, conclude(&room, id).await);
    // After what was written down: the times are complete. An incident that resolves once more was counted.
    if let Ok(incident) = room.desk.get(id).await
        && incident.reopened == 0
    {
        room.metrics.resolved(&Measures::of(&incident, Viewer::Trainee));
    }
}

/// Drafts for incidents that resolved while this program did not run.
pub(super) async fn catch_up(room: &Room) {
    let resolved = room.desk.recent(IN_MEMORY).into_iter();
    let resolved = resolved.filter(|one| one.state == State::Resolved && !room.drills.rehearses(one));
    for incident in resolved {
        match room.papers.latest(incident.id).await {
            Ok(Some(_)) => {}
            Ok(None) => warn(incident.id, conclude(room, incident.id).await),
            Err(error) => warn(incident.id, Err(error)),
        }
    }
}

fn warn(id: Id, result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, incident = %id, "no draft of a postmortem");
    }
}

/// Measures, and drafts a postmortem unless there is one.
async fn conclude(room: &Room, id: Id) -> Result<()> {
    timeline::recovered_now(room, id).await?;
    reckon(room, id).await;
    if room.papers.latest(id).await?.is_some() {
        return Ok(());
    }
    let (text, told) = write(room, id).await?;
    room.papers.save(id, 0, AUTHOR, &text).await?;
    // It may have been told while this was drawn.
    if told == room.desk.get(id).await?.is_told() { Ok(()) } else { again(room, id).await }
}

/// Drafts again, because what was wrong has been told: unless nothing was drafted yet, or somebody has written.
pub(crate) async fn redraft(room: &Room, id: Id) {
    warn(id, again(room, id).await);
}

async fn again(room: &Room, id: Id) -> Result<()> {
    let latest = room.papers.latest(id).await?.filter(|latest| latest.author == AUTHOR);
    let Some(latest) = latest else { return Ok(()) };
    let (text, _) = write(room, id).await?;
    room.papers.save(id, latest.version, AUTHOR, &text).await?;
    Ok(())
}

/// The text of a draft, and whether it says what was wrong.
async fn write(room: &Room, id: Id) -> Result<(String, bool)> {
    let incident = room.desk.get(id).await?;
    let curve = sli::sli_curve(room, &incident).await.unwrap_or_else(|error| {
        tracing::warn!(%error, incident = %id, "the draft has no curve");
        None
    });
    let picture = match (&curve, &room.config.postmortems) {
        (Some(curve), Some(folder)) => picture(folder, id, curve).await,
        _ => None,
    };
    // For everybody: what is sealed is not in it, until it is told.
    let about = Draft {
        viewer: Viewer::Trainee,
        curve: curve.as_ref(),
        picture: picture.as_deref(),
        now: Utc::now(),
    };
    Ok((draft(&incident, &about), incident.is_told()))
}

/// Writes down the cost. A draft without it asks for it.
async fn reckon(room: &Room, id: Id) {
    for attempt in 1..=ATTEMPTS {
        match write_cost(room, id).await {
            Ok(()) => return,
            Err(error) if attempt == ATTEMPTS => {
                tracing::warn!(%error, incident = %id, "the cost is not known")
            }
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn write_cost(room: &Room, id: Id) -> Result<()> {
    let incident = room.desk.get(id).await?;
    if let Some(reckoned) = impact::update(room, &incident).await? {
        room.desk.act(id, Source::ControlRoom, reckoned.note).await?;
    }
    Ok(())
}

/// Writes the curve next to the postmortem; its name, for the draft.
async fn picture(folder: &Path, id: Id, curve: &Curve) -> Option<String> {
    let name = format!("{id}.svg");
    let (path, part) = (folder.join(&name), folder.join(format!(".{name}.part")));
    let written = async {
        tokio::fs::create_dir_all(folder).await?;
        tokio::fs::write(&part, curve.svg()).await?;
        tokio::fs::rename(&part, &path).await
    };
    match written.await {
        Ok(()) => Some(name),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "the curve was not written");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use incident::{EntryKind, Severity, Truth, What};

    use super::*;
    use crate::{SERVICE, assemble, config::RoomConfig, desk::New};

    #[tokio::test]
    async fn a_draft_says_what_was_wrong_once_that_is_told_and_what_a_person_wrote_stays() {
        let config = RoomConfig::parse_from(["control-room", "--prometheus-url=http://127.0.0.1:1"]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.unwrap();
        let (title, services) = ("Orders fail".to_owned(), vec!["order-api".to_owned()]);
        let new = New { title, description: String::new(), severity: Severity::Sev2, services };
        let by = Source::System("alertmanager".to_owned());
        let id = room.desk.create(by, new).await.unwrap().id;
        redraft(&room, id).await;
        assert!(room.papers.latest(id).await.unwrap().is_none(), "nothing was drafted yet");
        let (text, told) = write(&room, id).await.unwrap();
        assert!(!told && !text.contains("http-error"), "{text}");
        room.papers.save(id, 0, AUTHOR, &text).await.unwrap();

        let since = room.desk.get(id).await.unwrap().opened_at;
        let (kind, text) = (EntryKind::Truth, "http-error in order-api (drill noon, run 1)".to_owned());
        let told = What::Noted { kind, happened_at: since, text, evidence: Vec::new(), sealed: false };
        let (fault, service, by) = ("http-error".to_owned(), "order-api".to_owned(), "the drill".to_owned());
        let truth = What::TruthSealed { truth: Truth { fault, service, since, by } };
        room.desk.act_all(id, Source::ControlRoom, vec![told, truth]).await.unwrap();
        redraft(&room, id).await;
        let second = room.papers.latest(id).await.unwrap().unwrap();
        assert_eq!(second.version, 2);
        assert!(second.text.contains("The fault http-error on order-api was active"), "{}", second.text);

        room.papers.save(id, 2, "ada", "Ours.").await.unwrap();
        redraft(&room, id).await;
        assert_eq!(room.papers.latest(id).await.unwrap().unwrap().text, "Ours.");
    }
}
