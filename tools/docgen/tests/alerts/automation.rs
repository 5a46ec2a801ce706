//! Runbooks that run: their alerts, metrics, labels, services and protections exist, and they do not name a fault: a
//! trainee reads them.

use std::collections::{BTreeMap, BTreeSet};

use chassis_faults::{Catalogue, protection::Protection};
use runbook::{Call, Given, Plan, Runbook, Verb, model::Task};

use crate::{files, names::Names, nothing_is, read, root, rules};

/// Services, with their faults.
const SERVICES: &[(&str, Catalogue)] = &[
    ("edge", edge::faults::CATALOGUE),
    ("notifier", notifier::faults::CATALOGUE),
    ("order-api", order_api::faults::CATALOGUE),
    ("order-worker", order_worker::faults::CATALOGUE),
    ("user-service", user_service::faults::CATALOGUE),
];

const DATABASES: &[&str] = &["orders", "users", "fulfillment"];

/// Each runbook with its text.
fn runbooks() -> Vec<(Runbook, String)> {
    let paths = files(&root().join("runbooks"), ".yaml");
    let all = paths.iter().map(|path| {
        let text = read(path);
        let runbook = runbook::read_runbook(&path.to_string_lossy(), &text);
        (runbook.unwrap_or_else(|problems| panic!("{problems}")), text)
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() >= 12, "too few runbooks found");
    all
}

/// The runbook with some value for each parameter.
fn planned(runbook: &Runbook) -> Plan {
    let values = runbook.parameters.iter().map(|parameter| {
        let value = parameter.default.clone().unwrap_or_else(|| parameter.kind.example());
        (parameter.name.clone(), value)
    });
    let (parameters, labels) = (values.collect::<BTreeMap<_, _>>(), BTreeMap::new());
    let given = Given { run: "run-1", incident: None, parameters: &parameters, labels: &labels };
    Plan::new(runbook.clone(), &given).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", runbook.name))
}

/// All questions of a plan.
fn questions(plan: &Plan) -> Vec<Call> {
    let mut all: Vec<Call> = runbook::dry::questions(plan).into_iter().map(|(_, call)| call).collect();
    for (index, step) in plan.runbook.steps.iter().enumerate() {
        let Task::Decide { branches } = &step.task else { continue };
        all.extend((0..branches.len()).filter_map(|branch| Some(plan.condition(index, branch)?.0)));
    }
    all
}

#[test]
fn every_runbook_that_runs_is_for_an_alert_whose_labels_fill_its_parameters() {
    let (alerts, names, mut wrong) = (rules::alerts(), Names::known(), Vec::new());
    let rules = rules::all();
    for (runbook, _) in runbooks() {
        // A procedure has no alert, and so no labels either.
        if runbook.alert.as_ref().is_some_and(|alert| !alerts.contains(alert)) {
            wrong.push(format!("{}: no alert has this name", runbook.name));
        }
        let rule = rules.iter().find(|(_, rule)| rule.alert.is_some() && rule.alert == runbook.alert);
        let labels = rule.and_then(|(_, rule)| names.check(&rule.expr).ok().flatten());
        let labels = labels.or_else(|| rules::labels_on_lines(runbook.alert.as_deref()?));
        for parameter in &runbook.parameters {
            let Some(label) = &parameter.label else { continue };
            if !labels.as_ref().is_some_and(|labels| labels.contains(label)) {
                wrong.push(format!("{}: its alert has no label {label}", runbook.name));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_alert_has_steps() {
    let runbooks = runbooks();
    let steps: BTreeSet<&String> =
        runbooks.iter().filter_map(|(runbook, _)| runbook.alert.as_ref()).collect();
    let alerts = rules::alerts();
    let without = alerts.iter().filter(|alert| !steps.contains(alert));
    nothing_is(&without.map(|alert| format!("runbooks/{alert}.yaml is missing")).collect::<Vec<_>>());
}

#[test]
fn every_command_that_a_text_gives_names_a_runbook_and_its_parameters() {
    let (known, mut wrong, mut seen) = (runbooks(), Vec::new(), 0);
    let texts = [("runbooks", ".md"), ("runbooks", ".yaml"), ("docs", ".md")];
    for path in texts.iter().flat_map(|(folder, end)| files(&root().join(folder), end)) {
        for line in read(&path).lines() {
            let Some((name, parameters)) = command(line) else { continue };
            seen += 1;
            let mut expect = |holds: bool, what: String| {
                if !holds {
                    wrong.push(format!("{}: {what} in `{line}`", path.display()));
                }
            };
            let runbook = known.iter().map(|(runbook, _)| runbook).find(|runbook| runbook.name == name);
            expect(runbook.is_some(), format!("no runbook is called {name}"));
            for given in parameters {
                let takes = |runbook: &Runbook| runbook.parameters.iter().any(|one| one.name == given);
                expect(runbook.is_none_or(takes), format!("{name} has no parameter {given}"));
            }
        }
    }
    assert!(seen > 100, "too few commands found: {seen}");
    nothing_is(&wrong);
}

/// The runbook that a line starts or tries, and the names of the parameters; placeholders in capitals are none.
fn command(line: &str) -> Option<(&str, Vec<&str>)> {
    let verbs = ["lab runbook run ", "lab runbook dry "];
    let rest = verbs.iter().find_map(|verb| line.split_once(verb)).map(|(_, rest)| rest)?;
    let mut words = rest.split(['`', '#', '"']).next()?.split_whitespace();
    let name = words.next()?.trim_end_matches(['.', ',', ':', ')']);
    let parameters = words.filter_map(|word| word.split_once('=')).map(|(name, _)| name);
    let placeholder = name.chars().all(|c| c.is_ascii_uppercase());
    (!placeholder).then(|| (name, parameters.filter(|name| !name.starts_with('-')).collect()))
}

#[test]
fn a_command_is_found_in_code_and_in_running_text() {
    let found = command("lab runbook run DeadLetters service=order-api --mode=ask   # some words");
    assert_eq!(found, Some(("DeadLetters", vec!["service"])));
    assert_eq!(command("then `lab runbook dry TargetDown`, and"), Some(("TargetDown", Vec::new())));
    assert_eq!(command("lab runbook run NAME"), None);
    assert_eq!(command("lab runbook list"), None);
}

#[test]
fn every_question_of_a_runbook_names_what_the_lab_has() {
    let (names, mut wrong) = (Names::known(), Vec::new());
    let service = |name: &str| SERVICES.iter().any(|(known, _)| *known == name);
    for (runbook, _) in runbooks() {
        let plan = planned(&runbook);
        let mut expect = |holds: bool, what: String| {
            if !holds {
                wrong.push(format!("{}: {what}", runbook.name));
            }
        };
        for call in questions(&plan) {
            match call {
                Call::Promql { query } => {
                    let checked = names.check(&query);
                    expect(checked.is_ok(), checked.err().unwrap_or_default());
                }
                Call::Log { service: name, .. } | Call::Http { service: name, .. } => {
                    expect(service(&name), format!("no service is called {name}"));
                }
                Call::Sql { database, .. } => {
                    expect(
                        DATABASES.contains(&database.as_str()),
                        format!("no database is called {database}"),
                    );
                }
            }
        }
        for name in plan.services() {
            expect(service(&name), format!("no service is called {name}"));
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_act_of_a_runbook_is_about_something_that_exists() {
    let (alerts, mut wrong) = (rules::alerts(), Vec::new());
    for (runbook, _) in runbooks() {
        for (place, change) in planned(&runbook).changes() {
            let get = |name: &str| change.with.get(name).map_or("", String::as_str);
            let known = match change.verb {
                Verb::SetRule | Verb::RestoreRule | Verb::SwitchFirewall => get("service") == "edge",
                Verb::Restart | Verb::Scale | Verb::Redrive | Verb::RemoveFiles | Verb::Rollback => {
                    SERVICES.iter().any(|(known, _)| *known == get("service"))
                }
                // What the edge balances.
                Verb::Drain | Verb::Undrain => ["order-api", "user-service"].contains(&get("service")),
                Verb::Restore => !get("instance").is_empty() && !get("to").is_empty(),
                Verb::Protection => get("name").parse::<Protection>().is_ok(),
                Verb::EndSessions => DATABASES.contains(&get("database")),
                Verb::PurgeKeys => get("pattern").starts_with("users:"),
                Verb::Silence | Verb::ExpireSilence => alerts.contains(get("alert")),
            };
            if !known {
                wrong.push(format!("{}: {place}: {}", runbook.name, change.text()));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn no_runbook_that_runs_names_a_fault() {
    let names = |catalogue: &Catalogue| catalogue.iter().map(|fault| fault.spec().name).collect::<Vec<_>>();
    let faults: BTreeSet<&str> = SERVICES.iter().flat_map(|(_, catalogue)| names(catalogue)).collect();
    // The endpoint that fails out of the box is no secret.
    let faults: BTreeSet<&str> = faults.into_iter().filter(|name| *name != "risky").collect();
    assert!(faults.len() > 20, "too few faults found: {faults:?}");
    let mut wrong = Vec::new();
    for (runbook, text) in runbooks() {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        wrong.extend(
            words.filter(|word| faults.contains(word)).map(|word| format!("{}: {word}", runbook.name)),
        );
    }
    nothing_is(&wrong);
}
