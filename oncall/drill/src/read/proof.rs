//! What proves a drill: signals, pages, the causal path, the oracle, the condition to abort.

use std::{collections::BTreeSet, time::Duration};

use super::{LONGEST, Reader, SECOND, Values as _, all, raw};
use crate::model::{Check, Node, Oracle, Page, Pages, Signal};

/// The parts of the proof.
pub(super) struct Proof {
    pub(super) observe: Duration,
    pub(super) signals: Vec<Signal>,
    pub(super) pages: Pages,
    pub(super) path: Vec<Node>,
    pub(super) oracle: Oracle,
    pub(super) abort: Vec<Check>,
}

pub(super) fn proof(reader: &mut Reader, document: &raw::Document) -> Option<Proof> {
    let observe = match &document.observe {
        None => Some(Duration::ZERO),
        Some(observe) => reader.time(observe, "observe", Duration::ZERO, LONGEST),
    };
    let signals = signals(reader, document);
    let pages = pages(reader, &document.pages.value);
    let path = path(reader, document);
    let oracle = oracle(reader, &document.oracle.value);
    let abort = reader.checks(document.abort.as_ref(), "abort");
    Some(Proof {
        observe: observe?,
        signals: signals?,
        pages: pages?,
        path: path?,
        oracle: oracle?,
        abort: abort?,
    })
}

fn signals(reader: &mut Reader, document: &raw::Document) -> Option<Vec<Signal>> {
    let mut before = BTreeSet::new();
    let list = document.signals.iter().flatten().enumerate();
    all(list.map(|(index, raw)| {
        let (field, raw) = (format!("signals[{index}]"), &raw.value);
        let name = reader.unique(&raw.name, &format!("{field}.name"), &mut before);
        let query = reader.text(&raw.query, &format!("{field}.query"));
        let within = reader.time(&raw.within, &format!("{field}.within"), SECOND, LONGEST);
        Some(Signal { name: name?, query: query?, within: within? })
    }))
}

fn pages(reader: &mut Reader, raw: &raw::Pages) -> Option<Pages> {
    let list = raw.expected.iter().flatten().enumerate();
    let expected = all(list.map(|(index, raw)| {
        let (field, raw) = (format!("pages.expected[{index}]"), &raw.value);
        let alert = reader.line(&raw.alert, &format!("{field}.alert"));
        let service = reader.name(&raw.service, &format!("{field}.service"));
        let within = reader.time(&raw.within, &format!("{field}.within"), SECOND, LONGEST);
        Some(Page { alert: alert?, service: service?, within: within? })
    }));
    let allowed = reader.words(raw.allowed.as_ref(), "pages.allowed");
    let forbidden = reader.words(raw.forbidden.as_ref(), "pages.forbidden");
    let pages = Pages { expected: expected?, allowed: allowed?, forbidden: forbidden? };
    for (index, text) in raw.forbidden.iter().flatten().enumerate() {
        let wanted = pages.expected.iter().any(|page| page.alert == text.value);
        if wanted || pages.allowed.contains(&text.value) {
            let message = format!("`{}` is expected or allowed, too: expected it in one list", text.value);
            reader.wrong(text, &format!("pages.forbidden[{index}]"), message);
        }
    }
    Some(pages)
}

fn path(reader: &mut Reader, document: &raw::Document) -> Option<Vec<Node>> {
    let mut above = BTreeSet::new();
    let list = document.causal_path.iter().flatten().enumerate();
    all(list.map(|(index, raw)| node(reader, &raw.value, &format!("causal_path[{index}]"), &mut above)))
}

/// A node; `above` has the names of the nodes above, because causes come before effects.
fn node(reader: &mut Reader, raw: &raw::Node, field: &str, above: &mut BTreeSet<String>) -> Option<Node> {
    let known: Vec<String> = above.iter().cloned().collect();
    let from = match &raw.from {
        None => Some(None),
        Some(from) => reader.known(from, &format!("{field}.from"), "the nodes above", &known).map(Some),
    };
    let name = reader.unique(&raw.name, &format!("{field}.name"), above);
    let service = reader.name(&raw.service, &format!("{field}.service"));
    let metric = reader.line(&raw.metric, &format!("{field}.metric"));
    let query = reader.text(&raw.query, &format!("{field}.query"));
    let within = reader.time(&raw.within, &format!("{field}.within"), SECOND, LONGEST);
    if !raw.query.value.contains(&raw.metric.value) {
        let message = format!("expected a query about `{}`, the metric of this node", raw.metric.value);
        reader.wrong(&raw.query, &format!("{field}.query"), message);
    }
    Some(Node {
        name: name?,
        service: service?,
        metric: metric?,
        query: query?,
        within: within?,
        from: from?,
    })
}

fn oracle(reader: &mut Reader, raw: &raw::Oracle) -> Option<Oracle> {
    let sli = reader.checks(Some(&raw.sli), "oracle.sli");
    let good_for = reader.time_or(raw.good_for.as_ref(), "oracle.good_for", 10 * SECOND);
    let within = reader.time(&raw.within, "oracle.within", SECOND, LONGEST);
    let invariants = raw.invariants.iter().flatten().enumerate();
    let invariants = all(invariants
        .map(|(index, word)| reader.take(word, &format!("oracle.invariants[{index}]"), word.value.read())));
    let alerts_left = reader.words(raw.alerts_left.as_ref(), "oracle.alerts_left");
    if raw.sli.is_empty() {
        reader.wrong(
            &raw.within,
            "oracle.sli",
            "empty: expected at least one condition that is good for users",
        );
    }
    let (good_for, within) = (good_for?, within?);
    if within <= good_for {
        reader.wrong(&raw.within, "oracle.within", "expected more than `good_for`");
    }
    Some(Oracle { sli: sli?, good_for, within, invariants: invariants?, alerts_left: alerts_left? })
}
