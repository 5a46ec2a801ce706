//! The decision about one change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Decision, Guardrails, Ledger, Limit, Then, Verdict, scaled};
use crate::{Change, Who, parameter::words};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'p> {
    /// The run.
    pub run: &'p str,
    /// Its runbook.
    pub runbook: &'p str,
    /// Its incident, if it has one.
    pub incident: Option<&'p str>,
    /// Services that the runbook is about.
    pub services: &'p [String],
    /// Who started the run.
    pub by: &'p Who,
    /// The change.
    pub change: &'p Change,
    /// A second person approved it.
    pub approved: bool,
    /// It takes an act back: limits, deploys and other incidents do not hold it.
    pub undo: bool,
}

/// How many replicas of a service there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replicas {
    /// Healthy ones.
    pub healthy: u32,
    /// Whether the one that would be changed is healthy; true, if that is not known.
    pub target_healthy: bool,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIncident {
    /// Its id.
    pub id: String,
    /// Its services.
    pub services: BTreeSet<String>,
}

/// How things are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Situation {
    /// The time.
    pub now: DateTime<Utc>,
    /// The lab clock's divisor, or 1.
    pub speed: u32,
    /// Services that are being deployed.
    pub deploying: BTreeSet<String>,
    /// Open incidents.
    pub incidents: Vec<OpenIncident>,
    /// Replicas by service; what is missing is not known.
    pub replicas: BTreeMap<String, Replicas>,
}

/// Verdicts and reasons, as they are found.
struct Found<'p> {
    rails: &'p Guardrails,
    ledger: &'p Ledger,
    now: &'p Situation,
    proposal: &'p Proposal<'p>,
    target: String,
    verdict: Verdict,
    reasons: Vec<String>,
}

/// What the guardrails say about a change.
#[must_use]
pub fn decide(rails: &Guardrails, ledger: &Ledger, now: &Situation, proposal: &Proposal<'_>) -> Decision {
    let target = proposal.change.target();
    let (verdict, reasons) = (Verdict::Allow, Vec::new());
    let mut found = Found { rails, ledger, now, proposal, target, verdict, reasons };
    found.rules();
    found.one_at_a_time();
    found.health();
    found.switches();
    if !proposal.undo {
        found.limits();
        found.conflicts();
    }
    Decision { verdict: found.verdict, reasons: found.reasons }
}

impl Found<'_> {
    /// The worst verdict counts. For people, what would only be recommended is a warning.
    fn add(&mut self, verdict: Verdict, reason: String) {
        let person = *self.proposal.by != Who::Automation;
        let verdict = match verdict {
            Verdict::Recommend if person => Verdict::Allow,
            Verdict::Ask if self.proposal.approved => Verdict::Allow,
            verdict => verdict,
        };
        self.verdict = self.verdict.max(verdict);
        self.reasons.push(reason);
    }

    /// Deny wins; then ask; then auto. Nothing is allowed by silence.
    fn rules(&mut self) {
        let (rails, proposal) = (self.rails, self.proposal);
        let verb = proposal.change.verb;
        let covers = |then: Then| {
            let mut rules = rails.rules.iter().filter(move |rule| rule.then == then);
            rules.find(|rule| rule.covers(verb, &self.target, proposal.runbook))
        };
        if let Some(rule) = covers(Then::Deny) {
            return self.add(Verdict::Deny, format!("rule {} denies it: {}", rule.name, rule.why));
        }
        if proposal.undo {
            return;
        }
        if verb.needs_approval() {
            // The engine asks for the second person; automation is none, and never the first one.
            let person = *proposal.by != Who::Automation;
            let verdict = if person { Verdict::Ask } else { Verdict::Recommend };
            return self.add(verdict, format!("nobody does a {verb} alone: two people decide"));
        }
        if let Some(rule) = covers(Then::Ask) {
            // A person who starts a run has decided already.
            let person = *proposal.by != Who::Automation;
            let verdict = if person { Verdict::Allow } else { Verdict::Ask };
            return self.add(verdict, format!("rule {} wants a person to approve: {}", rule.name, rule.why));
        }
        if let Some(rule) = covers(Then::Auto) {
            return self.add(Verdict::Allow, format!("rule {} allows it: {}", rule.name, rule.why));
        }
        let text = format!("no rule covers {verb} of {}: automation only recommends it", self.target);
        self.add(Verdict::Recommend, text);
    }

    /// Never two replicas of a service at once.
    fn one_at_a_time(&mut self) {
        let change = self.proposal.change;
        if !change.verb.stops_replicas(&change.with) {
            return;
        }
        if let Some(other) = self.ledger.stopping(&self.target, self.proposal.run) {
            let text = format!("run {other} stops a replica of {} right now: one at a time", self.target);
            self.add(Verdict::Deny, text);
        }
    }

    /// Never below the healthy minimum.
    fn health(&mut self) {
        let change = self.proposal.change;
        if !change.verb.stops_replicas(&change.with) {
            return;
        }
        let least = self.rails.minimum_healthy.get(&self.target).copied().unwrap_or(1);
        let below = if *self.proposal.by == Who::Automation { Verdict::Recommend } else { Verdict::Ask };
        let Some(replicas) = self.now.replicas.get(&self.target).copied() else {
            let text = format!("how many replicas of {} are healthy is not known", self.target);
            return self.add(below, text);
        };
        let left =
            replicas.healthy.saturating_sub(change.verb.takes_away(&change.with, replicas.target_healthy));
        let text =
            format!("{left} healthy replicas of {} would be left; the minimum is {least}", self.target);
        // What is below the minimum already is not made worse by the restart of a sick replica.
        let worse = left < replicas.healthy;
        self.add(if left < least && worse { below } else { Verdict::Allow }, text);
    }

    /// The kill switch, the breaker, quiet hours.
    fn switches(&mut self) {
        if let Some(why) = self.ledger.off() {
            self.add(Verdict::Recommend, why.to_owned());
        }
        let quiet = self.rails.quiet_hours.as_ref().is_some_and(|hours| hours.contains(self.now.now));
        if quiet && !self.proposal.undo && *self.proposal.by == Who::Automation {
            self.add(Verdict::Ask, "in quiet hours automation asks first".to_owned());
        }
    }

    fn limits(&mut self) {
        let target = self.target.clone();
        self.limit(self.rails.per_target, Some(&target), &target);
        self.limit(self.rails.global, None, "anything");
    }

    fn limit(&mut self, limit: Limit, target: Option<&str>, what: &str) {
        let count = self.ledger.acts(target, scaled(limit.within, self.now.speed), self.now.now);
        if count >= limit.most {
            let within = words(limit.within);
            let text =
                format!("{what} was changed {count} times within {within}; the limit is {}", limit.most);
            self.add(Verdict::Recommend, text);
        }
    }

    /// No deploy and no other incident of the same service. For a store, the services of the runbook count.
    fn conflicts(&mut self) {
        let (now, proposal) = (self.now, self.proposal);
        let mut services: BTreeSet<&String> = proposal.services.iter().collect();
        let target = self.target.clone();
        services.insert(&target);
        for service in services {
            if now.deploying.contains(service) {
                self.add(Verdict::Recommend, format!("{service} is being deployed"));
            }
            let other = |incident: &&OpenIncident| {
                Some(incident.id.as_str()) != proposal.incident && incident.services.contains(service)
            };
            if let Some(incident) = now.incidents.iter().find(other) {
                self.add(Verdict::Recommend, format!("{service} has another incident: {}", incident.id));
            }
        }
    }
}
