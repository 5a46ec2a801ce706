//! Plans from query strings, `rate=0.2&ttl=5m`. Every refusal names the parameter, the value and what is valid.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Attribute, FaultError, FaultSpec, ParamSpec, Reach,
    common::{COMMON_PARAMS, EVERY, FOR, RAMP, RATE, TTL},
    params::Values,
    plan::{Blast, Flap, Plan},
    value::{clip, human},
};

/// Longest text that a scope parameter takes.
const MAX_TEXT: usize = 200;
const ROUTE: &str = "route";
const SEED: &str = "seed";

/// A parameter that only points with [`Reach::Work`] take.
pub(super) struct WorkParam {
    pub name: &'static str,
    pub summary: &'static str,
    pub expects: &'static str,
}

const TEXT: &str = "a text of 1 to 200 characters";

/// Which units of work are hit.
pub(super) fn work_params(subject: &'static [Attribute]) -> Vec<WorkParam> {
    let route = WorkParam {
        name: ROUTE,
        summary: "only this route template (`/orders/{id}`) or topic",
        expects: TEXT,
    };
    let subject = subject.iter().map(|Attribute { param, summary, .. }| WorkParam {
        name: param,
        summary,
        expects: TEXT,
    });
    let seed = WorkParam {
        name: SEED,
        summary: "hits the same units of work again, counted in the order in which they come",
        expects: "a whole number from 0 to 18446744073709551615",
    };
    [route].into_iter().chain(subject).chain([seed]).collect()
}

/// Reads a plan for `spec`. A baseline has no ttl.
pub(super) fn parse(
    spec: &FaultSpec,
    subject: &'static [Attribute],
    query: &str,
    baseline: bool,
) -> Result<Plan, FaultError> {
    let mut given = split(spec, subject, query)?;
    let rate = RATE.value(&mut given)?;
    let ttl = TTL.value(&mut given)?;
    let ramp = RAMP.value(&mut given)?;
    let flap = flap(EVERY.given(&mut given)?, FOR.given(&mut given)?)?;
    if ramp > ttl {
        let problem = format!(
            "`{}` is longer than the ttl ({}): its rate would never be reached",
            human(ramp),
            human(ttl)
        );
        return Err(FaultError::bad(RAMP.name, problem));
    }
    let blast = Blast { route: text(&mut given, ROUTE)?, subject: asked(subject, &mut given)? };
    let seed = given.remove(SEED).map(|text| seed(&text)).transpose()?;
    let values = own_values(spec, &mut given)?;
    Ok(Plan { rate, ttl: (!baseline).then_some(ttl), ramp, flap, blast, seed, values })
}

/// The parameters in the query, each known to the point and given once.
fn split(
    spec: &FaultSpec,
    subject: &'static [Attribute],
    query: &str,
) -> Result<BTreeMap<String, String>, FaultError> {
    let known = names(spec, subject);
    let mut given = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if !known.contains(&name.as_ref()) {
            return Err(FaultError::UnknownParam {
                fault: spec.name.to_owned(),
                param: clip(&name),
                known: known.join(", "),
            });
        }
        if given.insert(name.to_string(), value.into_owned()).is_some() {
            return Err(FaultError::bad(&name, "was given twice; give it once"));
        }
    }
    Ok(given)
}

/// Every parameter name that `spec` takes, its own first.
fn names(spec: &FaultSpec, subject: &'static [Attribute]) -> Vec<&'static str> {
    let own = spec.params.iter().map(|param| param.name);
    let common = COMMON_PARAMS.iter().map(|param| param.name);
    let work = work_params(subject).into_iter().map(|param| param.name).filter(|_| spec.reach == Reach::Work);
    own.chain(common).chain(work).collect()
}

/// The attributes of the subject that the plan requires.
fn asked(
    subject: &'static [Attribute],
    given: &mut BTreeMap<String, String>,
) -> Result<Vec<(Attribute, String)>, FaultError> {
    let value = |attribute: &Attribute| {
        text(given, attribute.param).map(|value| value.map(|value| (*attribute, value))).transpose()
    };
    subject.iter().filter_map(value).collect()
}

fn own_values(spec: &FaultSpec, given: &mut BTreeMap<String, String>) -> Result<Values, FaultError> {
    let read = |param: &ParamSpec| {
        let text = given.remove(param.name).unwrap_or_else(|| param.default.to_owned());
        param
            .kind
            .read(&text)
            .map(|value| (param.name, value))
            .map_err(|why| FaultError::bad(param.name, why))
    };
    spec.params.iter().map(read).collect::<Result<_, _>>().map(Values::new)
}

fn flap(every: Option<Duration>, on: Option<Duration>) -> Result<Option<Flap>, FaultError> {
    match (every, on) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(FaultError::bad(FOR.name, "is missing: `every` and `for` go together")),
        (None, Some(_)) => Err(FaultError::bad(EVERY.name, "is missing: `every` and `for` go together")),
        (Some(every), Some(on)) if on > every => {
            let problem =
                format!("`{}` is longer than `every` ({}); it is at most that", human(on), human(every));
            Err(FaultError::bad(FOR.name, problem))
        }
        (Some(every), Some(on)) => Ok(Some(Flap { every, on })),
    }
}

fn text(given: &mut BTreeMap<String, String>, name: &str) -> Result<Option<String>, FaultError> {
    match given.remove(name) {
        Some(text) if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) => {
            let problem = format!("`{}` is not a text of 1 to {MAX_TEXT} printable characters", clip(&text));
            Err(FaultError::bad(name, problem))
        }
        text => Ok(text),
    }
}

fn seed(text: &str) -> Result<u64, FaultError> {
    text.parse().map_err(|_| {
        FaultError::bad(SEED, format!("`{}` is not a whole number from 0 to {}", clip(text), u64::MAX))
    })
}
