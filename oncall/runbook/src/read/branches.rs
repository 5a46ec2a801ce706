//! Branches: what a step decides about, and which steps belong to which way.

use serde_saphyr::Spanned;

use super::{Reader, Values as _, looks, raw};
use crate::model::{Branch, Look, Step, Task};

/// What is no decision, and what nobody reads.
const FEWEST: usize = 2;
const MOST: usize = 8;

/// The branches of a step; `named` are those of the steps before it, and gets these.
pub(super) fn decide<'n>(
    reader: &mut Reader<'_>,
    list: &'n Spanned<Vec<Spanned<raw::Branch>>>,
    field: &str,
    named: &mut Vec<&'n str>,
) -> Option<Task> {
    let count = list.value.len();
    if !(FEWEST..=MOST).contains(&count) {
        reader.wrong(list, field, format!("expected {FEWEST} to {MOST} branches, found {count}"));
    }
    let mut branches = Vec::new();
    for (index, raw) in list.value.iter().enumerate() {
        branches.push(branch(reader, raw, &format!("{field}[{index}]"), named));
    }
    let branches = branches.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Task::Decide { branches })
}

fn branch<'n>(
    reader: &mut Reader<'_>,
    raw: &'n Spanned<raw::Branch>,
    field: &str,
    named: &mut Vec<&'n str>,
) -> Option<Branch> {
    let name = reader.name(&raw.value.name, &format!("{field}.name"), named);
    let what = reader.sentence(&raw.value.what, &format!("{field}.what"));
    let look = condition(reader, raw, field);
    Some(Branch { name: name?, what: what?, look })
}

/// What tells that a branch is the right one; none, if nothing does, or if there is a problem.
fn condition(reader: &mut Reader<'_>, raw: &Spanned<raw::Branch>, field: &str) -> Option<Look> {
    let raw::Branch { promql, log, is, empty, .. } = &raw.value;
    if let Some(is) = is {
        return looks::value(reader, raw, field, &looks::Value { promql, log, is, empty });
    }
    if promql.is_some() || log.is_some() || empty.is_some() {
        reader.wrong(raw, &format!("{field}.is"), "missing: expected what the condition has to be");
    }
    None
}

/// The branch to which a step belongs, one of those before it; none, if there is a problem.
pub(super) fn when(reader: &mut Reader<'_>, text: &raw::Text, field: &str, named: &[&str]) -> Option<String> {
    if named.contains(&text.value.as_str()) {
        return Some(text.value.clone());
    }
    let known = if named.is_empty() { "there is none".to_owned() } else { named.join(", ") };
    let message = format!("expected a branch of an earlier `decide`: {known}; found `{}`", text.value);
    reader.wrong(text, field, message);
    None
}

/// Refuses a decision that changes nothing: no step belongs to any of its branches.
pub(super) fn used(reader: &mut Reader<'_>, list: &Spanned<Vec<Spanned<raw::Step>>>, steps: &[Step]) {
    for (index, (step, raw)) in steps.iter().zip(&list.value).enumerate() {
        let Task::Decide { branches } = &step.task else { continue };
        let belongs = |step: &Step| branches.iter().any(|branch| step.when.as_ref() == Some(&branch.name));
        if !steps.iter().any(belongs) {
            let message = "nothing follows from it: expected a step with `when` and one of its branches";
            reader.wrong(raw, &format!("steps[{index}].decide"), message);
        }
    }
}
