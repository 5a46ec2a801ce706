//! What the timeline of an incident says about a run: its start, what it saw with query and answer, who
//! agreed, and its end. Acts write their own entries where they are done.

use incident::{EntryKind, Evidence, What as Entry};
use runbook::{Event, Next, Run, What, run::Passed};

/// The entries for an event that changed a run from `before` to `after`.
pub(super) fn entries(before: &Run, after: &Run, event: &Event) -> Vec<Entry> {
    let mut entries: Vec<Entry> =
        after.passed().iter().skip(before.passed().len()).filter_map(|passed| place(after, passed)).collect();
    let say = |text: String| note(event, text);
    let id = after.id();
    if let (What::Approved { by, .. }, true) = (&event.what, entries.is_empty()) {
        entries.push(say(format!("{id}: {by} approves what it may change")));
    }
    if let (Next::Approve(request), false) = (after.next(), matches!(before.next(), Next::Approve(_))) {
        entries.push(say(format!("{id} waits for a second person: {}", request.why)));
    }
    if let Some(end) = after.end() {
        entries.push(say(format!("{id} {}: {}", end.how, end.why)));
        entries.extend(end.undone.iter().map(|text| say(format!("{id} took back: {text}"))));
        entries.extend(end.left.iter().map(|text| say(format!("{id} leaves as it is: {text}"))));
    }
    entries
}

/// The entry for the begin of a run.
pub(super) fn begun(run: &Run, event: &Event) -> Entry {
    let runbook = &run.plan().runbook;
    let text = format!(
        "{} begins the runbook {} ({}, by {}): {}",
        run.id(),
        runbook.name,
        run.mode(),
        run.by(),
        runbook.title
    );
    note(event, text)
}

/// What a place that was passed is worth; an act that was done has its entry.
fn place(run: &Run, passed: &Passed) -> Option<Entry> {
    let (name, _) = run.plan().title(passed.place)?;
    let by = passed.by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
    // The reason that a step failed begins with its name.
    let said = passed.text.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    let said = said.unwrap_or(&passed.text);
    let text = format!("{} {name}: {said}{by}", run.id());
    if let Some((call, expect)) = run.plan().look(passed.place) {
        let query = format!("{} {}", call.text(), expect.text());
        let evidence = vec![Evidence { query, answer: passed.text.clone(), link: None }];
        return Some(noted(EntryKind::Query, passed, text, evidence));
    }
    let is_act = run.plan().change(passed.place).is_some();
    // The entry of its end says how a run ended.
    let is_told = (is_act && passed.ok) || run.end().is_some_and(|end| end.why == passed.text);
    (!is_told).then(|| noted(EntryKind::Note, passed, text, Vec::new()))
}

fn noted(kind: EntryKind, passed: &Passed, text: String, evidence: Vec<Evidence>) -> Entry {
    Entry::Noted { kind, happened_at: passed.until, text, evidence, sealed: false }
}

fn note(event: &Event, text: String) -> Entry {
    let (kind, evidence) = (EntryKind::Note, Vec::new());
    Entry::Noted { kind, happened_at: event.at, text, evidence, sealed: false }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use runbook::{Answer, Mode, Place, Who};

    use super::*;

    const TEXT: &str = "title: Look\nservices: [order-api]\nsteps:\n  - name: look\n    what: Look.\n    \
                        check: {promql: up, is: \"== 1\"}\n";

    #[test]
    fn a_run_tells_what_it_saw_with_the_query_and_how_it_ended() {
        let at = |second: i64| DateTime::<Utc>::UNIX_EPOCH + chrono::TimeDelta::seconds(second);
        let started = What::Started {
            run: "RUN-1".to_owned(),
            file: "runbooks/Look.yaml".to_owned(),
            text: TEXT.to_owned(),
            mode: Mode::Auto,
            by: Who::Automation,
            incident: Some("INC-1".to_owned()),
            parameters: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        let event = Event { at: at(0), what: started };
        let before = Run::start(&event).unwrap();
        let Entry::Noted { text, .. } = begun(&before, &event) else { panic!("a note") };
        assert_eq!(text, "RUN-1 begins the runbook Look (auto, by automation): Look");
        let answer = Answer::Samples { samples: Vec::new() };
        let event = Event { at: at(1), what: What::Answered { place: Place::Step(0), answer } };
        let mut after = before.clone();
        after.apply(&event).unwrap();
        let told: Vec<(EntryKind, String, usize)> = entries(&before, &after, &event)
            .into_iter()
            .map(|entry| match entry {
                Entry::Noted { kind, text, evidence, .. } => (kind, text, evidence.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        let why = "look: expected == 1, found nothing";
        assert_eq!(
            told,
            [
                (EntryKind::Query, format!("RUN-1 {why}"), 1),
                (EntryKind::Note, format!("RUN-1 stopped: {why}"), 0)
            ]
        );
    }
}
