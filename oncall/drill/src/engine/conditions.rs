//! The conditions of each phase: what is looked at, and what it has to be.

use super::{Ask, Look, Mode, Phase, Run};
use crate::{
    Drill,
    model::{Check, FaultKind, Step},
};

/// Alerts that look back at restarts and scrapes for a minute or two: a restart may be the solution.
const LOOKS_BACK: [&str; 3] = ["ProcessRestarted", "ProcessCrashLooping", "ScrapesFailing"];

/// The one of them that also says that a process dies again and again. That is old news only after a proof.
const DIES: &str = "ProcessCrashLooping";

/// A restart a moment ago. Those of a verification before are longer ago, or the baseline waits until they are. Prometheus
/// itself was restarted to forget.
const RESTARTED: &str =
    "changes(process_start_time_seconds{job!~\"application-metrics|prometheus\"}[15s]) > 0";

/// A condition, and what it has to be.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) look: Look,
    pub(super) holds: bool,
}

/// Id of an entry of a list.
pub(super) fn id(kind: &str, index: usize) -> String {
    format!("{kind}[{index}]")
}

fn query(id: String, name: &str, query: &str) -> Look {
    Look { id, name: name.to_owned(), ask: Ask::Query { query: query.to_owned() } }
}

fn builtin(id: &str, ask: Ask) -> Look {
    Look { id: id.to_owned(), name: ask.describe(), ask }
}

fn checks<'c>(kind: &'c str, checks: &'c [Check]) -> impl Iterator<Item = Look> + 'c {
    checks.iter().enumerate().map(move |(index, check)| query(id(kind, index), &check.name, &check.query))
}

fn signals(drill: &Drill) -> impl Iterator<Item = Look> + '_ {
    let list = drill.signals.iter().enumerate();
    list.map(|(index, signal)| query(id("signal", index), &signal.name, &signal.query))
}

fn path(drill: &Drill) -> impl Iterator<Item = Look> + '_ {
    let list = drill.path.iter().enumerate();
    list.map(|(index, node)| query(id("path", index), &node.name, &node.query))
}

fn load(drill: &Drill) -> Look {
    builtin("load", Ask::LoadAtBaseline { rps: drill.load.rps })
}

/// Whether the firewall is as it was before the drill.
fn firewall(drill: &Drill) -> Look {
    let rules = drill.faults.iter().filter(|fault| fault.kind == FaultKind::Rule);
    let without = rules.map(|fault| fault.fault.clone()).collect();
    builtin("firewall", Ask::Firewall { without })
}

fn good(look: Look) -> Condition {
    Condition { look, holds: true }
}

/// Alerts that may still fire because of the verification before: those that look back, and that this drill is not
/// about. `proven`: that verification proved that the system is well.
fn left_before(drill: &Drill, proven: bool) -> Vec<String> {
    let (pages, queries) = (&drill.pages, drill.queries());
    let is_named = |name: &str| {
        pages.expected.iter().any(|page| page.alert == name)
            || pages.forbidden.iter().any(|alert| alert == name)
            || queries.iter().any(|(_, query)| query.contains(name))
    };
    let is_old = |name: &&str| !is_named(name) && (proven || *name != DIES);
    LOOKS_BACK.into_iter().filter(is_old).map(str::to_owned).collect()
}

/// Before anything is injected: all is well, and nothing that the drill will show is there already. `proves`: a
/// verification. The restarts of the one before it may still be in an alert then, however that one ended, and there must
/// be no later one. `inherits`: that one ended proven clean.
fn baseline(drill: &Drill, proves: bool, inherits: bool) -> Vec<Condition> {
    let except = if proves { left_before(drill, inherits) } else { Vec::new() };
    let mut all = vec![
        good(builtin("no-fault", Ask::NoFault)),
        good(firewall(drill)),
        good(builtin("drained", Ask::NoneDrained)),
        good(builtin("protections", Ask::ProtectionsOn { except: Vec::new() })),
        good(load(drill)),
        good(builtin("no-alert", Ask::NoAlert { except, fading: false })),
    ];
    if proves {
        let look = query("restarted".to_owned(), "a process was restarted", RESTARTED);
        all.push(Condition { look, holds: false });
    }
    all.extend(checks("baseline", &drill.baseline.checks).map(good));
    all.extend(checks("sli", &drill.oracle.sli).map(good));
    all.extend(signals(drill).chain(path(drill)).map(|look| Condition { look, holds: false }));
    all
}

