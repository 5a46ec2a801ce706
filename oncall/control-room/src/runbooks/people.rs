//! What people do with runs: begin, confirm, leave out, approve, decline, stop. Each is refused as a whole or
//! done as a whole.

use std::collections::{BTreeMap, BTreeSet};

use incident::Id;
use runbook::{Mode, Run, Runbook, What, Who};

use super::{Live, Runbooks, begin::Start, show, view::RunbookRunView};
use crate::{
    access::{SOMEBODY, Visitor},
    error::{Error, Result},
    room::Room,
};

impl Runbooks {
    /// Begins a run. What no parameter says, the labels of the incident's alert say.
    ///
    /// # Errors
    /// When there is no such runbook or incident, a parameter is missing or wrong, or the same is under way.
    pub async fn begin(
        &self,
        room: &Room,
        by: &Visitor,
        name: &str,
        mode: Mode,
        incident: Option<Id>,
        parameters: BTreeMap<String, String>,
    ) -> Result<RunbookRunView> {
        let source = self.0.library.get(name)?;
        let labels = match incident {
            Some(id) => labels(room, id, &source.runbook).await?,
            None => BTreeMap::new(),
        };
        let by = Who::Person(by.name.clone());
        let start = Start { source, mode, by, incident, parameters, labels, alert: None };
        match self.begin_run(room, start).await? {
            Some(live) => Ok(show::run(&live.run())),
            None => Err(Error::Conflict("its alert has had a run".to_owned())),
        }
    }

    /// The labels of the incident's alert of a runbook, for a dry run; none, if it has no such alert.
    ///
    /// # Errors
    /// When there is no such runbook or incident.
    pub async fn labels(&self, room: &Room, name: &str, incident: Id) -> Result<BTreeMap<String, String>> {
        let runbook = self.get(name)?;
        labels(room, incident, &runbook).await
    }

    /// A person says that the next step may be done; at a decision, with the branch that is chosen.
    ///
    /// # Errors
    /// When the run waits for something else, or the file fails; the same for the others below. When a decision has no
    /// such branch.
    pub async fn confirm(
        &self,
        room: &Room,
        by: &Visitor,
        id: &str,
        branch: Option<String>,
    ) -> Result<RunbookRunView> {
        let by = by.name.clone();
        self.tell(room, id, move |run| What::Confirmed { place: run.place(), by, branch }).await
    }

    /// A person leaves the next step out.
    ///
    /// # Errors
    /// As [`Runbooks::confirm`], and when the step cannot be left out.
    pub async fn skip(&self, room: &Room, by: &Visitor, id: &str, why: &str) -> Result<RunbookRunView> {
        let (by, why) = (by.name.clone(), why.to_owned());
        self.tell(room, id, move |run| What::Skipped { place: run.place(), by, why }).await
    }

    /// A second person approves what was shown: its digest.
    ///
    /// # Errors
    /// As [`Runbooks::confirm`], and when the person works on the run, or something else was shown. Where people have
    /// tokens of their own, a name that is missing on either side is an error too: both may be the same person.
    pub async fn approve(&self, room: &Room, by: &Visitor, id: &str, digest: &str) -> Result<RunbookRunView> {
        if room.access.knows_people() {
            let live = self.live(id).await?;
            may_be_two(&by.name, live.run().hands())?;
        }
        let (by, digest) = (by.name.clone(), digest.to_owned());
        self.tell(room, id, move |_| What::Approved { by, digest }).await
    }

    /// A second person does not approve.
    ///
    /// # Errors
    /// As [`Runbooks::approve`].
    pub async fn decline(&self, room: &Room, by: &Visitor, id: &str, why: &str) -> Result<RunbookRunView> {
        let (by, why) = (by.name.clone(), why.to_owned());
        self.tell(room, id, move |_| What::Declined { by, why }).await
    }

    /// A person stops a run where it is. Nothing is taken back.
    ///
    /// # Errors
    /// As [`Runbooks::confirm`].
    pub async fn stop(&self, room: &Room, by: &Visitor, id: &str, why: &str) -> Result<RunbookRunView> {
        let (by, why) = (Who::Person(by.name.clone()), why.to_owned());
        self.tell(room, id, move |_| What::Stopped { by, why }).await
    }

    async fn tell(
        &self,
        room: &Room,
        id: &str,
        what: impl FnOnce(&Run) -> What + Send,
    ) -> Result<RunbookRunView> {
        let live = self.live(id).await?;
        self.record(room, &live, |run, _| Some(what(run))).await?;
        Ok(shown(&live))
    }
}

/// Refuses an approval that could be one person's under two names.
fn may_be_two(by: &str, hands: &BTreeSet<String>) -> Result<()> {
    let why = if by == SOMEBODY {
        "an approval needs the name of a person: send your own token"
    } else if hands.contains(SOMEBODY) {
        "somebody without a name works on this run, so nobody can be the second person: begin it with your own token"
    } else {
        return Ok(());
    };
    Err(Error::NotYours(why.to_owned()))
}

fn shown(live: &Live) -> RunbookRunView {
    show::run(&live.run())
}

/// The labels of the incident's alert of this runbook: the one that fires, or the last one that did.
async fn labels(room: &Room, id: Id, runbook: &Runbook) -> Result<BTreeMap<String, String>> {
    let incident = room.desk.get(id).await?;
    let of = |name: &String| runbook.alert.as_ref() == Some(name);
    let alerts = incident.alerts.iter().filter(|member| of(&member.alert.name));
    let alert = alerts.max_by_key(|member| (member.ended_at.is_none(), member.joined_at));
    Ok(alert.map(|member| member.alert.labels.clone()).unwrap_or_default())
}
