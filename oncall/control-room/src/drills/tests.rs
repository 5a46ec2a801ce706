//! Whole runs of every drill that is compiled in, on a clock of the test: what a trainee may see in each
//! second, and that a replay of the rows is the same run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use drill::{
    Act, Action, Drill, Mode, Phase, What,
    engine::{Answers, Responder, Start},
};

use super::{
    library::Library,
    live::{Entry, Happened, Live, Seen},
    rows::{End, Kept},
    show,
};
use crate::content::Content;

fn library() -> Library {
    Library::new(&Content::open(None).unwrap())
}

/// In the past, so that the time of the test is never before that of the run.
fn beginning() -> DateTime<Utc> {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn person() -> Mode {
    Mode::Person { name: "ada".to_owned() }
}

/// A run, and the second in which it is.
struct Walk {
    live: Live,
    now: DateTime<Utc>,
    rows: Vec<Entry>,
    /// Whether something is broken.
    broken: bool,
}

impl Walk {
    fn new(drill: Arc<Drill>, mode: Mode, mystery: bool) -> Self {
        let services = ["order-api", "order-worker", "user-service"].map(str::to_owned).to_vec();
        let replicas = BTreeMap::new();
        let start = Start {
            at: beginning(),
            mode,
            seed: 7,
            services,
            replicas,
            seen: false,
            follows: None,
            variant: None,
        };
        let live = Live::new(1, drill, "ada".to_owned(), mystery, start, 0);
        Self { live, now: beginning(), rows: Vec::new(), broken: false }
    }

    fn take(&mut self, what: Happened) {
        let entry = Entry { at: self.now, by: "test".to_owned(), what };
        self.live.take(&entry);
        self.rows.push(entry);
    }

    fn event(&mut self, what: What) {
        self.take(Happened::Event(what));
    }

    fn phase(&self) -> Phase {
        self.live.run.phase(self.now)
    }

    /// A second passes: what is due is done, and what is asked is answered.
    fn tick(&mut self) {
        self.now += TimeDelta::seconds(1);
        for due in self.live.run.due(self.now) {
            use Action::{EndFault, PushRule, RunScript, SetFault, StartPart};
            use Action::{StopPart, UndoScript, WithdrawRule};
            let heals = matches!(
                due.action,
                EndFault { .. } | WithdrawRule { .. } | StartPart { .. } | UndoScript { .. }
            );
            let breaks =
                matches!(due.action, SetFault { .. } | PushRule { .. } | StopPart { .. } | RunScript { .. });
            self.broken = !heals && (self.broken || breaks);
            self.event(What::Done { action: due.id });
        }
        let looks = self.live.run.looks(self.now);
        let seen = looks.into_iter().map(|look| {
            let sign = ["signal", "path", "restarted"].iter().any(|kind| look.id.starts_with(kind));
            let bad = look.id.starts_with("abort") || (look.id.starts_with("sli") && self.broken);
            let holds = if sign { self.broken } else { !bad };
            Seen { look: look.id, holds, seen: "1".to_owned() }
        });
        let seen = seen.collect();
        self.take(Happened::Looks(seen));
    }

    fn until(&mut self, phase: Phase) {
        for _ in 0..4000 {
            if self.phase() >= phase {
                return;
            }
            self.tick();
        }
        panic!("{}: {phase} never came", self.live.drill.id);
    }
}

/// The parts of a drill that no trainee may read while it runs, except texts that are in its brief too.
fn secrets(drill: &Drill, hints: usize) -> Vec<String> {
    let of = &drill.mitigations;
    let whys = of.accepted.iter().map(|one| &one.why).chain(of.wrong.iter().map(|one| &one.why));
    let whys = whys.chain(of.harmful.iter().map(|one| &one.why)).cloned();
    let queries = drill.queries().into_iter().map(|(_, query)| query.to_owned());
    let names = drill.signals.iter().map(|one| &one.name).chain(drill.path.iter().map(|one| &one.name));
    let names = names.cloned().chain(drill.faults.iter().map(|fault| fault.fault.clone()));
    let names = names.chain(drill.oracle.sli.iter().map(|check| check.name.clone()));
    // A single word, such as `crash`, is one of everyday language.
    let names = names.filter(|name| name.contains(['-', ' ']));
    let left = drill.hints.iter().skip(hints).map(|hint| hint.text.clone());
    let all = whys.chain(queries).chain(names).chain(left);
    let public = serde_json::to_string(&drill.brief()).unwrap();
    let all = all.chain([drill.debrief.clone()]).map(|text| serde_json::to_string(&text).unwrap());
    // As JSON has them, without the quotes around them.
    let all = all.map(|text| text[1..text.len() - 1].to_owned());
    all.filter(|text| !public.contains(text.as_str())).collect()
}

fn told(walk: &Walk, instructor: bool) -> String {
    serde_json::to_string(&show::live(&walk.live, walk.now, instructor)).unwrap()
}

#[track_caller]
fn assert_sealed(walk: &Walk) {
    let told = told(walk, false);
    let drill = &walk.live.drill;
    for secret in secrets(drill, walk.live.run.record().hints) {
        assert!(!told.contains(&secret), "{} in {}: `{secret}` in {told}", drill.id, walk.phase());
    }
}

#[test]
fn in_no_second_of_any_drill_a_trainee_reads_the_truth() {
    for drill in library().all() {
        let mut walk = Walk::new(drill, person(), false);
        assert_sealed(&walk);
        let mut seconds = 0;
        while walk.phase() < Phase::Finished && seconds < 900 {
            walk.tick();
            // Every phase, and a second of each minute.
            if seconds % 20 == 0 {
                assert_sealed(&walk);
            }
            match seconds {
                40 => walk.event(What::Acknowledged),
                45 => walk.event(What::Hint),
                60 => walk.event(What::Submitted),
                _ => {}
            }
            seconds += 1;
        }
        assert_sealed(&walk);
        assert_eq!(walk.phase(), Phase::Finished, "{}", walk.live.drill.id);
    }
}

#[test]
fn of_a_mystery_not_even_the_name_is_known_and_an_instructor_knows_all() {
    let (drill, _) = library().find("slow-morning").unwrap();
    let mut walk = Walk::new(Arc::clone(&drill), person(), true);
    for phase in [Phase::Baseline, Phase::Observe] {
        walk.until(phase);
        let (trainee, instructor) = (told(&walk, false), told(&walk, true));
        for word in [drill.id.as_str(), drill.title.as_str(), "order page takes a second"] {
            assert!(!trainee.contains(word), "{phase}: {trainee}");
            assert!(instructor.contains(word), "{phase}: {instructor}");
        }
        assert!(instructor.contains("db-slow-query"), "{instructor}");
        assert!(!trainee.contains("db-slow-query") && !trainee.contains("slow-statements"), "{trainee}");
    }
}

#[test]
fn of_a_verification_a_trainee_does_not_learn_the_steps() {
    let (drill, _) = library().find("first-page").unwrap();
    let page = drill.pages.expected[0].clone();
    let mut walk = Walk::new(drill, Mode::Verify { responder: Responder::Solution }, false);
    walk.until(Phase::Observe);
    let (mut trainee, mut instructor) = (BTreeSet::new(), BTreeSet::new());
    let mut page =
        Some(What::Notified { alert: page.alert, service: page.service, page: true, firing: true });
    while walk.phase() < Phase::Reset {
        trainee.insert(show::live(&walk.live, walk.now, false).phase);
        instructor.insert(show::live(&walk.live, walk.now, true).phase);
        assert_eq!(show::live(&walk.live, walk.now, false).waiting_for, Vec::<String>::new());
        walk.tick();
        if walk.live.run.injected().is_some()
            && let Some(page) = page.take()
        {
            walk.event(page);
        }
    }
    assert!(instructor.contains("wrong action 1") && instructor.contains("recover"), "{instructor:?}");
    assert_eq!(trainee, BTreeSet::from(["observe".to_owned()]));
}

#[test]
fn what_is_waited_for_is_told_in_words_that_are_the_same_in_every_drill() {
    let (drill, _) = library().find("one-second-more").unwrap();
    let mut walk = Walk::new(drill, person(), false);
    let waiting = show::live(&walk.live, walk.now, false).waiting_for;
    let expected = "what the last drill left is gone; no replica is drained; every protection is as it was; \
                    the load is as it was; no alert fires; the shop is well";
    assert_eq!(waiting.join("; "), expected);
    let known = show::live(&walk.live, walk.now, true).waiting_for.join("; ");
    assert!(known.contains("payments do not conflict (seen: nobody looked)"), "{known}");
    walk.until(Phase::Observe);
    assert!(show::live(&walk.live, walk.now, false).waiting_for.is_empty(), "a person works");
}

#[test]
fn a_finished_run_is_shown_with_its_truth_to_those_who_may_know_it() {
    let (drill, file) = library().find("first-page").unwrap();
    let mut walk = Walk::new(Arc::clone(&drill), person(), true);
    walk.until(Phase::Observe);
    for _ in 0..20 {
        walk.tick();
    }
    let answers = Answers { components: vec!["order-api".to_owned()], ..Answers::default() };
    walk.event(What::Answered { answers });
    walk.event(What::Acted { act: Act::Rollback { change: "order-api-1-8".to_owned() } });
    walk.tick();
    walk.event(What::Submitted);
    walk.until(Phase::Finished);
    let outcome = walk.live.run.outcome().unwrap();
    let end = End {
        at: walk.now,
        verdict: outcome.verdict.to_string(),
        score: Some(70),
        outcome: Some(outcome),
        curve: None,
    };
    let kept = Kept {
        id: 1,
        drill: drill.id.clone(),
        file: file.into_owned(),
        mystery: true,
        responder: "ada".to_owned(),
        start: walk.live.run.start().clone(),
        followed: 0,
        end: Some(end),
        learned: None,
    };
    let open = show::kept(&kept, Some(&drill), true);
    assert_eq!((open.verdict.as_deref(), open.drill.as_deref()), (Some("passed"), Some("first-page")));
    assert_eq!(open.acts, ["roll back order-api-1-8"]);
    assert!(open.score.is_some_and(|score| score.lines.len() == 8));
    assert_eq!(open.truth.map(|truth| truth.components), Some(vec!["order-api".to_owned()]));
    let sealed = show::kept(&kept, Some(&drill), false);
    assert!(sealed.truth.is_none() && sealed.score.is_none() && sealed.failures.is_empty());
    assert_eq!(sealed.verdict.as_deref(), Some("passed"));
    assert!(sealed.acts.is_empty() && sealed.hints.is_empty() && sealed.answers.is_none());
}

#[test]
fn the_rows_of_a_run_add_up_to_the_same_run_after_a_crash_at_any_of_them() {
    let (drill, _) = library().find("first-page").unwrap();
    let mut walk = Walk::new(Arc::clone(&drill), Mode::Verify { responder: Responder::Nothing }, false);
    walk.until(Phase::Finished);
    let mut live = Walk::new(drill, Mode::Verify { responder: Responder::Nothing }, false).live;
    for row in &walk.rows {
        let text = serde_json::to_string(&row.what).unwrap();
        live.take(&Entry { what: serde_json::from_str(&text).unwrap(), ..row.clone() });
    }
    assert_eq!(live.run, walk.live.run);
    assert!(walk.live.run.outcome().is_some());
}

#[test]
fn an_outcome_is_read_from_the_file_as_it_was_written() {
    let (drill, _) = library().find("first-page").unwrap();
    let mut walk = Walk::new(drill, Mode::Verify { responder: Responder::Nothing }, false);
    walk.until(Phase::Finished);
    let outcome = walk.live.run.outcome().unwrap();
    assert!(!outcome.failures.is_empty());
    let text = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<drill::Outcome>(&text).unwrap(), outcome);
}
