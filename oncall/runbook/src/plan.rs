//! A runbook with its values: every question and every act as it will be sent, known before the first step. A person
//! who approves sees exactly this.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    Place, Runbook, Verb,
    answer::Expect,
    model::{Act, Ask, Look, Task, Undo},
    reach::BlastRadius,
    template::Template,
};

/// What the values of a run come from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// The id of the run: a word.
    pub run: &'g str,
    /// Its incident, if it has one.
    pub incident: Option<&'g str>,
    /// Parameters that a person or a program gave.
    pub parameters: &'g BTreeMap<String, String>,
    /// Labels of the alert; they count where nothing is given.
    pub labels: &'g BTreeMap<String, String>,
}

/// A question as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Call {
    /// An instant query of Prometheus.
    Promql {
        /// The query.
        query: String,
    },
    /// How many lines a service logged.
    Log {
        /// The service.
        service: String,
        /// This level or a worse one.
        level: Option<String>,
        /// A text that is part of the message.
        text: Option<String>,
        /// How far to look back.
        within: Duration,
    },
    /// A GET of a service's admin port.
    Http {
        /// The service.
        service: String,
        /// One replica; all, if none is named, and the worst answer counts.
        instance: Option<String>,
        /// The path.
        path: String,
    },
    /// A query of PostgreSQL, for a read-only transaction.
    Sql {
        /// Its name.
        query: &'static str,
        /// The database.
        database: String,
        /// The text.
        text: &'static str,
        /// What to bind, as text, in the order of `$1` and so on.
        values: Vec<String>,
    },
}

impl Call {
    /// The question in a line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Promql { query } => query.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Log { service, level, text, within } => {
                let level = level.as_ref().map_or_else(String::new, |level| format!(" at {level} or worse"));
                let text = text.as_ref().map_or_else(String::new, |text| format!(" with “{text}”"));
                format!("log lines of {service}{level}{text} in {}", crate::parameter::words(*within))
            }
            Self::Http { service, instance, path } => {
                format!("GET {path} of {}", instance.as_ref().unwrap_or(service))
            }
            Self::Sql { query, database, values, .. } if values.is_empty() => {
                format!("{query} in {database}")
            }
            Self::Sql { query, database, values, .. } => {
                format!("{query} in {database} ({})", values.join(", "))
            }
        }
    }
}

/// A change of the system as it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What is done.
    pub verb: Verb,
    /// Its fields.
    pub with: BTreeMap<String, String>,
    /// How far it may reach: the program that does it stops there.
    pub blast_radius: BlastRadius,
    /// A change with the same key is done once.
    pub key: String,
}

impl Change {
    /// What guardrails count it against.
    #[must_use]
    pub fn target(&self) -> String {
        self.verb.target(&self.with)
    }

    /// What it does, as a sentence without its subject.
    #[must_use]
    pub fn text(&self) -> String {
        self.verb.text(&self.with, self.blast_radius)
    }
}

/// A runbook with its values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The runbook.
    pub runbook: Runbook,
    /// What its holes are filled with.
    pub values: BTreeMap<String, String>,
}

