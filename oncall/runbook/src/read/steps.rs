//! Steps: exactly one task each, and an order in which every act is proven, whatever is decided on the way.

use serde_saphyr::Spanned;

use super::{Reader, Values as _, acts, branches, looks, raw};
use crate::model::{Step, Task, Undo};

pub(super) fn steps(reader: &mut Reader<'_>, list: &Spanned<Vec<Spanned<raw::Step>>>) -> Vec<Step> {
    if list.value.is_empty() {
        reader.wrong(list, "steps", "empty: expected at least one step");
    }
    let problems = reader.problems().len();
    let (mut steps, mut before, mut named) = (Vec::new(), Vec::new(), Vec::new());
    for (index, raw) in reader.list("steps", &list.value).iter().enumerate() {
        let field = format!("steps[{index}]");
        let name = reader.name(&raw.value.name, &format!("{field}.name"), &mut before);
        let what = reader.sentence(&raw.value.what, &format!("{field}.what"));
        let when = raw.value.when.as_ref();
        let when = when.and_then(|when| branches::when(reader, when, &format!("{field}.when"), &named));
        let task = match &raw.value.decide {
            Some(list) if only(&raw.value) => {
                branches::decide(reader, list, &format!("{field}.decide"), &mut named)
            }
            _ => task(reader, raw, &field, &steps),
        };
        if let (Some(name), Some(what), Some(task)) = (name, what, task) {
            steps.push(Step { name, what, when, task });
        }
    }
    // Indexes are right only if every step was read.
    if reader.problems().len() == problems {
        proven(reader, list, &steps);
        branches::used(reader, list, &steps);
    }
    steps
}

fn task(reader: &mut Reader<'_>, raw: &Spanned<raw::Step>, field: &str, before: &[Step]) -> Option<Task> {
    let at = |name: &str| format!("{field}.{name}");
    let raw::Step { check, http, sql, act, wait_until, approve, verify, undo, .. } = &raw.value;
    if !only(&raw.value) {
        let message =
            "expected exactly one of check, http, sql, decide, act, wait_until, approve, verify and undo";
        reader.wrong(raw, field, message);
        return None;
    }
    if let Some(check) = check {
        let raw::Check { promql, log, is, empty, otherwise } = &check.value;
        let otherwise = looks::otherwise(reader, otherwise, &at("check"));
        let look = looks::value(reader, check, &at("check"), &looks::Value { promql, log, is, empty });
        return Some(Task::Look { look: look?, otherwise: otherwise? });
    }
    if let Some(http) = http {
        let otherwise = looks::otherwise(reader, &http.value.otherwise, &at("http"));
        let look = looks::http(reader, &http.value, &at("http"));
        return Some(Task::Look { look: look?, otherwise: otherwise? });
    }
    if let Some(sql) = sql {
        let otherwise = looks::otherwise(reader, &sql.value.otherwise, &at("sql"));
        let look = looks::sql(reader, &sql.value, &at("sql"));
        return Some(Task::Look { look: look?, otherwise: otherwise? });
    }
    if let Some(act) = act {
        return acts::act(reader, &act.value, &at("act")).map(Task::Act);
    }
    if let Some(wait) = wait_until {
        return looks::wait(reader, wait, &at("wait_until")).map(Task::WaitUntil);
    }
    if let Some(wait) = verify {
        return looks::wait(reader, wait, &at("verify")).map(Task::Verify);
    }
    if let Some(approve) = approve {
        let why = reader.sentence(&approve.value.why, &at("approve.why"));
        return why.map(|why| Task::Approve { why });
    }
    undone(reader, undo.as_ref()?, &at("undo"), before)
}

/// Whether a step has exactly one task.
fn only(raw: &raw::Step) -> bool {
    let set = [
        raw.check.is_some(),
        raw.http.is_some(),
        raw.sql.is_some(),
        raw.decide.is_some(),
        raw.act.is_some(),
        raw.wait_until.is_some(),
        raw.approve.is_some(),
        raw.verify.is_some(),
        raw.undo.is_some(),
    ];
    set.iter().filter(|set| **set).count() == 1
}

/// The act that a step takes back.
fn undone(reader: &mut Reader<'_>, name: &raw::Text, field: &str, before: &[Step]) -> Option<Task> {
    let can = |step: &Step| matches!(&step.task, Task::Act(act) if matches!(act.undo, Undo::Act { .. }));
    let act = before.iter().position(|step| step.name == name.value && can(step));
    if act.is_none() {
        let names: Vec<&str> =
            before.iter().filter(|step| can(step)).map(|step| step.name.as_str()).collect();
        let known = if names.is_empty() { "there is none".to_owned() } else { names.join(", ") };
        let message =
            format!("expected an earlier act that can be taken back: {known}; found `{}`", name.value);
        reader.wrong(name, field, message);
    }
    act.map(|act| Task::Undo { act })
}

/// Refuses an act that nothing proves: after it, on the way to which it belongs.
fn proven(reader: &mut Reader<'_>, list: &Spanned<Vec<Spanned<raw::Step>>>, steps: &[Step]) {
    let proven = |index: usize, act: &Step| {
        let proof = |step: &Step| {
            matches!(step.task, Task::Verify(_)) && (step.when.is_none() || step.when == act.when)
        };
        steps.iter().skip(index + 1).any(proof)
    };
    let mut acts = steps.iter().enumerate().filter(|(_, step)| matches!(step.task, Task::Act(_)));
    let last = acts.rfind(|&(index, act)| !proven(index, act));
    if let Some((last, _)) = last
        && let Some(raw) = list.value.get(last)
    {
        let message = "nothing proves that it helped: expected a `verify` step after the last act";
        reader.wrong(raw, &format!("steps[{last}]"), message);
    }
}
