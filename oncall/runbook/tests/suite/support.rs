//! What several tests need: a runbook with every kind of step, and a room that does what a run asks for.

use std::{collections::BTreeMap, fs, path::PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use runbook::{
    Answer, Call, Decision, Event, Guardrails, Mode, Next, Place, Run, Verdict, What, Who,
    answer::{Compare, Expect, Op, Sample},
    audit,
    guardrails::Ledger,
    run::End,
};

/// One step of each kind.
pub(crate) const TEXT: &str = r#"
title: Try every kind of step
services: ["${service}"]
parameters:
  service: {what: service, type: choice, of: [order-api, order-worker], from: service}
  limit: {what: what is too much, type: number, least: 1, most: 99, default: "50"}
preconditions:
  - {name: it-is-bad, what: Something waits., promql: 'waiting{job="${service}"}', is: "> 0"}
steps:
  - name: look
    what: See the log.
    check: {log: {service: "${service}", level: warn, text: slow, within: 1m}, is: "> 0", otherwise: continue}
  - name: ready
    what: It answers.
    http: {service: "${service}", path: /readyz, status: "200"}
  - name: sessions
    what: See who is there.
    sql: {query: sessions-of, database: orders, with: {application: psql, older_than: 2m}}
  - name: mute
    what: Others need not know.
    act:
      verb: silence
      with: {alert: TargetDown, service: "${service}", ttl: 10m}
      blast_radius: 1 alert
      idempotency_key: ${run}/mute
      undo: {verb: expire-silence, with: {alert: TargetDown, service: "${service}"}}
  - name: agree
    what: Two people know more than one.
    approve: {why: a restart costs something}
  - name: restart
    what: Start it again.
    act:
      verb: restart
      with: {service: "${service}"}
      blast_radius: 1 replica
      idempotency_key: ${incident}/restart
      undo: {nothing: the new process is like the old one}
  - name: back
    what: It answers.
    wait_until: {promql: 'up{job="${service}"}', is: "== 1", for: 2s, within: 30s}
  - name: good
    what: Nothing waits.
    verify: {promql: 'waiting{job="${service}"}', is: "< 50", within: 30s}
  - name: unmute
    what: Others need to know again.
    undo: mute
"#;

/// An instant.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A file of the checkout.
pub(crate) fn file(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The committed guardrails.
pub(crate) fn rails() -> Guardrails {
    let text = file("guardrails.yaml");
    runbook::read_guardrails("guardrails.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn ada() -> Who {
    Who::Person("ada".to_owned())
}

/// One sample without labels.
pub(crate) fn value(value: f64) -> Answer {
    Answer::Samples { samples: vec![Sample { labels: BTreeMap::new(), value }] }
}

/// An answer that is as expected.
pub(crate) fn expected(expect: &Expect) -> Answer {
    let fits = |is: &Compare| match is.op {
        Op::Less => is.limit - 1.0,
        Op::More | Op::Unequal => is.limit + 1.0,
        Op::AtMost | Op::AtLeast | Op::Equal => is.limit,
    };
    match expect {
        Expect::Value { is, .. } => value(fits(is)),
        Expect::Status { code, not } => {
            Answer::Status { code: if *not { 503 } else { *code }, body: String::new() }
        }
        Expect::Rows { is } => {
            let rows = is.as_ref().map_or(1, |is| fits(is) as usize);
            Answer::Rows { columns: Vec::new(), rows: vec![vec!["1".to_owned()]; rows] }
        }
    }
}

/// One that is not.
pub(crate) fn wrong(expect: &Expect) -> Answer {
    match expect {
        Expect::Value { is, .. } => value(match is.op {
            Op::Less | Op::AtMost | Op::Equal => is.limit + 1.0,
            Op::More | Op::AtLeast => is.limit - 1.0,
            Op::Unequal => is.limit,
        }),
        Expect::Status { code, not } => {
            Answer::Status { code: if *not { *code } else { 599 }, body: String::new() }
        }
        Expect::Rows { .. } => Answer::Failed { why: "refused".to_owned() },
    }
}

/// A start of [`TEXT`].
pub(crate) fn started(mode: Mode, by: Who) -> Event {
    Event {
        at: at("2026-11-29T07:00:00Z"),
        what: What::Started {
            run: "run-1".to_owned(),
            file: "runbooks/Every.yaml".to_owned(),
            text: TEXT.to_owned(),
            mode,
            by,
            incident: Some("INC-7".to_owned()),
            parameters: BTreeMap::new(),
            labels: map(&[("service", "order-worker")]),
        },
    }
}

/// The room was killed.
#[derive(Debug)]
pub(crate) struct Killed;

type Answers = fn(&Place, &Call, bool) -> Answer;

/// A control room with a journal, and the world that it acts on.
pub(crate) struct Room {
    pub(crate) journal: Vec<Event>,
    pub(crate) chain: Vec<audit::Entry>,
    pub(crate) ledger: Ledger,
    pub(crate) rails: Guardrails,
    /// How often each act was done, by key.
    pub(crate) world: BTreeMap<String, u32>,
    /// What the world answers; the last argument says whether an act was done.
    pub(crate) answers: Answers,
    /// What the guardrails say.
    pub(crate) verdict: Verdict,
    now: DateTime<Utc>,
    /// How many things may still happen before it is killed.
    pub(crate) fuel: usize,
}

/// Bad before the restart, good afterwards.
pub(crate) fn good(_: &Place, call: &Call, acted: bool) -> Answer {
    match call {
        Call::Promql { query } if query.starts_with("waiting") => value(if acted { 0.0 } else { 99.0 }),
        Call::Promql { .. } => value(1.0),
        Call::Log { .. } => Answer::Lines { count: 3, newest: Some("slow".to_owned()) },
        Call::Http { .. } => Answer::Status { code: 200, body: String::new() },
        Call::Sql { .. } => Answer::Rows { columns: Vec::new(), rows: Vec::new() },
    }
}

/// Bad, whatever is done.
pub(crate) fn bad(place: &Place, call: &Call, _: bool) -> Answer {
    good(place, call, false)
}

impl Room {
    pub(crate) fn new(answers: Answers) -> Self {
        Self {
            journal: Vec::new(),
            chain: Vec::new(),
            ledger: Ledger::default(),
            rails: rails(),
            world: BTreeMap::new(),
            answers,
            verdict: Verdict::Allow,
            now: at("2026-11-29T07:00:00Z"),
            fuel: usize::MAX,
        }
    }

    /// Starts a run, which ends or is killed.
    pub(crate) fn start(&mut self, event: Event) -> Result<End, Killed> {
        let mut run = Run::start(&event).unwrap_or_else(|refused| panic!("{refused}"));
        self.record(event);
        self.drive(&mut run)
    }

    /// Continues after a kill.
    pub(crate) fn resume(&mut self) -> Result<End, Killed> {
        let mut run = Run::replay(&self.journal).unwrap_or_else(|refused| panic!("{refused}"));
        self.drive(&mut run)
    }

    fn drive(&mut self, run: &mut Run) -> Result<End, Killed> {
        for _ in 0..500 {
            if let Next::Ended(end) = run.next() {
                return Ok(end);
            }
            self.turn(run)?;
        }
        panic!("the run does not end: {:?}", run.next())
    }

    /// Does what is next.
    pub(crate) fn turn(&mut self, run: &mut Run) -> Result<(), Killed> {
        match run.next() {
            Next::Ended(_) => Ok(()),
            Next::Confirm(shown) => {
                let branch = shown.branches.first().map(|branch| branch.name.clone());
                self.keep(run, What::Confirmed { place: shown.place, by: "ada".to_owned(), branch })
            }
            Next::Approve(request) => {
                self.keep(run, What::Approved { by: "ben".to_owned(), digest: request.digest })
            }
            Next::Look { place, call, .. } => {
                let acted = self.world.keys().any(|key| key.ends_with("/restart"));
                let answer = (self.answers)(&place, &call, acted);
                self.keep(run, What::Answered { place, answer })
            }
            Next::Decide { place, .. } => {
                let decision = Decision { verdict: self.verdict, reasons: vec!["because".to_owned()] };
                self.keep(run, What::Decided { place, decision })
            }
            Next::Act { place, change, begun: None } => {
                let before = self.world.get(&change.key).copied().unwrap_or_default();
                self.keep(run, What::Begun { place, before: Some(before.to_string()) })
            }
            Next::Act { place, change, begun: Some(begun) } => {
                self.burn()?;
                let times = self.world.entry(change.key).or_default();
                // What was seen before tells whether the act was done before a kill.
                if begun.before == Some(times.to_string()) {
                    *times += 1;
                }
                self.burn()?;
                self.keep(run, What::Done { place, ok: true, text: "done".to_owned() })
            }
        }
    }

    /// Keeps an event, with its entry in the audit log.
    fn keep(&mut self, run: &mut Run, what: What) -> Result<(), Killed> {
        self.burn()?;
        self.now += TimeDelta::seconds(1);
        let event = Event { at: self.now, what };
        if run.is_news(&event) {
            run.apply(&event).unwrap_or_else(|refused| panic!("{refused}"));
            for noted in runbook::guardrails::noted(run, &event) {
                let _ = self.ledger.note(&self.rails, 1, &noted);
            }
            self.record(event);
        }
        self.burn()
    }

    fn record(&mut self, event: Event) {
        let head = self.chain.last().map(audit::Entry::head).unwrap_or_default();
        let data = serde_json::to_string(&event).expect("JSON");
        self.chain.push(audit::Entry::after(&head, event.at, "room", "run.event", data));
        self.journal.push(event);
    }

    fn burn(&mut self) -> Result<(), Killed> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Killed)?;
        Ok(())
    }
}
