//! How a run begins: with the text of its file, so that an edit changes only runs that begin later.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use chrono::Utc;
use incident::{Id, Source as By};
use runbook::{Event, Mode, Run, What, Who};

use super::{Live, Runbooks, drive, library::Source, name, rows, story};
use crate::{
    error::{Error, Result},
    room::Room,
};

/// What begins.
pub(super) struct Start {
    /// The runbook.
    pub(super) source: Source,
    /// How it goes.
    pub(super) mode: Mode,
    /// Who begins it.
    pub(super) by: Who,
    /// What it is for.
    pub(super) incident: Option<Id>,
    /// Given parameters.
    pub(super) parameters: BTreeMap<String, String>,
    /// Labels of the alert.
    pub(super) labels: BTreeMap<String, String>,
    /// What names the alert that automation begins it for: one alert begins one run.
    pub(super) alert: Option<String>,
}

impl Runbooks {
    /// Begins a run; nothing, if its alert has had one.
    ///
    /// # Errors
    /// When its file or parameters are wrong, the same is under way already, or the file of the control room
    /// fails.
    pub(super) async fn begin_run(&self, room: &Room, start: Start) -> Result<Option<Arc<Live>>> {
        let Start { source, mode, by, incident, parameters, labels, alert } = start;
        let mut writing = self.0.store.begin().await?;
        if let Some(alert) = &alert
            && rows::has_alert(&mut writing, alert).await?
        {
            return Ok(None);
        }
        let number = rows::next(&mut writing).await?;
        let what = What::Started {
            run: name(number),
            file: source.file,
            text: source.text,
            mode,
            by,
            incident: incident.map(|id| id.to_string()),
            parameters,
            labels,
        };
        let event = Event { at: Utc::now(), what };
        let run = Run::start(&event)?;
        self.alone(&run)?;
        let runbook = run.plan().runbook.name.clone();
        rows::put_run(&mut writing, number, &runbook, incident, alert.as_deref(), event.at).await?;
        rows::put_event(&mut writing, number, 0, &event).await?;
        self.follow_up(&mut writing, number, &run, &event).await?;
        let entry = story::begun(&run, &event);
        let live = Live::new(number, run);
        let (inner, own, begun) = (Arc::clone(&self.0), room.clone(), Arc::clone(&live));
        writing.after(move || {
            let count = {
                let mut open = inner.live.lock();
                open.insert(number, Arc::clone(&begun));
                open.len()
            };
            own.metrics.runbooks.open(count);
            // Here, because nobody may wait for the commit any more.
            if inner.started.load(Ordering::SeqCst) {
                drive::spawn(&own, begun);
            }
        });
        match incident {
            Some(id) => room.desk.act_with(writing, id, By::Runbook(runbook), vec![entry]).await.map(drop)?,
            None => writing.commit(&self.0.bus).await.map(drop)?,
        }
        Ok(Some(live))
    }

    /// Refuses what is under way already: the same runbook about the same. Automation does one thing after
    /// the other for the same services, so that a second replica has its turn when the first one is well.
    fn alone(&self, run: &Run) -> Result<()> {
        let same = |live: &Arc<Live>| {
            let other = live.run();
            let both = *run.by() == Who::Automation && *other.by() == Who::Automation;
            let (one, other) = (run.plan(), other.plan());
            let in_turn = both && one.services() == other.services();
            one.runbook.name == other.runbook.name && (in_turn || about(&one.values) == about(&other.values))
        };
        match self.under_way().iter().find(|live| same(live)) {
            Some(other) => {
                let (runbook, other) = (&run.plan().runbook.name, name(other.number));
                let why = format!("{other} of {runbook} is under way for the same: wait, or stop it");
                Err(Error::Conflict(why))
            }
            None => Ok(()),
        }
    }
}

/// What a run is about: its values, without those that are its own.
fn about(values: &BTreeMap<String, String>) -> Vec<(&String, &String)> {
    values.iter().filter(|(name, _)| !["run", "incident"].contains(&name.as_str())).collect()
}
