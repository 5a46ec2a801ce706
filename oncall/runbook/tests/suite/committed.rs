//! The committed runbooks and guardrails: sound, complete, and fit to be run.

use std::{collections::BTreeMap, fs};

use runbook::{
    Answer, Call, Given, Place, Plan, Runbook, Verb, Who, dry,
    guardrails::{Ledger, Proposal, Replicas, Situation, decide},
    model::{Step, Task},
};
use serde_json::Value;

use crate::support::{at, expected, file, map, rails, root};

fn committed() -> Vec<Runbook> {
    let entries = fs::read_dir(root().join("runbooks")).expect("runbooks").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".yaml"));
    names.sort_unstable();
    let read = |name: &String| {
        let path = format!("runbooks/{name}");
        runbook::read_runbook(&path, &file(&path)).unwrap_or_else(|problems| panic!("{problems}"))
    };
    names.iter().map(read).collect()
}

/// The runbook with values as an alert or a person would give them.
fn planned(runbook: &Runbook) -> Plan {
    let instance = map(&[("instance", "127.0.0.1:9103")]);
    let missing = runbook.parameters.iter().filter(|parameter| parameter.default.is_none());
    let mut parameters: BTreeMap<String, String> =
        missing.map(|parameter| (parameter.name.clone(), parameter.kind.example())).collect();
    if parameters.contains_key("instance") {
        parameters.extend(instance);
    }
    let given =
        Given { run: "run-1", incident: Some("INC-7"), parameters: &parameters, labels: &BTreeMap::new() };
    Plan::new(runbook.clone(), &given).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", runbook.name))
}

#[test]
fn every_page_has_steps_and_what_has_no_alert_is_a_procedure_with_a_name_of_its_own() {
    let runbooks = committed();
    assert!(runbooks.len() >= 60, "{}", runbooks.len());
    for runbook in &runbooks {
        let name = &runbook.name;
        let page = root().join(format!("runbooks/{name}.md")).is_file();
        match &runbook.alert {
            Some(alert) => assert!(page && alert == name, "{name} has the page of its alert"),
            None => assert!(!page && name.chars().all(|c| c == '-' || c.is_ascii_lowercase()), "{name}"),
        }
    }
}

/// The files of a kind are what the editor's schema takes, the committed one, and name it in their first line.
fn follow(path: &str, schema: &Value, files: &[String]) {
    let committed: Value = serde_json::from_str(&file(path)).expect("JSON");
    assert!(committed == *schema, "{path} has drifted: run `just generate pages`");
    for name in files {
        let text = file(name);
        let written: Value = yaml::parse(name, &text).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(yaml::conform::wrong(schema, &written), Vec::<String>::new(), "{name}");
        let schema = path.rsplit('/').next().unwrap_or(path);
        assert!(text.starts_with(&format!("# yaml-language-server: $schema={schema}\n")), "{name}");
    }
}

#[test]
fn the_committed_schemas_are_those_of_the_types_and_take_every_file() {
    let files: Vec<String> =
        committed().iter().map(|runbook| format!("runbooks/{}.yaml", runbook.name)).collect();
    follow("runbooks/schema.json", &runbook::schema(), &files);
    follow("guardrails.schema.json", &runbook::guardrails_schema(), &["guardrails.yaml".to_owned()]);
}

#[test]
fn each_looks_before_it_acts_and_ends_with_a_proof() {
    for runbook in committed() {
        let (name, steps) = (&runbook.name, &runbook.steps);
        let act = steps.iter().position(|step| matches!(step.task, Task::Act(_)));
        let looks = |step: &Step| matches!(step.task, Task::Look { .. } | Task::Approve { .. });
        let first = steps.first().is_some_and(looks) || !runbook.preconditions.is_empty();
        assert!(first && act != Some(0), "{name} looks before it acts");
        // After the proof, only what was meant for the time of the run is taken back.
        let mut last = steps.iter().rev().skip_while(|step| matches!(step.task, Task::Undo { .. }));
        assert!(last.next().is_some_and(|step| matches!(step.task, Task::Verify(_))), "{name}");
    }
}

