//! What each event changes, and when it is refused. An event that is refused changes nothing.

use chrono::{DateTime, Utc};

use super::{Acknowledgement, Incident, Member, Refused};
use crate::{
    Entry, EntryKind, Event, Finding, Hypothesis, Severity, Source, State, Task, Verdict, What,
    alerts::{Alert, AlertKey},
};

impl Incident {
    /// Takes an event.
    ///
    /// # Errors
    /// When it cannot happen now; the error says what could. Nothing has changed then.
    pub fn apply(&mut self, event: &Event) -> Result<(), Refused> {
        self.act(event)?;
        self.updated_at = self.updated_at.max(event.at);
        Ok(())
    }

    fn act(&mut self, event: &Event) -> Result<(), Refused> {
        let news = match &event.what {
            What::AlertFired { alert } => self.fired(alert, event.at)?,
            _ => self.respond(event).map(|()| true)?,
        };
        if news {
            self.write(event);
        }
        if self.state == State::Closed {
            self.unseal();
        }
        Ok(())
    }

    /// Events about the incident and the people who work on it.
    fn respond(&mut self, event: &Event) -> Result<(), Refused> {
        let at = event.at;
        match &event.what {
            What::Opened { .. } => return Err(Refused::OpenedTwice { id: self.id }),
            What::Renamed { title } => self.title = self.filled(title, "the title")?,
            What::SeveritySet { severity, .. } => {
                self.open_for("the severity can change")?;
                self.set_severity(*severity);
            }
            What::DeclaredMajor { .. } => self.declare()?,
            What::Moved { to, .. } => self.go(*to, at)?,
            What::Acknowledged => self.acknowledge(&event.by, at)?,
            What::AcknowledgementExpired => {
                self.open_for("an acknowledgement can expire")?;
                self.acknowledged = None;
            }
            What::Assigned { role, person } => {
                self.open_for("roles can be given")?;
                let person = self.filled(person, "the person")?;
                self.roles.insert(*role, person);
            }
            What::Relieved { role } => {
                self.roles.remove(role).ok_or_else(|| self.unknown(role.to_string()))?;
            }
            What::Paged { .. } => {
                self.times.paged.get_or_insert(at);
            }
            What::Escalated { .. } => {
                self.open_for("it can escalate")?;
                self.escalations += 1;
            }
            What::TaskAdded { task } => self.add_task(task)?,
            What::TaskDone { id } => self.finish_task(*id, at)?,
            _ => self.learn(&event.what, at)?,
        }
        Ok(())
    }

    fn unaffected(&mut self, service: &str) -> Result<(), Refused> {
        if self.services.remove(service) {
            Ok(())
        } else {
            Err(self.unknown(format!("affected service `{service}`")))
        }
    }

    /// Events about what is known.
    fn learn(&mut self, what: &What, at: DateTime<Utc>) -> Result<(), Refused> {
        match what {
            What::Affected { service } => {
                let service = self.filled(service, "the service")?;
                self.services.insert(service);
            }
            What::Unaffected { service } => self.unaffected(service)?,
            What::AlertCleared { key, ended_at } => self.cleared(key, *ended_at)?,
            What::Updated { text } => {
                self.filled(text, "the update")?;
            }
            What::Noted { kind, happened_at, text, sealed, .. } => {
                self.filled(text, "the entry")?;
                // The time of a sealed symptom would give away what is sealed.
                if *kind == EntryKind::Symptom && !sealed {
                    let first = self.times.symptom.map_or(*happened_at, |known| known.min(*happened_at));
                    self.times.symptom = Some(first);
                }
            }
            What::Linked { link } => self.links.push(link.clone()),
            What::HypothesisStated { id, text } => self.state_hypothesis(*id, text, at)?,
            What::HypothesisTested { id, supports, text, evidence } => {
                let finding =
                    Finding { at, supports: *supports, text: text.clone(), evidence: evidence.clone() };
                self.undecided(*id)?.findings.push(finding);
            }
            What::HypothesisRuledOut { id, why } => {
                self.undecided(*id)?.verdict = Verdict::RuledOut { why: why.clone() };
            }
            What::HypothesisConfirmed { id, why } => {
                self.undecided(*id)?.verdict = Verdict::Confirmed { why: why.clone() };
            }
            What::ImpactMeasured { impact } => self.impact = impact.clone(),
            What::Recovered { since, .. } => self.times.recovered = Some(*since),
            What::TruthSealed { truth } => {
                self.sealed_truth.get_or_insert_with(|| truth.clone());
            }
            // The others were taken before.
            _ => {}
        }
        Ok(())
    }

    /// The next state of the life cycle, and what it implies.
    fn go(&mut self, to: State, at: DateTime<Utc>) -> Result<(), Refused> {
        let (id, from) = (self.id, self.state);
        if !from.may_become().contains(&to) {
            return Err(Refused::Transition { id, from, to });
        }
        if at < self.changed_at {
            return Err(Refused::Early { id, state: from, last: self.changed_at, at });
        }
        match to {
            State::Active if from == State::Resolved => {
                self.reopened += 1;
                self.times.resolved = None;
                self.times.mitigated = None;
                self.times.recovered = None;
            }
            State::Active if from == State::Mitigated => self.times.mitigated = None,
            State::Mitigated => self.times.mitigated = Some(at),
            State::Resolved => {
                self.times.mitigated.get_or_insert(at);
                self.times.resolved = Some(at);
            }
            State::Closed | State::Dismissed => self.times.ended = Some(at),
            State::Triage | State::Active => {}
        }
        self.state = to;
        self.changed_at = at;
        Ok(())
    }

