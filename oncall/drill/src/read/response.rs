//! What a responder is asked, does and gets: questions, mitigations, hints, weights, the solution; and what has to fit
//! together across the whole file.

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Spanned;

use super::{
    LONGEST, Reader, SECOND, Values as _, act, all,
    fresh::{fresh, longest},
    raw,
};
use crate::{
    Act, Drill,
    model::{Accepted, Check, Choice, Harmful, Hint, Mitigations, Proof, Questions, Step, Validity, Wrong},
    names::{Criterion, Expected},
};

/// The parts of the response.
pub(super) struct Response {
    pub(super) runbooks: Vec<String>,
    pub(super) questions: Questions,
    pub(super) mitigations: Mitigations,
    pub(super) hints: Vec<Hint>,
    pub(super) weights: BTreeMap<Criterion, u32>,
    pub(super) validity: Validity,
    pub(super) solve: Vec<Step>,
}

pub(super) fn response(reader: &mut Reader, document: &raw::Document) -> Option<Response> {
    let runbooks = reader.words(document.runbooks.as_ref(), "runbooks");
    let questions = questions(reader, document);
    let mitigations = mitigations(reader, document);
    let hints = document.hints.iter().flatten().enumerate();
    let hints = all(hints.map(|(index, raw)| {
        let text = reader.text(&raw.value.text, &format!("hints[{index}].text"));
        let cost = yaml::within(raw.value.cost.value, 1, 30);
        let cost = reader.take(&raw.value.cost, &format!("hints[{index}].cost"), cost);
        Some(Hint { text: text?, cost: cost? })
    }));
    let weights = weights(reader, document.weights.as_ref());
    let nothing = &document.validity.value.nothing;
    let nothing = reader.take(nothing, "validity.nothing", nothing.value.read());
    let restart_all = &document.validity.value.restart_all;
    let restart_all = reader.take(restart_all, "validity.restart_all", restart_all.value.read());
    let steps = document.solve.iter().flatten().enumerate();
    let solve = all(steps.map(|(index, raw)| act::step(reader, raw, &format!("solve[{index}]"))));
    Some(Response {
        runbooks: runbooks?,
        questions: questions?,
        mitigations: mitigations?,
        hints: hints?,
        weights,
        validity: Validity { nothing: nothing?, restart_all: restart_all? },
        solve: solve?,
    })
}

fn questions(reader: &mut Reader, document: &raw::Document) -> Option<Questions> {
    let raw = &document.questions.value;
    let components = reader.names(Some(&raw.components), "questions.components");
    let mechanism = match &raw.mechanism {
        None => Some(None),
        Some(choice) => self::choice(reader, choice).map(Some),
    };
    let mut changes: Vec<String> =
        document.changes.iter().flatten().map(|change| change.value.name.value.clone()).collect();
    changes.push("none".to_owned());
    let change = match &raw.change {
        None => Some(None),
        Some(change) => reader.known(change, "questions.change", "`changes`", &changes).map(Some),
    };
    let onset = match &raw.onset {
        None => Some(None),
        Some(onset) => reader.time(onset, "questions.onset", SECOND, LONGEST).map(Some),
    };
    let evidence = match &raw.evidence {
        None => Some(0),
        Some(evidence) => reader.take(evidence, "questions.evidence", yaml::within(evidence.value, 0, 5)),
    };
    Some(Questions {
        components: components?,
        mechanism: mechanism?,
        change: change?,
        onset: onset?,
        evidence: evidence?,
    })
}

fn choice(reader: &mut Reader, raw: &Spanned<raw::Choice>) -> Option<Choice> {
    let options = reader.names(Some(&raw.value.options), "questions.mechanism.options")?;
    if options.len() < 3 {
        let message = "expected at least three, so that a guess is worth little";
        reader.wrong(raw, "questions.mechanism.options", message);
    }
    let answer = &raw.value.answer;
    let answer =
        reader.known(answer, "questions.mechanism.answer", "`questions.mechanism.options`", &options)?;
    Some(Choice { options, answer })
}

