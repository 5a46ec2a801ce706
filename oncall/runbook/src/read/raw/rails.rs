//! The shape of `guardrails.yaml`.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;
use yaml::{shape, shape::Word};

use super::Text;
use crate::{Verb, guardrails::Then};

shape! {
    /// What automation may do by itself.
    Guardrails {
        /// Who may do what to what; what no rule covers is only recommended.
        rules: Vec<Spanned<Rule>> = default,
        /// How often something may be changed.
        limits: Limits,
        /// How many replicas of a service have to be healthy; 1 for a service that is left out.
        minimum_healthy: BTreeMap<String, Spanned<u32>> = default,
        /// When automation switches itself off.
        breaker: Breaker,
        /// When it asks before it acts.
        quiet_hours: Option<Spanned<Quiet>>,
    }
}

shape! {
    /// Rules from beside the file.
    Rules {
        /// As in the file.
        rules: Vec<Spanned<Rule>>,
    }
}

shape! {
    /// A rule.
    Rule {
        /// Unique.
        name: Text,
        /// Why, for people.
        why: Text,
        /// What follows; deny wins over all other rules.
        then: Spanned<Word<Then>>,
        /// Verbs that it is about; only a denial may leave them out, for all of them.
        verbs: Vec<Spanned<Word<Verb>>> = default,
        /// Services, postgres, redis or alertmanager; only a denial may leave them out, for all of them.
        targets: Vec<Text> = default,
        /// Runbooks that it is about; all of them if left out.
        runbooks: Vec<Text> = default,
    }
}

shape! {
    /// How often something may be changed.
    Limits {
        /// The same target.
        per_target: Limit,
        /// Anything.
        global: Limit,
    }
}

shape! {
    /// At most so often within a time.
    Limit {
        /// How often.
        most: Spanned<u32>,
        /// As in production; the lab's clock divides it by 60.
        within: Text,
    }
}

shape! {
    /// When automation switches itself off.
    Breaker {
        /// After this number of runs that did not help.
        failed_verifies: Spanned<u32>,
        /// As in production; the lab's clock divides it by 60.
        within: Text,
    }
}

shape! {
    /// Hours in which automation asks before it acts.
    Quiet {
        /// Time zone, such as Europe/Berlin.
        zone: Text,
        /// Begin, such as "23:00".
        from: Text,
        /// End; on the next day, if it is not after the begin.
        until: Text,
    }
}
