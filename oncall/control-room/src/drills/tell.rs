//! What people say in a run: that they noticed, acknowledge, want a hint, have an answer, are done, stop.
//! What concerns the incident, too, is done there, and comes back through the journal: a person who works on
//! the incident's page need not say it twice.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use drill::{Phase, What};
use incident::{Id, Incident};

use super::{
    Drills, conclude, follow,
    live::{Entry, Happened, Live},
    story,
    view::RunView,
};
use crate::{
    access::{SOMEBODY, Visitor},
    error::{Error, Result},
    room::Room,
};

/// After this time in the reset, an instructor may give it up.
const STUCK: TimeDelta = TimeDelta::seconds(60);

impl Drills {
    /// Takes what somebody says about the run in progress.
    ///
    /// # Errors
    /// When this run is not in progress, this is not the time for it, or a trainee stops a verification.
    pub async fn tell(&self, room: &Room, by: &Visitor, id: i64, what: What) -> Result<RunView> {
        let live = self.going(id).await?;
        if live.verifies().is_some() && !by.is_instructor() {
            return Err(Error::ForInstructors("only instructors may stop a verification".to_owned()));
        }
        match what {
            What::Aborted { why } => self.abort(room, by, &live, why).await?,
            _ if live.verifies().is_some() => {
                return Err(Error::Conflict("nobody responds in a verification".to_owned()));
            }
            What::Acknowledged => self.acknowledge(room, by, &live).await?,
            What::Updated { text } => self.update(room, by, &live, text).await?,
            What::Noticed | What::Submitted => self.say(by, &live, what).await?,
            What::Hint => {
                if live.run.record().hints >= live.drill.hints.len() {
                    return Err(Error::Conflict("there is no further hint".to_owned()));
                }
                self.say(by, &live, What::Hint).await?;
            }
            What::Answered { answers } => {
                // Later, the truth may be known.
                if live.run.record().submitted.is_some() {
                    return Err(Error::Conflict(
                        "the run is submitted: the answer stays as it is".to_owned(),
                    ));
                }
                self.say(by, &live, What::Answered { answers }).await?;
            }
            _ => {
                return Err(Error::field(
                    "what",
                    "noticed, acknowledged, hint, answered, updated, submitted or aborted",
                ));
            }
        }
        self.run(by, id).await
    }

    /// Takes a change of the running drill back, as a person asked for it. What follows is decided when the
    /// action is in the journal.
    ///
    /// # Errors
    /// When no drill runs, or it has made no such change yet.
    pub async fn roll_back(&self, _room: &Room, _by: &str, change: &str) -> Result<String> {
        let Some(live) = self.live() else {
            let why = "no drill runs: what can be taken back is a release that is under way, such as REL-7";
            return Err(Error::Conflict(why.to_owned()));
        };
        let made = story::made(&live);
        if made.iter().any(|known| known == change) {
            return Ok(format!("rolled {change} back"));
        }
        let known = if made.is_empty() { "none yet".to_owned() } else { made.join(", ") };
        Err(Error::NoSuch { what: "change", name: change.to_owned(), known })
    }

    /// Pauses the clock of a person's run, or lets it continue.
    ///
    /// # Errors
    /// When no such run is in progress, or the caller is not an instructor.
    pub async fn pause(&self, _room: &Room, by: &Visitor, paused: bool) -> Result<()> {
        if !by.is_instructor() {
            return Err(Error::ForInstructors("only instructors may pause a drill".to_owned()));
        }
        let live = self.live().filter(|live| live.verifies().is_none());
        let live = live.ok_or_else(|| Error::Conflict("no run of a person is under way".to_owned()))?;
        if paused && !(Phase::Observe..=Phase::Recover).contains(&live.phase()) {
            return Err(Error::Conflict(format!("the run is in {}: it cannot stand still", live.phase())));
        }
        let what = if paused { Happened::Paused } else { Happened::Resumed };
        self.note(live.id, vec![Entry { at: Utc::now(), by: by.name.clone(), what }], None).await
    }

    /// The run with this number, if it is in progress.
    async fn going(&self, id: i64) -> Result<Arc<Live>> {
        if let Some(live) = self.live().filter(|live| live.id == id) {
            return Ok(live);
        }
        // It exists, or there is none.
        self.kept(id).await?;
        Err(Error::Conflict(format!("run {id} is over")))
    }

    /// Writes down what a responder says; only while the drill runs.
    async fn say(&self, by: &Visitor, live: &Live, what: What) -> Result<()> {
        let phase = live.phase();
        if phase < Phase::Observe {
            return Err(Error::Conflict("the drill has not begun: it waits for a healthy shop".to_owned()));
        }
        if phase > Phase::Recover {
            return Err(Error::Conflict("the run is over: it puts everything back".to_owned()));
        }
        self.note(live.id, vec![Entry::event(live.now(), &by.name, what)], None).await
    }

    /// Acknowledges the incidents of the run, too.
    async fn acknowledge(&self, room: &Room, by: &Visitor, live: &Live) -> Result<()> {
        self.say(by, live, What::Acknowledged).await?;
        for incident in of(room, live.run.start().at) {
            if incident.acknowledged.is_none() {
                room.desk.act(incident.id, by.source(), incident::What::Acknowledged).await?;
            }
        }
        follow::catch_up(room).await
    }

    /// An update is one of the incident, if there is one.
    async fn update(&self, room: &Room, by: &Visitor, live: &Live, text: String) -> Result<()> {
        let worst: Option<Id> = of(room, live.run.start().at).first().map(|incident| incident.id);
        let Some(worst) = worst else { return self.say(by, live, What::Updated { text }).await };
        room.desk.act(worst, by.source(), incident::What::Updated { text }).await?;
        follow::catch_up(room).await
    }

    /// The person who is in a run, if it is somebody else who asks, and no instructor. Names are what people
    /// say of themselves, so this prevents mistakes; an agent's run belongs to its caller.
    #[must_use]
    pub fn taken_by_another(&self, room: &Room, by: &Visitor) -> Option<String> {
        let live = self.live().filter(|live| live.verifies().is_none())?;
        let another = live.responder != by.name && by.name != SOMEBODY && !by.is_instructor();
        let is_person = room.duty.people().iter().any(|person| person.name == live.responder);
        (another && is_person).then(|| live.responder.clone())
    }

    /// Stops a run. One whose reset does not come to an end is given up, if an instructor says so.
    async fn abort(&self, room: &Room, by: &Visitor, live: &Live, why: String) -> Result<()> {
        if let Some(responder) = self.taken_by_another(room, by) {
            return Err(Error::ForInstructors(format!(
                "only {responder} or an instructor may abort this run"
            )));
        }
        if let Some(since) = live.run.resets_since() {
            let stuck = live.now() - since >= STUCK;
            if stuck && by.is_instructor() {
                return conclude::give_up(room, live).await;
            }
            return Err(Error::Conflict("the run is over: it puts everything back".to_owned()));
        }
        let resumed = Entry { at: Utc::now(), by: by.name.clone(), what: Happened::Resumed };
        let mut entries: Vec<Entry> = live.is_paused().then_some(resumed).into_iter().collect();
        let why = if why.trim().is_empty() { "no reason was given".to_owned() } else { why };
        entries.push(Entry::event(live.now(), &by.name, What::Aborted { why }));
        self.note(live.id, entries, None).await
    }
}

/// The open incidents of a run, the worst first.
fn of(room: &Room, since: DateTime<Utc>) -> Vec<Arc<Incident>> {
    let open = room.desk.open_ones().into_iter();
    open.filter(|incident| incident.opened_at >= since).collect()
}