fn mitigations(reader: &mut Reader, document: &raw::Document) -> Option<Mitigations> {
    let raw = &document.mitigations.value;
    let accepted = raw.accepted.iter().flatten().enumerate();
    let accepted = all(accepted.map(|(index, raw)| {
        let field = format!("mitigations.accepted[{index}]");
        let act = act::act(reader, &raw.value.act, &format!("{field}.act"));
        let why = reader.line(&raw.value.why, &format!("{field}.why"));
        let act = act?;
        let ends = ends(reader, document, &raw.value, &act, &field);
        Some(Accepted { act, ends: ends?, why: why? })
    }));
    let wrong = raw.wrong.iter().flatten().enumerate();
    let wrong = all(wrong.map(|(index, raw)| {
        let field = format!("mitigations.wrong[{index}]");
        let act = act::act(reader, &raw.value.act, &format!("{field}.act"));
        let why = reader.line(&raw.value.why, &format!("{field}.why"));
        let proof = proof(reader, document, &raw.value, &field);
        Some(Wrong { act: act?, why: why?, proof: proof? })
    }));
    let harmful = raw.harmful.iter().flatten().enumerate();
    let harmful = all(harmful.map(|(index, raw)| {
        let field = format!("mitigations.harmful[{index}]");
        let act = act::act(reader, &raw.value.act, &format!("{field}.act"));
        let why = reader.line(&raw.value.why, &format!("{field}.why"));
        Some(Harmful { act: act?, why: why? })
    }));
    Some(Mitigations { accepted: accepted?, wrong: wrong?, harmful: harmful? })
}

/// The faults and surges that end with an action: those it names, or the faults of the change that it takes back.
fn ends(
    reader: &mut Reader,
    document: &raw::Document,
    raw: &raw::Accepted,
    act: &Act,
    field: &str,
) -> Option<Vec<String>> {
    let faults = || document.faults.iter().flatten().map(|fault| &fault.value);
    let name = |fault: &raw::Fault| fault.called().map(|name| name.value.clone());
    let Some(list) = &raw.ends else {
        let Act::Rollback { change } = act else { return Some(Vec::new()) };
        let of = |fault: &&raw::Fault| fault.change.as_ref().is_some_and(|of| of.value == *change);
        return Some(faults().filter(of).filter_map(name).collect());
    };
    let surges = document.load.value.surges.iter().flatten().filter_map(|surge| surge.value.name.as_ref());
    let known: Vec<String> = faults().filter_map(name).chain(surges.map(|name| name.value.clone())).collect();
    let places = "`faults` or the names in `load.surges`";
    let list = list.iter().enumerate();
    all(list.map(|(index, text)| reader.known(text, &format!("{field}.ends[{index}]"), places, &known)))
}

/// How it is proven that an action does not help; nothing if verification does not try.
fn proof(
    reader: &mut Reader,
    document: &raw::Document,
    raw: &raw::Wrong,
    field: &str,
) -> Option<Option<Proof>> {
    let Some(still) = &raw.still else {
        if let Some(after) = &raw.after {
            reader.wrong(
                after,
                &format!("{field}.after"),
                "expected `still` beside it: the name of a signal",
            );
        }
        return Some(None);
    };
    let signals = || document.signals.iter().flatten().map(|signal| &signal.value);
    let names: Vec<String> = signals().map(|signal| signal.name.value.clone()).collect();
    let name = reader.known(still, &format!("{field}.still"), "`signals`", &names)?;
    let signal = signals().find(|signal| signal.name.value == name)?;
    let still = Check { name, query: signal.query.value.trim().to_owned() };
    // Until the window lies behind the action, what is seen may be what was there before.
    let usual = (20 * SECOND).max(longest(&still.query) + 5 * SECOND);
    let after = reader.time_or(raw.after.as_ref(), &format!("{field}.after"), usual)?;
    // An author who says how long to wait knows when it would help.
    let fresh = if raw.after.is_none() { fresh(&still.query) } else { None };
    Some(Some(Proof { still, after, fresh }))
}