    fn acknowledge(&mut self, by: &Source, at: DateTime<Utc>) -> Result<(), Refused> {
        self.open_for("somebody can acknowledge")?;
        if self.state == State::Triage {
            self.go(State::Active, at)?;
        }
        if matches!(by, Source::Person(_)) {
            self.times.acknowledged.get_or_insert(at);
        }
        self.acknowledged = Some(Acknowledgement { by: by.name().to_owned(), at });
        Ok(())
    }

    fn declare(&mut self) -> Result<(), Refused> {
        self.open_for("it can be declared a major incident")?;
        if self.major {
            return Err(Refused::Twice { id: self.id, what: "it is a major incident already".to_owned() });
        }
        self.major = true;
        // A major incident is at least SEV-2.
        self.severity = self.severity.min(Severity::Sev2);
        Ok(())
    }

    /// A severity below SEV-2 ends a major incident, too.
    fn set_severity(&mut self, severity: Severity) {
        self.severity = severity;
        self.major &= severity.is_major();
    }

    /// False if it is known to fire already.
    fn fired(&mut self, alert: &Alert, at: DateTime<Utc>) -> Result<bool, Refused> {
        self.open_for("alerts can join")?;
        self.times.fired.get_or_insert(alert.key.starts_at.min(at));
        self.services.extend(alert.service.clone());
        let member = Member { alert: alert.clone(), joined_at: at, ended_at: None };
        match self.alerts.iter_mut().find(|known| known.alert.key == alert.key) {
            Some(known) if known.ended_at.is_none() => return Ok(false),
            Some(known) => *known = member,
            None => self.alerts.push(member),
        }
        Ok(true)
    }

    fn cleared(&mut self, key: &AlertKey, ended_at: DateTime<Utc>) -> Result<(), Refused> {
        let id = self.id;
        let found = self.alerts.iter_mut().find(|member| member.alert.key == *key);
        let member =
            found.ok_or_else(|| Refused::Unknown { id, what: format!("alert {}", key.fingerprint) })?;
        if member.ended_at.is_some() {
            let what = format!("{} has cleared already", member.alert.name);
            return Err(Refused::Twice { id, what });
        }
        member.ended_at = Some(ended_at);
        Ok(())
    }

    fn add_task(&mut self, task: &Task) -> Result<(), Refused> {
        self.filled(&task.text, "the task")?;
        if self.tasks.iter().any(|known| known.id == task.id) {
            return Err(Refused::Twice { id: self.id, what: format!("task {} exists already", task.id) });
        }
        self.tasks.push(task.clone());
        Ok(())
    }

    fn finish_task(&mut self, number: u32, at: DateTime<Utc>) -> Result<(), Refused> {
        let id = self.id;
        let task = self.tasks.iter_mut().find(|task| task.id == number);
        let task = task.ok_or_else(|| Refused::Unknown { id, what: format!("task {number}") })?;
        if task.done_at.is_some() {
            return Err(Refused::Twice { id, what: format!("task {number} is done already") });
        }
        task.done_at = Some(at);
        Ok(())
    }

    fn state_hypothesis(&mut self, number: u32, text: &str, at: DateTime<Utc>) -> Result<(), Refused> {
        let text = self.filled(text, "the hypothesis")?;
        if self.hypotheses.iter().any(|known| known.id == number) {
            return Err(Refused::Twice { id: self.id, what: format!("hypothesis {number} exists already") });
        }
        let (findings, verdict) = (Vec::new(), Verdict::Open);
        self.hypotheses.push(Hypothesis { id: number, text, stated_at: at, findings, verdict });
        Ok(())
    }

    /// A hypothesis that is neither ruled out nor confirmed.
    fn undecided(&mut self, number: u32) -> Result<&mut Hypothesis, Refused> {
        let id = self.id;
        let found = self.hypotheses.iter_mut().find(|hypothesis| hypothesis.id == number);
        let hypothesis =
            found.ok_or_else(|| Refused::Unknown { id, what: format!("hypothesis {number}") })?;
        match hypothesis.verdict {
            Verdict::Open => Ok(hypothesis),
            _ => Err(Refused::Twice { id, what: format!("hypothesis {number} is decided already") }),
        }
    }

    /// The truth comes to light.
    fn unseal(&mut self) {
        if self.truth.is_none() {
            self.truth = self.sealed_truth.take();
        }
        let opened = self.sealed.drain(..).map(|entry| Entry { sealed: false, ..entry });
        self.timeline.extend(opened);
        self.timeline.sort_by_key(|entry| entry.at);
    }

    fn open_for(&self, what: &'static str) -> Result<(), Refused> {
        if self.state.is_open() {
            Ok(())
        } else {
            Err(Refused::NotOpen { id: self.id, state: self.state, what })
        }
    }

    fn filled(&self, text: &str, what: &'static str) -> Result<String, Refused> {
        if text.trim().is_empty() { Err(Refused::Empty { id: self.id, what }) } else { Ok(text.to_owned()) }
    }

    fn unknown(&self, what: String) -> Refused {
        Refused::Unknown { id: self.id, what }
    }
}
