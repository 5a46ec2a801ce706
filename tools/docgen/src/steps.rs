//! The steps in the section "Mitigate" of each runbook, from the YAML beside it: what a person reads is what runs.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context, anyhow};
use runbook::{
    Runbook,
    model::{Act, Step, Task, Undo},
    parameter::words,
    template::Template,
};

/// After the generated part.
const END: &str = "<!-- End of the steps. -->\n";

/// Before the generated part.
fn begin(name: &str) -> String {
    format!("<!-- Steps: written by `just generate` from {name}.yaml; do not edit. -->\n")
}

/// Each page of `folder` that has steps: its path from `docs/`, and its text with the steps of now.
///
/// # Errors
///
/// When a runbook is not sound, or its page has no place for the steps.
pub(crate) fn pages(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        let page = path.with_extension("md");
        // A procedure without an alert has no page: its steps say all.
        if path.extension().is_none_or(|ending| ending != "yaml") || !page.is_file() {
            continue;
        }
        let read =
            |path: &Path| fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
        let runbook = runbook::read_runbook(&path.to_string_lossy(), &read(&path)?);
        let runbook = runbook.map_err(|problems| anyhow!("{problems}"))?;
        let text = written(&read(&page)?, &runbook)?;
        pages.push((format!("../runbooks/{}.md", runbook.name), text));
    }
    pages.sort_unstable();
    Ok(pages)
}

/// `page` with the steps of `runbook`.
fn written(page: &str, runbook: &Runbook) -> anyhow::Result<String> {
    let name = &runbook.name;
    let begin = begin(name);
    let lacks = |line: &str| format!("runbooks/{name}.md has no line `{}`", line.trim());
    let (before, rest) = page.split_once(&begin).with_context(|| lacks(&begin))?;
    let (_, after) = rest.split_once(END).with_context(|| lacks(END))?;
    Ok(format!("{before}{begin}\n{}\n{END}{after}", steps(runbook)))
}

/// The commands, and a row for each step.
fn steps(runbook: &Runbook) -> String {
    let name = &runbook.name;
    // What the alert has in its labels, nobody types.
    let asked = runbook.parameters.iter().filter(|one| one.default.is_none() && one.label.is_none());
    let given: String = asked.map(|one| format!(" {}={}", one.name, one.name.to_uppercase())).collect();
    let mut text = format!(
        "```sh\n\
         lab runbook dry {name}{given}   # what holds now, and what would be done\n\
         lab runbook run {name}{given}   # step by step; --mode ask or auto continues by itself\n\
         ```\n\n\
         | step | what it is for |\n|---|---|\n"
    );
    for step in &runbook.steps {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {} | {}{} |", title(runbook, step), branch(step), step.what);
    }
    text
}

fn title(runbook: &Runbook, step: &Step) -> String {
    let name = &step.name;
    match &step.task {
        Task::Look { .. } => format!("{name} (looks)"),
        Task::Decide { branches } => {
            let names: Vec<&str> = branches.iter().map(|branch| branch.name.as_str()).collect();
            format!("{name} (decides: {})", names.join(", "))
        }
        Task::Act(act) => format!("**{name}**: {}", done(runbook, act)),
        Task::WaitUntil(wait) => format!("{name} (waits, at most {})", words(wait.within)),
        Task::Approve { .. } => format!("{name} (a second person approves)"),
        Task::Verify(wait) => format!("{name} (proves it, at most {})", words(wait.within)),
        Task::Undo { act } => {
            let act = runbook.steps.get(*act).map(|step| &step.task);
            let text = match act {
                Some(Task::Act(act)) => undone(runbook, act),
                _ => String::new(),
            };
            format!("**{name}**: {text}")
        }
    }
}

/// To which branch a step belongs, if to one.
fn branch(step: &Step) -> String {
    step.when.as_ref().map_or_else(String::new, |branch| format!("Only if {branch}: "))
}

fn done(runbook: &Runbook, act: &Act) -> String {
    act.verb.text(&open(runbook, &act.with), act.blast_radius)
}

fn undone(runbook: &Runbook, act: &Act) -> String {
    match &act.undo {
        Undo::Act { verb, with } => verb.text(&open(runbook, with), act.blast_radius),
        Undo::Nothing { why } => why.clone(),
    }
}

/// Fields with the names of parameters, in capitals, where their values will be.
fn open(runbook: &Runbook, with: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
    let fill = |template: &Template| {
        let mut text = template.text().to_owned();
        for parameter in &runbook.parameters {
            text = text.replace(&format!("${{{}}}", parameter.name), &parameter.name.to_uppercase());
        }
        text
    };
    with.iter().map(|(name, template)| (name.clone(), fill(template))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
title: Try
services: [\"${service}\"]
parameters:
  service: {what: service, type: choice, of: [order-api], from: service}
  database: {what: database, type: word}
steps:
  - name: look
    what: See.
    check: {promql: up, is: \"== 1\"}
  - name: mute
    what: Quiet.
    act:
      verb: silence
      with: {alert: TargetDown, service: \"${service}\", ttl: 10m}
      blast_radius: 1 alert
      idempotency_key: ${run}/mute
      undo: {verb: expire-silence, with: {alert: TargetDown, service: \"${service}\"}}
  - name: good
    what: It helped.
    verify: {promql: up, is: \"== 1\", within: 1m}
  - name: unmute
    what: Loud.
    undo: mute
  - name: which
    what: Find out.
    decide: [{name: slow, what: It waits.}, {name: full, what: It is full.}]
  - name: wait
    when: slow
    what: Wait.
    wait_until: {promql: up, is: \"== 1\", within: 1m}
";

    #[test]
    fn a_page_gets_the_commands_and_a_row_for_each_step() {
        let runbook = runbook::read_runbook("runbooks/Try.yaml", TEXT).unwrap();
        let page = format!("before\n{}stale\n{END}after\n", begin("Try"));
        let text = written(&page, &runbook).unwrap();
        for line in [
            "lab runbook run Try database=DATABASE   # step by step",
            "| look (looks) | See. |",
            "| **mute**: mute TargetDown of SERVICE for 10m | Quiet. |",
            "| good (proves it, at most 1m) | It helped. |",
            "| **unmute**: end the silence of TargetDown of SERVICE | Loud. |",
            "| which (decides: slow, full) | Find out. |",
            "| wait (waits, at most 1m) | Only if slow: Wait. |",
        ] {
            assert!(text.contains(line), "no `{line}` in {text}");
        }
        assert!(text.starts_with("before\n") && text.ends_with("after\n") && !text.contains("stale"));
        assert_eq!(written(&text, &runbook).unwrap(), text);
        assert!(written("no place", &runbook).unwrap_err().to_string().contains("Try.yaml"));
    }
}
