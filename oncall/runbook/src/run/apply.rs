//! What an event changes, or why it is refused.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Approval, Begun, Ending, Event, Here, Mode, Next, Refused, Run, What, Who,
    choose::{never_alone, undecidable},
    later,
};
use crate::{
    Answer, Given, Place, Plan,
    model::{Otherwise, Task},
    read,
};

/// What an answer means for the current place.
enum Meaning {
    /// Nothing new: keep asking.
    Same,
    /// A wait has begun to hold, or has stopped holding.
    Held(Option<DateTime<Utc>>),
    /// On to the next place; `true` if the answer was as expected.
    Pass(bool),
    /// The branch that is next is the right one.
    Choose,
    /// It is not: on to the next branch.
    Other,
    /// Not as expected.
    Fail(String),
}

impl Run {
    /// The run that begins with an event.
    ///
    /// # Errors
    /// When it is not a start, or its file or its parameters are wrong.
    pub fn start(event: &Event) -> Result<Self, Refused> {
        let What::Started { run, file, text, mode, by, incident, parameters, labels } = &event.what else {
            return Err(Refused::NotStarted);
        };
        if *by == Who::Automation && *mode != Mode::Auto {
            return Err(Refused::Mode(*mode));
        }
        let runbook = read::runbook(file, text).map_err(Refused::File)?;
        let given = Given { run, incident: incident.as_deref(), parameters, labels };
        if *mode != Mode::Manual
            && let Some(step) = undecidable(&runbook)
        {
            return Err(Refused::Undecidable(step.to_owned()));
        }
        if *mode == Mode::Auto
            && let Some(step) = never_alone(&runbook)
        {
            return Err(Refused::NeverAuto(step.to_owned()));
        }
        let plan = Plan::new(runbook, &given).map_err(Refused::Parameters)?;
        let hands = match by {
            Who::Person(name) => std::iter::once(name.clone()).collect(),
            Who::Automation => std::collections::BTreeSet::new(),
        };
        let place =
            if plan.runbook.preconditions.is_empty() { Place::Step(0) } else { Place::Precondition(0) };
        Ok(Self {
            id: run.clone(),
            plan,
            mode: *mode,
            by: by.clone(),
            incident: incident.clone(),
            started: event.at,
            place,
            since: event.at,
            here: Here::default(),
            approved: false,
            approvals: Vec::new(),
            hands,
            chosen: std::collections::BTreeSet::new(),
            done: Vec::new(),
            undoing: None,
            passed: Vec::new(),
            end: None,
        })
    }

    /// Takes an event.
    ///
    /// # Errors
    /// When it cannot happen now; then nothing has changed.
    pub fn apply(&mut self, event: &Event) -> Result<(), Refused> {
        if let Some(end) = &self.end {
            return Err(Refused::Ended(end.why.clone()));
        }
        let at = event.at.max(self.since);
        match (&event.what, self.next()) {
            (What::Stopped { by, why }, _) => {
                filled(why, "the reason")?;
                self.stop(at, &format!("stopped by {by}: {why}"));
            }
            (What::Confirmed { place, by, branch }, Next::Confirm(_)) if *place == self.place => {
                filled(by, "the name")?;
                self.one_of_them(branch.as_deref())?;
                self.hands.insert(by.clone());
                self.here.confirmed = Some((by.clone(), at));
                if let Some(branch) = branch {
                    self.choose(at, branch, format!("{by} chooses {branch}"));
                }
            }
            (What::Skipped { place, by, why }, _) if self.guides(*place) => self.skip(at, by, why)?,
            (What::Approved { by, digest }, Next::Approve(request)) => {
                self.second(by)?;
                if *digest != request.digest {
                    return Err(Refused::Digest);
                }
                self.approved = true;
                self.approvals.push(Approval { by: by.clone(), asked: self.asked(), at });
                // The situation may have changed while people talked.
                self.here.decision = None;
                if matches!(self.task(), Some(Task::Approve { .. })) {
                    self.pass(at, true, format!("approved by {by}"), Some(by.clone()));
                }
            }
            (What::Declined { by, why }, Next::Approve(_)) => {
                self.second(by)?;
                filled(why, "the reason")?;
                self.fail(at, Ending::Declined, format!("{by} declined: {why}"));
            }
            (What::Decided { place, decision }, Next::Decide { .. } | Next::Act { begun: None, .. })
                if *place == self.place =>
            {
                self.decided(at, decision);
            }
            (What::Begun { place, before }, Next::Act { begun: None, .. }) if *place == self.place => {
                self.here.begun = Some(Begun { at: event.at, before: before.clone() });
            }
            (What::Done { place, ok, text }, Next::Act { begun: Some(_), .. }) if *place == self.place => {
                self.did(at, *ok, text);
            }
            (What::Answered { place, answer }, Next::Look { .. }) if *place == self.place => {
                self.learn(at, answer);
            }
            (what, next) => {
                return Err(Refused::Unexpected { found: what.word(), expected: next.words() });
            }
        }
        Ok(())
    }

    /// Whether an event has to be kept. An answer to a wait that changes nothing need not: a wait of ten minutes
    /// would be hundreds of rows.
    #[must_use]
    pub fn is_news(&self, event: &Event) -> bool {
        match &event.what {
            What::Answered { place, answer } if *place == self.place && self.end.is_none() => {
                !matches!(self.meaning(event.at.max(self.since), answer), Meaning::Same)
            }
            _ => true,
        }
    }

    /// Whether a person is at this place in manual mode.
    fn guides(&self, place: Place) -> bool {
        self.mode == Mode::Manual && place == self.place && !matches!(place, Place::Precondition(_))
    }

