//! The shape of `runbooks/<Alert>.yaml`, field by field; every value knows its line. Unknown fields are refused.

mod rails;

use std::collections::BTreeMap;

pub(crate) use rails::{Guardrails, Limit, Quiet, Rule, Rules};
use serde_saphyr::Spanned;
use yaml::{
    shape,
    shape::{Plain, Word},
};

use crate::{Verb, class::Class, model::Otherwise};

pub(crate) type Text = Spanned<String>;
/// A text that may look like a number or a truth value.
pub(crate) type Value = Spanned<Plain>;

shape! {
    /// What to do when an alert fires, or a procedure, as steps that run.
    Document {
        /// The alert that it is for, as the file is called; left out for a procedure.
        alert: Option<Text>,
        /// What it does, in a few words.
        title: Text,
        /// What kind of work a procedure is if it runs without an incident; project if left out.
        class: Option<Spanned<Word<Class>>>,
        /// Services that it is about, at least one.
        services: Spanned<Vec<Text>>,
        /// What has to be given, or is taken from the alert; in holes such as ${service}.
        parameters: BTreeMap<String, Spanned<Parameter>> = default,
        /// What has to be so before the first step.
        preconditions: Vec<Spanned<Precondition>> = default,
        /// What is done, in order.
        steps: Spanned<Vec<Spanned<Step>>>,
    }
}

shape! {
    /// A value that the runbook needs.
    Parameter {
        /// What it is, for people.
        what: Text,
        /// One of word, choice, number and duration.
        r#type: Text,
        /// The values of a choice.
        of: Option<Spanned<Vec<Value>>>,
        /// The smallest number, or the shortest duration.
        least: Option<Value>,
        /// The largest number, or the longest duration.
        most: Option<Value>,
        /// The value if nobody gives one.
        default: Option<Value>,
        /// The label of the alert that has the value.
        from: Option<Text>,
    }
}

shape! {
    /// What has to be so before the first step: either promql or log.
    Precondition {
        /// Unique among the preconditions.
        name: Text,
        /// Why, for people.
        what: Text,
        /// A query.
        promql: Option<Text>,
        /// How many lines are logged.
        log: Option<Spanned<Log>>,
        /// What every sample has to be, such as "> 0".
        is: Text,
        /// Whether nothing counts as expected: holds or fails; fails if left out.
        empty: Option<Text>,
    }
}

shape! {
    /// A step: exactly one field beside name, what and when.
    Step {
        /// Unique among the steps.
        name: Text,
        /// What it is for, for people.
        what: Text,
        /// The branch of an earlier decide to which it belongs; left out: it is always done.
        when: Option<Text>,
        /// Looks at metrics or logs once.
        check: Option<Spanned<Check>>,
        /// Looks at an admin port once.
        http: Option<Spanned<Http>>,
        /// Looks into a database once.
        sql: Option<Spanned<Sql>>,
        /// Chooses one of several ways.
        decide: Option<Spanned<Vec<Spanned<Branch>>>>,
        /// Changes the system.
        act: Option<Spanned<Act>>,
        /// Looks until it is so.
        wait_until: Option<Spanned<Wait>>,
        /// Waits for a second person.
        approve: Option<Spanned<Approve>>,
        /// Proves that it helped; needed after the last act.
        verify: Option<Spanned<Wait>>,
        /// Takes an earlier act back: the name of its step.
        undo: Option<Text>,
    }
}

shape! {
    /// One branch of a decision. With a condition, a run in mode ask or auto takes the first that holds.
    Branch {
        /// Unique in the runbook, for the steps that belong to it.
        name: Text,
        /// When it is the right one, for the person who chooses.
        what: Text,
        /// A query; without a condition, only a person can choose.
        promql: Option<Text>,
        /// How many lines are logged.
        log: Option<Spanned<Log>>,
        /// What every sample has to be, such as "> 0".
        is: Option<Text>,
        /// Whether nothing counts as expected: holds or fails; fails if left out.
        empty: Option<Text>,
    }
}

shape! {
    /// Lines of a log.
    Log {
        /// Who writes it.
        service: Text,
        /// This level or a worse one: error, warn or info.
        level: Option<Text>,
        /// A text that is part of the message.
        text: Option<Text>,
        /// How far to look back.
        within: Text,
    }
}

shape! {
    /// A look at metrics or logs: either promql or log.
    Check {
        /// A query.
        promql: Option<Text>,
        /// How many lines are logged.
        log: Option<Spanned<Log>>,
        /// What every sample has to be, such as "> 0".
        is: Text,
        /// Whether nothing counts as expected: holds or fails; fails if left out.
        empty: Option<Text>,
        /// What follows if it is not so; stop if left out.
        otherwise: Option<Spanned<Word<Otherwise>>>,
    }
}

shape! {
    /// A GET of an admin port.
    Http {
        /// The service.
        service: Text,
        /// One replica; all if left out, and the worst answer counts.
        instance: Option<Text>,
        /// One of /livez, /readyz, /protections and /version.
        path: Text,
        /// The expected status: 200, or not 200.
        status: Value,
        /// What follows if it is not so; stop if left out.
        otherwise: Option<Spanned<Word<Otherwise>>>,
    }
}

shape! {
    /// A named query of PostgreSQL, which only reads.
    Sql {
        /// Its name.
        query: Text,
        /// The database.
        database: Text,
        /// Its values, by name.
        with: BTreeMap<String, Value> = default,
        /// How many rows are expected, such as "> 0"; left out: they are only shown.
        rows: Option<Text>,
        /// What follows if it is not so; stop if left out.
        otherwise: Option<Spanned<Word<Otherwise>>>,
    }
}

shape! {
    /// A look that is repeated: either promql or log.
    Wait {
        /// A query.
        promql: Option<Text>,
        /// How many lines are logged.
        log: Option<Spanned<Log>>,
        /// What every sample has to be, such as "> 0".
        is: Text,
        /// Whether nothing counts as expected: holds or fails; fails if left out.
        empty: Option<Text>,
        /// For how long it has to be so without a break; 0s if left out.
        r#for: Option<Text>,
        /// The latest time for that, from the begin of the step.
        within: Text,
    }
}

shape! {
    /// Waits for a second person.
    Approve {
        /// Why one is needed.
        why: Text,
    }
}

shape! {
    /// A change of the system.
    Act {
        /// What is done.
        verb: Spanned<Word<Verb>>,
        /// The fields of the verb.
        with: BTreeMap<String, Value> = default,
        /// How far it may reach, such as 1 replica, 20 sessions or all replicas.
        blast_radius: Text,
        /// An act with the same key is done once.
        idempotency_key: Text,
        /// What takes it back.
        undo: Spanned<Undo>,
    }
}

shape! {
    /// What takes an act back: either a verb, or nothing.
    Undo {
        /// Why nothing does, and why that is acceptable.
        nothing: Option<Text>,
        /// What is done.
        verb: Option<Spanned<Word<Verb>>>,
        /// The fields of the verb.
        with: BTreeMap<String, Value> = default,
    }
}