impl Plan {
    /// Fills in a runbook.
    ///
    /// # Errors
    /// A sentence for each parameter that is missing, wrong or unknown.
    pub fn new(runbook: Runbook, given: &Given<'_>) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let mut values = BTreeMap::from([
            ("run".to_owned(), given.run.to_owned()),
            // Two runs without an incident must not share a key by accident.
            ("incident".to_owned(), given.incident.unwrap_or(given.run).to_owned()),
            ("runbook".to_owned(), runbook.name.clone()),
        ]);
        for parameter in &runbook.parameters {
            let label = parameter.label.as_ref().and_then(|label| given.labels.get(label));
            let value = given.parameters.get(&parameter.name).or(label).or(parameter.default.as_ref());
            match value.map(|value| (value, parameter.kind.check(value))) {
                None => {
                    let expects = parameter.kind.expects();
                    wrong.push(format!(
                        "{}: missing ({}): expected {expects}",
                        parameter.name, parameter.what
                    ));
                }
                Some((_, Err(message))) => wrong.push(format!("{}: {message}", parameter.name)),
                Some((value, Ok(()))) => {
                    values.insert(parameter.name.clone(), value.clone());
                }
            }
        }
        let known = |name: &String| runbook.parameters.iter().any(|parameter| parameter.name == *name);
        for name in given.parameters.keys().filter(|name| !known(name)) {
            let names: Vec<&str> = runbook.parameters.iter().map(|known| known.name.as_str()).collect();
            let names = if names.is_empty() { "no parameters".to_owned() } else { names.join(", ") };
            wrong.push(format!("{name}: {} has no such parameter: expected {names}", runbook.name));
        }
        if wrong.is_empty() { Ok(Self { runbook, values }) } else { Err(wrong) }
    }

    /// Services that it is about.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        self.runbook.services.iter().map(|service| service.render(&self.values)).collect()
    }

    /// The name and the purpose of a place.
    #[must_use]
    pub fn title(&self, place: Place) -> Option<(&str, &str)> {
        match place {
            Place::Precondition(index) => {
                let found = self.runbook.preconditions.get(index);
                found.map(|precondition| (precondition.name.as_str(), precondition.what.as_str()))
            }
            Place::Step(index) | Place::Undo(index) => {
                self.runbook.steps.get(index).map(|step| (step.name.as_str(), step.what.as_str()))
            }
        }
    }

    /// What is asked at a place, and what is expected, if something is asked there.
    #[must_use]
    pub fn look(&self, place: Place) -> Option<(Call, &Expect)> {
        let look = match place {
            Place::Precondition(index) => &self.runbook.preconditions.get(index)?.look,
            Place::Step(index) => match &self.runbook.steps.get(index)?.task {
                Task::Look { look, .. } => look,
                Task::WaitUntil(wait) | Task::Verify(wait) => &wait.look,
                Task::Decide { .. } | Task::Act(_) | Task::Approve { .. } | Task::Undo { .. } => return None,
            },
            Place::Undo(_) => return None,
        };
        Some((self.call(look), &look.expect))
    }

    /// What one of the branches of a decision asks, and what is expected, if it has a condition.
    #[must_use]
    pub fn condition(&self, step: usize, branch: usize) -> Option<(Call, &Expect)> {
        let Task::Decide { branches } = &self.runbook.steps.get(step)?.task else { return None };
        let look = branches.get(branch)?.look.as_ref()?;
        Some((self.call(look), &look.expect))
    }

    /// What is changed at a place, if something is.
    #[must_use]
    pub fn change(&self, place: Place) -> Option<Change> {
        match place {
            Place::Precondition(_) => None,
            Place::Step(index) => match &self.runbook.steps.get(index)?.task {
                Task::Act(act) => Some(self.act(act)),
                Task::Undo { act } => self.change(Place::Undo(*act)),
                _ => None,
            },
            Place::Undo(index) => {
                let Task::Act(act) = &self.runbook.steps.get(index)?.task else { return None };
                let Undo::Act { verb, with } = &act.undo else { return None };
                let with = self.fill(with);
                let key = format!("{}/undo", act.idempotency_key.render(&self.values));
                Some(Change { verb: *verb, with, blast_radius: act.blast_radius, key })
            }
        }
    }

    /// All that it may change, in order, with what takes it back.
    #[must_use]
    pub fn changes(&self) -> Vec<(Place, Change)> {
        let steps = 0..self.runbook.steps.len();
        let places = steps.flat_map(|index| [Place::Step(index), Place::Undo(index)]);
        places.filter_map(|place| Some((place, self.change(place)?))).collect()
    }

    fn act(&self, act: &Act) -> Change {
        Change {
            verb: act.verb,
            with: self.fill(&act.with),
            blast_radius: act.blast_radius,
            key: act.idempotency_key.render(&self.values),
        }
    }

    fn fill(&self, with: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
        with.iter().map(|(name, value)| (name.clone(), value.render(&self.values))).collect()
    }

    fn call(&self, look: &Look) -> Call {
        let render = |template: &Template| template.render(&self.values);
        match &look.ask {
            Ask::Promql { query } => Call::Promql { query: render(query) },
            Ask::Log { service, level, text, within } => Call::Log {
                service: render(service),
                level: level.clone(),
                text: text.as_ref().map(render),
                within: *within,
            },
            Ask::Http { service, instance, path } => Call::Http {
                service: render(service),
                instance: instance.as_ref().map(render),
                path: path.clone(),
            },
            Ask::Sql { query, database, with } => {
                let bound = |(name, value): &(&str, crate::query::Value)| {
                    value.bound(&with.get(*name).map(render).unwrap_or_default())
                };
                Call::Sql {
                    query: query.name,
                    database: render(database),
                    text: query.text,
                    values: query.values.iter().map(bound).collect(),
                }
            }
        }
    }
}
