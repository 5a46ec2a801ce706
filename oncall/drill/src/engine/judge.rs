//! What a verification misses: what was not seen, not in time, or not in order; and pages that nobody wanted.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{
    Failure, Notice, Run, SLACK,
    conditions::{Condition, id},
    plan::later,
};

/// How long an action of the story may take before it is missing.
const TO_ACT: Duration = Duration::from_secs(10);

/// Something that is missing.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    pub(super) failure: Failure,
    /// Whether it may still come.
    pub(super) open: bool,
}

impl Run {
    pub(super) fn failure(
        &self,
        condition: &str,
        query: &str,
        expected: &str,
        seen: &str,
        at: DateTime<Utc>,
    ) -> Failure {
        Failure {
            at,
            phase: self.phase,
            condition: condition.to_owned(),
            query: query.to_owned(),
            expected: expected.to_owned(),
            seen: seen.to_owned(),
        }
    }

    /// How long to observe: until the last thing that must be seen, or that happens.
    pub(super) fn observation(&self) -> Duration {
        let drill = &*self.drill;
        let seen = drill.signals.iter().map(|signal| signal.within);
        let seen = seen.chain(drill.path.iter().map(|node| node.within));
        let seen = seen.chain(drill.pages.expected.iter().map(|page| page.within));
        let (lasting, others): (Vec<_>, Vec<_>) = drill.load.surges.iter().partition(|surge| surge.lasting);
        let story = others.into_iter().map(|surge| surge.after + surge.lasts);
        // Of one that a response ends, the beginning.
        let story = story.chain(lasting.into_iter().map(|surge| surge.after).min());
        let story = story.chain(drill.noise.iter().map(|noise| noise.after));
        let story = story.chain(drill.changes.iter().map(|change| change.after));
        let faults = drill.faults.iter().map(|fault| fault.after + fault.lasts.unwrap_or_default());
        let story = story.chain(faults);
        seen.chain(story.map(|after| after + TO_ACT)).chain([drill.observe]).max().unwrap_or_default()
    }

    /// What is missing at `at`.
    pub(super) fn gaps(&self, at: DateTime<Utc>) -> Vec<Gap> {
        let Some(injected) = self.injected else { return Vec::new() };
        let mut gaps = Vec::new();
        for due in self.story() {
            let later = due.at > at && self.is_lasting(&due.id);
            if !self.done.contains_key(&due.id) && !later {
                let query = format!("{:?}", due.action);
                let failure =
                    self.failure(&format!("the action {} is done", due.id), &query, "done", "not done", at);
                gaps.push(Gap { failure, open: true });
            }
        }
        for (index, signal) in self.drill.signals.iter().enumerate() {
            gaps.extend(self.unseen(
                (&id("signal", index), &signal.name, &signal.query),
                injected,
                signal.within,
                at,
            ));
        }
        for (index, node) in self.drill.path.iter().enumerate() {
            gaps.extend(self.unseen(
                (&id("path", index), &node.name, &node.query),
                injected,
                node.within,
                at,
            ));
        }
        gaps.extend(self.unpaged(injected, at));
        gaps.extend(self.disorder(at));
        gaps
    }

    /// A signal or node that was not seen, or too late.
    fn unseen(
        &self,
        (look, name, query): (&str, &str, &str),
        injected: DateTime<Utc>,
        within: Duration,
        at: DateTime<Utc>,
    ) -> Option<Gap> {
        let expected = format!("within {} s of the injection", within.as_secs());
        let first = self.watches.first(look);
        let seen = match first {
            Some(first) if first <= later(injected, within) => return None,
            Some(first) => format!("after {:.1} s", (first - injected).as_seconds_f64()),
            None => self.watches.seen(look),
        };
        Some(Gap { failure: self.failure(name, query, &expected, &seen, at), open: first.is_none() })
    }