/// Points of each criterion: what the file says, or the default.
fn weights(reader: &mut Reader, raw: Option<&Spanned<raw::Weights>>) -> BTreeMap<Criterion, u32> {
    let default = [10, 5, 25, 10, 20, 15, 10, 5];
    let given = raw.map(|raw| &raw.value).map_or([None; 8], |raw| {
        [
            raw.detect,
            raw.acknowledge,
            raw.localise,
            raw.explain,
            raw.mitigate,
            raw.recover,
            raw.communicate,
            raw.budget,
        ]
    });
    let weights: BTreeMap<Criterion, u32> = Criterion::ALL
        .into_iter()
        .zip(default)
        .zip(given)
        .map(|((criterion, default), given)| (criterion, given.unwrap_or(default).min(100)))
        .collect();
    if let Some(raw) = raw
        && weights.values().all(|weight| *weight == 0)
    {
        reader.wrong(raw, "weights", "expected at least one above 0");
    }
    weights
}

/// What no field can say alone.
pub(super) fn together(reader: &mut Reader, document: &raw::Document, drill: &Drill) {
    let quiet = drill.faults.is_empty();
    if quiet != drill.questions.components.is_empty() {
        let message = "expected components exactly if the drill has faults";
        reader.wrong(&document.id, "questions.components", message);
    }
    if quiet && drill.observe == Duration::ZERO {
        reader.wrong(&document.id, "observe", "missing: a drill without faults has to say how long it looks");
    }
    if !quiet && (drill.signals.is_empty() || drill.path.is_empty()) {
        let message = "expected signals and a causal path: faults that nobody can see teach nothing";
        reader.wrong(&document.id, "signals", message);
    }
    if quiet != (drill.validity.nothing == Expected::Passes) {
        let message = "expected passes exactly if the drill has no faults";
        reader.wrong(&document.validity.value.nothing, "validity.nothing", message);
    }
    for (index, component) in document.questions.value.components.iter().enumerate() {
        if !drill.path.iter().any(|node| node.service == component.value) {
            let message =
                format!("`{}` is not on the causal path, so no evidence can name it", component.value);
            reader.wrong(component, &format!("questions.components[{index}]"), message);
        }
    }
    let solves = |step: &Step| matches!(step, Step::Act(act) if drill.mitigations.accepted.iter().any(|accepted| accepted.act == *act));
    if !quiet && !drill.solve.iter().any(solves) {
        let message = "expected at least one action of `mitigations.accepted` among the steps";
        reader.wrong(&document.id, "solve", message);
    }
    acts(reader, document, drill);
}

/// Every action that takes a change back names one, and no action is both accepted and not.
fn acts(reader: &mut Reader, document: &raw::Document, drill: &Drill) {
    let (raw, of) = (&document.mitigations.value, &drill.mitigations);
    let mut acts: Vec<(&Spanned<raw::Act>, String, &Act)> = Vec::new();
    let accepted = raw.accepted.iter().flatten().zip(&of.accepted).enumerate();
    acts.extend(
        accepted.map(|(index, (raw, one))| {
            (&raw.value.act, format!("mitigations.accepted[{index}].act"), &one.act)
        }),
    );
    let helpful = acts.len();
    let wrong = raw.wrong.iter().flatten().zip(&of.wrong).enumerate();
    acts.extend(
        wrong
            .map(|(index, (raw, one))| (&raw.value.act, format!("mitigations.wrong[{index}].act"), &one.act)),
    );
    let wrong = helpful..acts.len();
    let harmful = raw.harmful.iter().flatten().zip(&of.harmful).enumerate();
    acts.extend(
        harmful.map(|(index, (raw, one))| {
            (&raw.value.act, format!("mitigations.harmful[{index}].act"), &one.act)
        }),
    );
    for (place, (at, field, act)) in acts.into_iter().enumerate() {
        if let Act::Rollback { change } = act
            && !drill.changes.iter().any(|known| known.name == *change)
        {
            reader.wrong(at, &field, format!("`{act}`: expected the name of one of `changes`"));
        }
        if matches!(act, Act::Refused { .. }) && !wrong.contains(&place) {
            let message = "`refused` changes nothing, so it neither helps nor harms: expected it in `wrong`";
            reader.wrong(at, &field, message);
        }
        if place >= helpful && of.accepted.iter().any(|accepted| accepted.act == *act) {
            reader.wrong(at, &field, format!("`{act}` is accepted, too: expected it in one list"));
        }
    }
}
