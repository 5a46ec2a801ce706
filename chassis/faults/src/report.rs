//! What `GET /faults` shows for a point: its parameters and the plan in force.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;

use super::{
    Attribute, COMMON_PARAMS, FaultError, FaultSpec, Faults, Reach,
    parse::work_params,
    state::{InForce, PointState},
    value::human,
};

/// One point with its plan.
#[derive(Debug, Clone, Serialize)]
pub struct PointReport {
    /// The point's name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Every parameter that it takes, its own first.
    pub parameters: Vec<ParamReport>,
    /// What changes in the telemetry.
    pub signals: &'static str,
    /// What ends it, and what stays.
    pub ends: &'static str,
    /// The plan in force; `null` when the point is off.
    pub active: Option<PlanReport>,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParamReport {
    /// Name in the query string.
    pub name: &'static str,
    /// What it means.
    pub summary: &'static str,
    /// What it takes, with its range.
    pub expects: String,
    /// Its value when absent; `null` if it then does not apply.
    pub default: Option<&'static str>,
}

/// A plan in force.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Share of the work, or of the full strength, after the ramp.
    pub rate: f64,
    /// The effective rate now.
    pub level: f64,
    /// Every other parameter of the plan, as one would type it.
    pub parameters: BTreeMap<&'static str, String>,
    /// Whether it has been in force since the process started.
    pub baseline: bool,
    /// RFC 3339, UTC.
    pub since: String,
    /// RFC 3339, UTC; `null` for a baseline.
    pub expires_at: Option<String>,
    /// Time left, in seconds; `null` for a baseline.
    pub seconds_left: Option<f64>,
}

impl Faults {
    /// Every point with its plan, in the order of the catalogue.
    #[must_use]
    pub fn report(&self) -> Vec<PointReport> {
        self.states().iter().map(|state| report(state, self.subject())).collect()
    }

    /// One point with its plan.
    ///
    /// # Errors
    /// If the point does not exist.
    pub fn report_one(&self, name: &str) -> Result<PointReport, FaultError> {
        self.state(name).map(|state| report(state, self.subject()))
    }
}

/// Every parameter that `spec` takes: its own, the common ones, and those of points that affect units of work.
#[must_use]
pub fn parameters(spec: &FaultSpec, subject: &'static [Attribute]) -> Vec<ParamReport> {
    let with_kind = spec.params.iter().chain(COMMON_PARAMS).map(|param| ParamReport {
        name: param.name,
        summary: param.summary,
        expects: param.kind.expects(),
        default: Some(param.default).filter(|default| !default.is_empty()),
    });
    let work =
        work_params(subject).into_iter().filter(|_| spec.reach == Reach::Work).map(|param| ParamReport {
            name: param.name,
            summary: param.summary,
            expects: param.expects.to_owned(),
            default: None,
        });
    with_kind.chain(work).collect()
}

fn report(state: &PointState, subject: &'static [Attribute]) -> PointReport {
    let spec = state.spec;
    PointReport {
        name: spec.name,
        summary: spec.summary,
        parameters: parameters(spec, subject),
        signals: spec.signals,
        ends: spec.ends,
        active: state.current().map(|in_force| plan(&in_force)),
    }
}

fn plan(in_force: &InForce) -> PlanReport {
    let plan = &in_force.plan;
    let mut parameters: BTreeMap<_, _> =
        plan.values.iter().map(|(name, value)| (name, value.to_string())).collect();
    let mut add = |name, value: Option<String>| {
        if let Some(value) = value {
            parameters.insert(name, value);
        }
    };
    add("ttl", plan.ttl.map(human));
    add("ramp", (!plan.ramp.is_zero()).then(|| human(plan.ramp)));
    add("every", plan.flap.map(|flap| human(flap.every)));
    add("for", plan.flap.map(|flap| human(flap.on)));
    add("route", plan.blast.route.clone());
    for (asked, value) in &plan.blast.subject {
        add(asked.param, Some(value.clone()));
    }
    add("seed", plan.seed.map(|seed| seed.to_string()));
    let left = in_force.left();
    PlanReport {
        rate: plan.rate,
        level: in_force.level(),
        parameters,
        baseline: in_force.baseline,
        since: rfc3339(in_force.since),
        expires_at: plan
            .ttl
            .and_then(|ttl| TimeDelta::from_std(ttl).ok())
            .map(|ttl| rfc3339(in_force.since + ttl)),
        seconds_left: left.map(|left| (left.as_secs_f64() * 10.0).round() / 10.0),
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