    /// Pages that did not come, or came too late.
    fn unpaged(&self, injected: DateTime<Utc>, at: DateTime<Utc>) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for page in &self.drill.pages.expected {
            let is = |notice: &&Notice| {
                notice.page && notice.firing && notice.alert == page.alert && notice.service == page.service
            };
            let first = self.notices.iter().filter(is).map(|notice| notice.at).min();
            let seen = match first {
                Some(first) if first <= later(injected, page.within) => continue,
                Some(first) => format!("after {:.1} s", (first - injected).as_seconds_f64()),
                None => format!("pages: {}", self.told()),
            };
            let condition = format!("{} of {} pages", page.alert, page.service);
            let expected = format!("within {} s of the injection", page.within.as_secs());
            let query = format!("ALERTS{{alertname=\"{}\", severity=\"page\"}}", page.alert);
            let failure = self.failure(&condition, &query, &expected, &seen, at);
            gaps.push(Gap { failure, open: first.is_none() });
        }
        gaps
    }

    fn told(&self) -> String {
        let pages = self.notices.iter().filter(|notice| notice.page && notice.firing);
        let names: Vec<&str> = pages.map(|notice| notice.alert.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }

    /// Effects that were seen before their cause.
    fn disorder(&self, at: DateTime<Utc>) -> Vec<Gap> {
        let path = &self.drill.path;
        let mut gaps = Vec::new();
        for (index, node) in path.iter().enumerate() {
            let cause = path.iter().position(|other| node.from.as_ref() == Some(&other.name));
            let Some(cause) = cause else { continue };
            let times = self.watches.first(&id("path", cause)).zip(self.watches.first(&id("path", index)));
            let Some((first, then)) = times else { continue };
            if first > later(then, SLACK) {
                let condition = format!("{} deviates before {}", path[cause].name, node.name);
                let seen = format!("{:.1} s after it", (first - then).as_seconds_f64());
                let failure = self.failure(&condition, &path[cause].query, "cause before effect", &seen, at);
                gaps.push(Gap { failure, open: false });
            }
        }
        gaps
    }

    /// A page that must not come. A person's run notes it only for the report of a verification.
    pub(super) fn unwanted(&mut self, notice: &Notice) {
        if self.responder().is_none() || !notice.firing {
            return;
        }
        let pages = &self.drill.pages;
        let expected = pages.expected.iter().any(|page| page.alert == notice.alert)
            || pages.allowed.contains(&notice.alert);
        let forbidden = pages.forbidden.contains(&notice.alert);
        if !forbidden && (expected || !notice.page) {
            return;
        }
        let condition = format!("{} notifies nobody", notice.alert);
        let query = format!("ALERTS{{alertname=\"{}\"}}", notice.alert);
        let seen = format!("{} of {}", if notice.page { "a page" } else { "a ticket" }, notice.service);
        let failure = self.failure(&condition, &query, "no notification", &seen, notice.at);
        if !self.failures.iter().any(|known| known.condition == failure.condition) {
            self.failures.push(failure);
        }
    }

    /// Conditions that are not as they have to be.
    pub(super) fn unmet(&self, conditions: &[Condition], at: DateTime<Utc>) -> Vec<Failure> {
        let is = |condition: &&Condition| {
            self.watches.get(&condition.look.id).is_none_or(|watch| watch.holds != condition.holds)
        };
        let unmet: Vec<&Condition> = conditions.iter().filter(is).collect();
        let mut failures: Vec<Failure> = unmet
            .iter()
            .map(|condition| {
                let expected = if condition.holds { "holds" } else { "does not hold yet" };
                let seen = self.watches.seen(&condition.look.id);
                self.failure(&condition.look.name, &condition.look.ask.describe(), expected, &seen, at)
            })
            .collect();
        if failures.is_empty() {
            // All hold at last, but not for long enough.
            let last = conditions
                .iter()
                .max_by_key(|condition| self.watches.get(&condition.look.id).map(|watch| watch.since));
            if let Some(last) = last {
                let (name, query) = (&last.look.name, last.look.ask.describe());
                let since = self.watches.get(&last.look.id).map(|watch| watch.since.to_rfc3339());
                let seen = format!("only since {}", since.unwrap_or_default());
                failures.push(self.failure(name, &query, "holds for long enough", &seen, at));
            }
        }
        failures
    }
}