/// At the end: users are served, and nothing was left behind. `fading`: pages may still look back at the outage.
fn recovery(drill: &Drill, fading: bool) -> Vec<Condition> {
    let mut except: Vec<String> = LOOKS_BACK.iter().map(|name| (*name).to_owned()).collect();
    except.extend(drill.oracle.alerts_left.iter().cloned());
    let weakened = drill.weakened.iter().map(|one| (one.service.clone(), one.protection.clone()));
    let mut all: Vec<Condition> = checks("sli", &drill.oracle.sli).map(good).collect();
    all.push(good(builtin("no-alert", Ask::NoAlert { except, fading })));
    all.push(good(builtin("protections", Ask::ProtectionsOn { except: weakened.collect() })));
    all.push(good(load(drill)));
    for (index, invariant) in drill.oracle.invariants.iter().enumerate() {
        all.push(good(builtin(&id("invariant", index), Ask::Invariant { invariant: *invariant })));
    }
    all
}

/// After the reset: the next drill finds nothing of this one.
pub(super) fn clean(drill: &Drill) -> Vec<Condition> {
    vec![
        good(builtin("no-fault", Ask::NoFault)),
        good(firewall(drill)),
        good(builtin("drained", Ask::NoneDrained)),
        good(builtin("protections", Ask::ProtectionsOn { except: Vec::new() })),
        good(load(drill)),
    ]
}

impl Run {
    /// What has to hold before anything is injected.
    pub(super) fn baseline(&self) -> Vec<Condition> {
        baseline(&self.drill, self.responder().is_some(), self.inherits())
    }

    /// What has to hold at the end. A person waits until every alert has ended, as in production; a verification knows half a
    /// minute earlier that a page will end (docs/adr/0061-what-a-verification-need-not-wait-for.md).
    pub(super) fn recovery(&self) -> Vec<Condition> {
        recovery(&self.drill, self.responder().is_some())
    }

    /// What has to be looked at in the present phase.
    pub(super) fn watched(&self) -> Vec<Look> {
        let drill = &*self.drill;
        let look = |condition: Condition| condition.look;
        match self.phase {
            // Prometheus restarts meanwhile, and the load is another one: what is seen then says nothing.
            Phase::Baseline if !self.undone().is_empty() => Vec::new(),
            Phase::Baseline => self.baseline().into_iter().map(look).collect(),
            Phase::Observe | Phase::Wrong(_) | Phase::Solve(_) => self.during().collect(),
            Phase::Recover => {
                let rest = self.recovery().into_iter().map(look);
                self.during().filter(|look| !look.id.starts_with("sli")).chain(rest).collect()
            }
            Phase::Reset => clean(drill).into_iter().map(look).collect(),
            Phase::Finished => Vec::new(),
        }
    }

    fn during(&self) -> impl Iterator<Item = Look> + '_ {
        let drill = &*self.drill;
        let fresh = match self.phase {
            Phase::Wrong(index) => self.proof(index).and_then(|proof| {
                let fresh = proof.fresh.as_ref()?;
                Some(query(id("fresh", index), &proof.still.name, &fresh.query))
            }),
            _ => None,
        };
        let until = match (&self.start.mode, self.phase) {
            (Mode::Verify { .. }, Phase::Solve(index)) => match drill.solve.get(index) {
                Some(Step::Until { check, .. }) if self.solves() => {
                    Some(query(id("until", index), &check.name, &check.query))
                }
                _ => None,
            },
            _ => None,
        };
        signals(drill)
            .chain(path(drill))
            .chain(checks("sli", &drill.oracle.sli))
            .chain(checks("abort", &drill.abort))
            .chain(until)
            .chain(fresh)
    }
}
