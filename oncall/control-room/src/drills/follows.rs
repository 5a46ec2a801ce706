//! What the verification before has proven, if this one follows it at once and nothing was changed meanwhile.

use drill::engine::Proven;

use super::{Drills, rows};
use crate::{error::Result, room::Room};

/// Actions that are looked through.
const RECENT: usize = 100;

impl Drills {
    /// What the newest run has proven; nothing if it has proven nothing, or if somebody changed the system after it
    /// was seen to be well. Whether that counts for a drill is decided by the run.
    ///
    /// # Errors
    /// When the file fails.
    pub(super) async fn proven(&self, room: &Room) -> Result<Option<Proven>> {
        let last = rows::ended(self.0.store.read(), None, 1).await?.into_iter().next();
        let Some(last) = last else { return Ok(None) };
        let Some((end, outcome)) = last.end.as_ref().and_then(|end| Some((end, end.outcome.as_ref()?)))
        else {
            return Ok(None);
        };
        // A file that this version does not read says nothing of what was proven.
        let Ok(drill) = self.0.library.read(&last.drill, &last.file) else { return Ok(None) };
        let Some(proven) = Proven::by(&drill, outcome, end.at) else { return Ok(None) };
        let since = outcome.recovered.map_or(end.at, |recovered| end.at - (outcome.ended - recovered));
        let recent = room.actions.recent(RECENT).await?;
        let changed = recent.iter().any(|done| !done.dry && done.at >= since);
        Ok((!changed).then_some(proven))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{TimeDelta, Utc};
    use clap::Parser as _;
    use drill::{
        Mode, Outcome, Verdict,
        engine::{Record, Responder, Start},
    };
    use incident::Source;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{
        SERVICE, assemble,
        bus::Kind,
        config::RoomConfig,
        drills::{
            live::whole,
            rows::{End, Kept},
        },
    };

    /// A run of a drill that ended a second ago; its recovery ended two seconds before.
    async fn ends(room: &Room, mode: Mode, verdict: Verdict) {
        let (drill, file) = room.drills.0.library.find("first-page").unwrap();
        let ended = whole(Utc::now()) - TimeDelta::seconds(1);
        let started = ended - TimeDelta::seconds(90);
        let start = Start {
            at: started,
            mode: mode.clone(),
            seed: 1,
            services: Vec::new(),
            replicas: BTreeMap::new(),
            seen: false,
            follows: None,
            variant: None,
        };
        let outcome = Outcome {
            drill: drill.id.clone(),
            mode,
            seed: 1,
            seen: false,
            verdict,
            failures: Vec::new(),
            started,
            injected: None,
            affected: None,
            mitigated: None,
            recovered: Some(ended - TimeDelta::seconds(2)),
            ended,
            signals: Vec::new(),
            path: Vec::new(),
            notices: Vec::new(),
            record: Record::default(),
            laps: Vec::new(),
        };
        let kept = Kept {
            id: 0,
            drill: drill.id.clone(),
            file: file.into_owned(),
            mystery: false,
            responder: "ben".to_owned(),
            start,
            followed: 0,
            end: None,
            learned: None,
        };
        let verdict = verdict.to_string();
        let end = End { at: ended, verdict, score: None, outcome: Some(outcome), curve: None };
        let mut writing = room.store.begin().await.unwrap();
        let id = rows::begin(&mut writing, &kept).await.unwrap();
        rows::end(&mut writing, id, &end).await.unwrap();
        writing.commit(&room.bus).await.unwrap();
    }

    #[tokio::test]
    async fn the_newest_run_counts_if_it_passed_and_nothing_was_changed_since() {
        let config = RoomConfig::parse_from(["control-room", "--instances=order-api=http://127.0.0.1:1"]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.unwrap();
        assert_eq!(room.drills.proven(&room).await.unwrap(), None, "there was no run");
        let proof = || Mode::Verify { responder: Responder::Solution };
        ends(&room, proof(), Verdict::Passed).await;
        let proven = room.drills.proven(&room).await.unwrap().expect("it passed");
        assert_eq!((proven.scenario.as_str(), proven.rps, proven.good_for.as_secs()), ("shop", 50, 10));
        ends(&room, proof(), Verdict::Failed).await;
        assert_eq!(room.drills.proven(&room).await.unwrap(), None, "the newest one failed");
        ends(&room, proof(), Verdict::Passed).await;
        assert!(room.drills.proven(&room).await.unwrap().is_some());

        let done = json!({
            "id": Uuid::now_v7(), "at": Utc::now(), "by": Source::Person("ada".to_owned()), "text": "restart",
            "action": { "action": "restart", "target": "order-api" }, "results": [], "undo": null,
        });
        let mut writing = room.store.begin().await.unwrap();
        writing.journal(Utc::now(), Kind::Action, None, false, &done).await.unwrap();
        writing.commit(&room.bus).await.unwrap();
        assert_eq!(room.drills.proven(&room).await.unwrap(), None, "somebody restarted something");
    }
}