#[test]
fn a_dry_run_of_each_shows_every_step_and_is_ready_when_all_is_as_expected() {
    for runbook in committed() {
        let plan = planned(&runbook);
        let answers: BTreeMap<Place, Answer> = dry::questions(&plan)
            .into_iter()
            .filter_map(|(place, _)| {
                Some((
                    place,
                    match plan.look(place)? {
                        (Call::Log { .. }, _) => Answer::Lines { count: 1, newest: None },
                        (_, expect) => expected(expect),
                    },
                ))
            })
            .collect();
        let shown = dry::run(&plan, &answers, &BTreeMap::new());
        assert!(shown.ready, "{}", runbook.name);
        assert_eq!(shown.steps.len(), runbook.steps.len(), "{}", runbook.name);
        for shown in shown.preconditions.iter().chain(&shown.steps) {
            assert!(!shown.text.contains("${"), "{}: {}", runbook.name, shown.text);
            assert_ne!(shown.holds, Some(false), "{}: {}", runbook.name, shown.name);
        }
    }
}

#[test]
fn an_act_is_done_once_for_each_run_and_each_key_is_its_own() {
    for runbook in committed() {
        let plan = planned(&runbook);
        let acts = plan.changes().into_iter().filter(|(place, _)| {
            let Place::Step(index) = place else { return false };
            matches!(plan.runbook.steps[*index].task, Task::Act(_))
        });
        let mut keys: Vec<String> = acts.map(|(_, change)| change.key).collect();
        assert!(keys.iter().all(|key| key.contains("run-1") || key.contains("INC-7")), "{keys:?}");
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count, "{}", runbook.name);
    }
}

#[test]
fn the_guardrails_name_runbooks_that_exist_and_use_each_verb_as_a_runbook_does() {
    let (rails, runbooks) = (rails(), committed());
    for rule in &rails.rules {
        for name in &rule.runbooks {
            let runbook = runbooks.iter().find(|runbook| runbook.name == *name);
            let plan = planned(runbook.unwrap_or_else(|| panic!("rule {}: no runbook {name}", rule.name)));
            let verbs: Vec<Verb> = plan.changes().iter().map(|(_, change)| change.verb).collect();
            assert!(rule.verbs.iter().any(|verb| verbs.contains(verb)), "rule {}: not for {name}", rule.name);
        }
    }
}

#[test]
fn automation_may_do_some_of_them_and_recommends_the_others() {
    let rails = rails();
    let replicas = Replicas { healthy: 2, target_healthy: true };
    let services = ["edge", "order-api", "order-worker", "user-service"];
    let now = Situation {
        now: at("2026-11-29T11:00:00Z"),
        speed: 1,
        deploying: [].into(),
        incidents: Vec::new(),
        replicas: services.map(|service| (service.to_owned(), replicas)).into(),
    };
    let mut verdicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for runbook in committed() {
        let plan = planned(&runbook);
        let services = plan.services();
        let worst = plan.changes().into_iter().map(|(_, change)| {
            let proposal = Proposal {
                run: "run-1",
                runbook: &runbook.name,
                incident: None,
                services: &services,
                by: &Who::Automation,
                change: &change,
                approved: false,
                undo: false,
            };
            decide(&rails, &Ledger::default(), &now, &proposal).verdict
        });
        // Most only lead a person: they change nothing.
        let Some(worst) = worst.max() else { continue };
        verdicts.entry(worst.to_string()).or_default().push(runbook.name.clone());
    }
    assert!(!verdicts.contains_key("deny"), "{verdicts:?}");
    assert!(verdicts["allow"].contains(&"PostgresLongTransaction".to_owned()), "{verdicts:?}");
    assert!(verdicts["ask"].contains(&"DeadLetters".to_owned()), "{verdicts:?}");
    assert!(verdicts["recommend"].contains(&"HighErrorRate".to_owned()), "{verdicts:?}");
}
