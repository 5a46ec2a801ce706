//! The shape of what a responder is asked and does, and of when a drill is over.

use serde_saphyr::Spanned;

use super::{Check, List, Text, Texts};
use crate::{
    names::{Expected, Guarded, Invariant, RuleState},
    shape::{Time, Word, shape},
};

shape! {
    /// What the responder is asked.
    Questions {
        /// Which components are the cause; empty if nothing is wrong.
        components: Vec<Text>,
        /// What fails.
        mechanism: Option<Spanned<Choice>>,
        /// Which change is the cause: its name, or none.
        change: Option<Text>,
        /// How exact the time of the start has to be.
        onset: Option<Spanned<Time>>,
        /// How many queries have to prove the answer.
        evidence: Option<Spanned<u32>>,
    }
}

shape! {
    /// A question with one right answer.
    Choice {
        /// What to choose from.
        options: Vec<Text>,
        /// The right one.
        answer: Text,
    }
}

shape! {
    /// What helps, what does not, and what harms.
    Mitigations {
        /// What helps.
        accepted: List<Accepted>,
        /// What does not help.
        wrong: List<Wrong>,
        /// What harms.
        harmful: List<Harmful>,
    }
}

shape! {
    /// An action that helps.
    Accepted {
        /// The action.
        act: Spanned<Act>,
        /// Faults and surges that end with it; the faults of a change that it rolls back if left out.
        ends: Texts,
        /// Why it helps.
        why: Text,
    }
}

shape! {
    /// An action that does not help.
    Wrong {
        /// The action.
        act: Spanned<Act>,
        /// Why it does not.
        why: Text,
        /// Name of a signal that verification must still see afterwards; left out: verification does not try.
        still: Option<Text>,
        /// How long after the action; 20s if left out.
        after: Option<Spanned<Time>>,
    }
}

shape! {
    /// An action that harms.
    Harmful {
        /// The action.
        act: Spanned<Act>,
        /// What it harms.
        why: Text,
    }
}

shape! {
    /// An action; exactly one field.
    Act {
        /// A service, or one of its replicas, to stop in order and start again.
        restart: Option<Text>,
        /// A change to take back.
        rollback: Option<Text>,
        /// A protection to switch.
        protect: Option<Spanned<Protect>>,
        /// A database whose idle transactions to end.
        end_sessions: Option<Text>,
        /// Empty the cache: true.
        flush_cache: Option<Spanned<bool>>,
        /// A service whose data folder to empty.
        remove_files: Option<Text>,
        /// A service whose dead letters to put back.
        redrive: Option<Text>,
        /// Replicas of a service.
        scale: Option<Spanned<Scale>>,
        /// Requests per second to let in.
        load: Option<Spanned<u32>>,
        /// An alert to silence.
        silence: Option<Text>,
        /// A rule of the firewall to change.
        rule: Option<Spanned<Rule>>,
        /// The kill switch of the firewall.
        firewall: Option<Spanned<Firewall>>,
        /// A limit for every client at the edge.
        limit: Option<Spanned<Limit>>,
        /// A part of the lab to start.
        start: Option<Text>,
        /// Restore the databases from the newest backup, and from the log after it: true.
        restore: Option<Spanned<bool>>,
        /// Fence the primary of PostgreSQL and promote its replica: true.
        failover: Option<Spanned<bool>>,
        /// Something that a guard of the lab refuses; only among the wrong ones.
        refused: Option<Spanned<Word<Guarded>>>,
    }
}

shape! {
    /// A protection to switch.
    Protect {
        /// The service.
        service: Text,
        /// The protection.
        protection: Text,
        /// Whether it is on afterwards.
        enabled: bool,
    }
}

shape! {
    /// Replicas of a service.
    Scale {
        /// The service.
        service: Text,
        /// How many.
        replicas: u32,
    }
}

shape! {
    /// A rule of the firewall to change.
    Rule {
        /// The edge.
        service: Text,
        /// The rule.
        rule: Text,
        /// What it does afterwards.
        to: Spanned<Word<RuleState>>,
    }
}

shape! {
    /// The kill switch of the firewall.
    Firewall {
        /// The edge.
        service: Text,
        /// Whether it is on afterwards.
        enabled: bool,
    }
}

shape! {
    /// A limit for every client at the edge.
    Limit {
        /// The edge.
        service: Text,
        /// Requests per second for each client; left out: the limit ends.
        rps: Option<Spanned<u32>>,
    }
}

shape! {
    /// When it is over.
    Oracle {
        /// What is good for users.
        sli: Vec<Spanned<Check>>,
        /// How long it has to be; 10s if left out.
        good_for: Option<Spanned<Time>>,
        /// How long that may take after the last action.
        within: Spanned<Time>,
        /// What must hold in the databases.
        invariants: List<Word<Invariant>>,
        /// Alerts that may still fire, because they look back.
        alerts_left: Texts,
    }
}

shape! {
    /// Help.
    Hint {
        /// The text.
        text: Text,
        /// Points that it costs.
        cost: Spanned<u32>,
    }
}

shape! {
    /// How much each criterion counts.
    Weights {
        /// From the start until somebody knew.
        detect: Option<u32>,
        /// From the first page until a person took it.
        acknowledge: Option<u32>,
        /// The right components, with evidence.
        localise: Option<u32>,
        /// Mechanism, change and time of the start.
        explain: Option<u32>,
        /// Until users were no longer affected.
        mitigate: Option<u32>,
        /// Until everything was good again.
        recover: Option<u32>,
        /// Updates for others, in time.
        communicate: Option<u32>,
        /// The error budget that was burned.
        budget: Option<u32>,
    }
}

shape! {
    /// How the validity suite must end.
    Validity {
        /// If nobody does anything.
        nothing: Spanned<Word<Expected>>,
        /// If every service is restarted.
        restart_all: Spanned<Word<Expected>>,
    }
}

shape! {
    /// A step of the solution; act, wait, or until with within.
    Step {
        /// Do something.
        act: Option<Spanned<Act>>,
        /// Wait.
        wait: Option<Spanned<Time>>,
        /// Wait until this query returns something.
        until: Option<Text>,
        /// At most this long.
        within: Option<Spanned<Time>>,
    }
}