    fn skip(&mut self, at: DateTime<Utc>, by: &str, why: &str) -> Result<(), Refused> {
        filled(why, "the reason")?;
        let refused = match self.task() {
            Some(Task::Verify(_)) => Some("it proves that the acts helped; stop the run instead"),
            Some(Task::Approve { .. }) => Some("a second person has to approve"),
            Some(Task::Decide { .. }) => Some("one of its branches has to be chosen; or stop the run"),
            _ if self.here.begun.is_some() => Some("it has begun; record what became of it"),
            _ => None,
        };
        if let Some(why) = refused {
            return Err(Refused::NotSkippable { place: self.place, why });
        }
        self.hands.insert(by.to_owned());
        let text = format!("left out by {by}: {why}");
        if let Place::Undo(step) = self.place {
            self.leave(step, &text);
        }
        self.pass(at, false, text, Some(by.to_owned()));
        Ok(())
    }

    /// Refuses an approval by somebody who works on the run.
    fn second(&self, by: &str) -> Result<(), Refused> {
        filled(by, "the name")?;
        if self.hands.contains(by) { Err(Refused::SamePerson(by.to_owned())) } else { Ok(()) }
    }

    fn learn(&mut self, at: DateTime<Utc>, answer: &Answer) {
        match self.meaning(at, answer) {
            Meaning::Same => {}
            Meaning::Held(since) => self.here.held = since,
            Meaning::Pass(ok) => self.pass(at, ok, answer.text(), None),
            Meaning::Choose => self.choose_next(at, answer),
            Meaning::Other => self.here.branch += 1,
            Meaning::Fail(why) => {
                let name = self.plan.title(self.place).map_or("", |(name, _)| name);
                let why = format!("{name}: {why}");
                self.fail(at, Ending::Stopped, why);
            }
        }
    }

    fn meaning(&self, at: DateTime<Utc>, answer: &Answer) -> Meaning {
        let Some((_, expect)) = self.look() else { return Meaning::Same };
        let holds = expect.holds(answer);
        let instead = || format!("expected {}, found {}", expect.text(), answer.text());
        if let Some(Task::Decide { branches }) = self.task() {
            return match answer {
                // What is not known is no reason to take another way.
                Answer::Failed { .. } => Meaning::Fail(format!("nothing can be decided: {}", answer.text())),
                _ if holds => Meaning::Choose,
                _ if self.here.branch + 1 < branches.len() => Meaning::Other,
                _ => Meaning::Fail(format!("no branch is the right one; at the last, {}", instead())),
            };
        }
        let Some(wait) = self.wait() else {
            let goes_on = matches!(self.task(), Some(Task::Look { otherwise: Otherwise::Continue, .. }));
            return if holds || goes_on { Meaning::Pass(holds) } else { Meaning::Fail(instead()) };
        };
        let since = self.here.held.unwrap_or(at);
        let hold = TimeDelta::from_std(wait.hold).unwrap_or(TimeDelta::MAX);
        if holds && at - since >= hold {
            return Meaning::Pass(true);
        }
        if at >= later(self.asked(), wait) {
            let within = crate::parameter::words(wait.within);
            return Meaning::Fail(format!("not so within {within}: {}", instead()));
        }
        match (holds, self.here.held) {
            (true, None) => Meaning::Held(Some(at)),
            (false, Some(_)) => Meaning::Held(None),
            _ => Meaning::Same,
        }
    }

    /// An act was done, or taken back, or failed.
    fn did(&mut self, at: DateTime<Utc>, ok: bool, text: &str) {
        let undone = match (self.place, self.task()) {
            (Place::Undo(step), _) => Some(step),
            (_, Some(Task::Undo { act })) => Some(*act),
            _ => None,
        };
        match (undone, self.place) {
            (Some(step), _) if ok => {
                self.done.retain(|done| *done != step);
                let what = self.plan.change(Place::Step(step)).map(|change| change.text());
                if let Some(undoing) = &mut self.undoing {
                    undoing.undone.extend(what);
                }
            }
            (Some(step), _) if self.undoing.is_some() => self.leave(step, text),
            // A failed act may have been done in part, so it is taken back, too.
            (None, Place::Step(step)) => self.done.push(step),
            _ => {}
        }
        if ok || self.undoing.is_some() {
            self.pass(at, ok, text.to_owned(), None);
        } else {
            let name = self.plan.title(self.place).map_or("", |(name, _)| name).to_owned();
            self.fail(at, Ending::Failed, format!("{name} failed: {text}"));
        }
    }

    /// On to the next place.
    pub(super) fn pass(&mut self, at: DateTime<Utc>, ok: bool, text: String, by: Option<String>) {
        self.note_passed(at, by, ok, text);
        let steps = self.plan.runbook.steps.len();
        let mut next = match self.place {
            Place::Precondition(index) if index + 1 < self.plan.runbook.preconditions.len() => {
                return self.go(at, Place::Precondition(index + 1));
            }
            Place::Precondition(_) => 0,
            Place::Step(index) => index + 1,
            Place::Undo(_) => return self.take_back(at),
        };
        while self.is_idle(next) {
            next += 1;
        }
        if next < steps {
            self.go(at, Place::Step(next));
        } else {
            self.end = Some(self.over(at, Ending::Succeeded, "every step is done".to_owned()));
        }
    }

    pub(super) fn go(&mut self, at: DateTime<Utc>, place: Place) {
        self.place = place;
        self.since = at;
        self.here = Here::default();
    }
}

fn filled(text: &str, what: &'static str) -> Result<(), Refused> {
    if text.trim().is_empty() { Err(Refused::Empty(what)) } else { Ok(()) }
}
