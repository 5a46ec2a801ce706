//! Reads the file of the routes. It is either refused, with every problem and its place, or every request
//! that it covers can be sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use http::{HeaderName, Method, Uri, uri::Authority};
use serde::Deserialize;
use serde_saphyr::Spanned;
use yaml::{Problems, Reader, all};

use super::{Client, HEAVIEST, Limit, Route, Table, Upstream};
use crate::domain::{
    bucket::Allowance,
    outlier::Rules,
    values::{Text, Values as _, finish},
};

const MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
/// Time for a request whose route does not say; less than the default of `REQUEST_TIMEOUT`.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Attempts after the first one, for a route that does not say.
const RETRIES: u32 = 2;
/// Most endpoints of an upstream, and most routes.
const MOST: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    upstreams: BTreeMap<String, Spanned<RawUpstream>>,
    routes: Spanned<Vec<Spanned<RawRoute>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUpstream {
    endpoints: Spanned<Vec<Text>>,
    #[serde(default)]
    balanced: bool,
    ejection: Option<Spanned<RawEjection>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEjection {
    after: Option<Spanned<u64>>,
    time: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoute {
    name: Text,
    prefix: Text,
    #[serde(default)]
    methods: Vec<Text>,
    to: Spanned<Vec<Spanned<RawTarget>>>,
    canary_header: Option<Text>,
    timeout: Option<Text>,
    attempt_timeout: Option<Text>,
    retries: Option<Spanned<u64>>,
    limit: Option<Spanned<RawLimit>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    upstream: Text,
    weight: Option<Spanned<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimit {
    rps: Spanned<f64>,
    burst: Spanned<u64>,
    by: Option<Text>,
}

/// Reads a file; `file` is its name in messages, and no request may take longer than `longest`.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str, longest: Duration) -> Result<Table, Problems> {
    let document = yaml::parse::<Document>(file, text)?;
    let mut reader = Reader::of(file);
    let upstreams = upstreams(&mut reader, &document.upstreams);
    let known: Vec<&str> = document.upstreams.keys().map(String::as_str).collect();
    let routes = routes(&mut reader, &document.routes, &known, longest);
    let table = upstreams.zip(routes).map(|(upstreams, routes)| Table { upstreams, routes });
    finish(reader, table)
}

fn upstreams(
    reader: &mut Reader<'_>,
    raw: &BTreeMap<String, Spanned<RawUpstream>>,
) -> Option<BTreeMap<String, Upstream>> {
    let read = raw.iter().map(|(name, raw)| {
        let field = format!("upstreams.{name}");
        let written = Spanned::new(name.clone(), raw.referenced, raw.defined);
        let name = reader.name(&written, &field);
        let upstream = upstream(reader, &raw.value, &field);
        Some((name?, upstream?))
    });
    Some(all(read)?.into_iter().collect())
}

fn upstream(reader: &mut Reader<'_>, raw: &RawUpstream, field: &str) -> Option<Upstream> {
    let list = format!("{field}.endpoints");
    if !(1..=MOST).contains(&raw.endpoints.value.len()) {
        let message = format!("expected 1 to {MOST} endpoints, found {}", raw.endpoints.value.len());
        reader.wrong(&raw.endpoints, &list, message);
        return None;
    }
    let read = raw.endpoints.value.iter().enumerate();
    let endpoints = all(read.map(|(index, text)| {
        let field = format!("{list}[{index}]");
        reader.take(text, &field, endpoint(&text.value))
    }));
    let mut ejection = Some(Rules::default());
    if let Some(raw) = &raw.ejection {
        let default = Rules::default();
        let after = raw.value.after.as_ref();
        let after = after
            .map_or(Some(default.after), |at| reader.count(at, &format!("{field}.ejection.after"), 1, 1000));
        let time = raw.value.time.as_ref();
        let time = time
            .map_or(Some(default.time), |at| reader.time(at, &format!("{field}.ejection.time"), MS, HOUR));
        ejection = after.zip(time).map(|(after, time)| Rules { after, time });
    }
    Some(Upstream { endpoints: endpoints?, balanced: raw.balanced, ejection: ejection? })
}

/// Host and port of `http://HOST:PORT`.
fn endpoint(text: &str) -> Result<Authority, String> {
    let wrong = || format!("expected http://HOST:PORT, found `{text}`");
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    let plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
    let authority = uri.authority().filter(|authority| plain && authority.port_u16().is_some());
    authority.filter(|authority| !authority.as_str().contains('@')).cloned().ok_or_else(wrong)
}

fn routes(
    reader: &mut Reader<'_>,
    list: &Spanned<Vec<Spanned<RawRoute>>>,
    known: &[&str],
    longest: Duration,
) -> Option<Vec<Route>> {
    if !(1..=MOST).contains(&list.value.len()) {
        reader.wrong(list, "routes", format!("expected 1 to {MOST} routes, found {}", list.value.len()));
        return None;
    }
    let (mut names, mut covered) = (BTreeSet::new(), BTreeSet::new());
    let mut read = Vec::new();
    for (index, raw) in list.value.iter().enumerate() {
        let (raw, field) = (&raw.value, format!("routes[{index}]"));
        if !names.insert(raw.name.value.clone()) {
            let message = format!("`{}` is already taken: expected a different name", raw.name.value);
            reader.wrong(&raw.name, &format!("{field}.name"), message);
        }
        let methods = raw.methods.iter().map(|method| method.value.as_str());
        for method in methods.chain(raw.methods.is_empty().then_some("any method")) {
            if !covered.insert((raw.prefix.value.clone(), method.to_owned())) {
                let message = format!("`{}` with {method} has a route already", raw.prefix.value);
                reader.wrong(&raw.prefix, &format!("{field}.prefix"), message);
            }
        }
        read.push(route(reader, raw, &field, known, longest));
    }
    let mut routes = all(read.into_iter())?;
    // Of two with one prefix, the one that names methods comes first.
    routes.sort_by_key(|route| (std::cmp::Reverse(route.prefix.len()), route.methods.is_empty()));
    Some(routes)
}

fn route(
    reader: &mut Reader<'_>,
    raw: &RawRoute,
    field: &str,
    known: &[&str],
    longest: Duration,
) -> Option<Route> {
    let name = reader.name(&raw.name, &format!("{field}.name"));
    let prefix = reader.take(&raw.prefix, &format!("{field}.prefix"), prefix(&raw.prefix.value));
    let methods = all(raw.methods.iter().enumerate().map(|(index, text)| {
        let method = Method::from_bytes(text.value.as_bytes());
        let method = method.map_err(|_| format!("expected a method such as GET, found `{}`", text.value));
        reader.take(text, &format!("{field}.methods[{index}]"), method)
    }));
    let to = targets(reader, &raw.to, &format!("{field}.to"), known);
    let canary_header = match &raw.canary_header {
        None => Some(None),
        Some(at) => reader.take(at, &format!("{field}.canary_header"), header(&at.value)).map(Some),
    };
    let timeout = raw
        .timeout
        .as_ref()
        .map_or(Some(TIMEOUT.min(longest)), |at| reader.time(at, &format!("{field}.timeout"), MS, longest));
    let attempt_timeout = match &raw.attempt_timeout {
        None => Some(None),
        Some(at) => reader.time(at, &format!("{field}.attempt_timeout"), MS, longest).map(Some),
    };
    let retries = raw.retries.as_ref();
    let retries = retries.map_or(Some(RETRIES), |at| reader.count(at, &format!("{field}.retries"), 0, 5));
    let limit = match &raw.limit {
        None => Some(None),
        Some(raw) => limit(reader, &raw.value, &format!("{field}.limit")).map(Some),
    };
    Some(Route {
        name: name?,
        prefix: prefix?,
        methods: methods?,
        to: to?,
        canary_header: canary_header?,
        timeout: timeout?,
        attempt_timeout: attempt_timeout?,
        retries: retries?,
        limit: limit?,
    })
}

fn prefix(text: &str) -> Result<String, String> {
    let sound = text.starts_with('/') && !text.contains(['?', '#', ' ']) && text.is_ascii();
    // `/orders/` would not cover `/orders`.
    let sound = sound && (text == "/" || !text.ends_with('/'));
    if sound { Ok(text.to_owned()) } else { Err(format!("expected a path such as /orders, found `{text}`")) }
}

fn header(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| format!("expected the name of a header such as x-canary, found `{text}`"))
}

fn targets(
    reader: &mut Reader<'_>,
    list: &Spanned<Vec<Spanned<RawTarget>>>,
    field: &str,
    known: &[&str],
) -> Option<Vec<(String, u32)>> {
    let read = list.value.iter().enumerate().map(|(index, raw)| {
        let (name, place) = (&raw.value.upstream, format!("{field}[{index}]"));
        let found = known.contains(&name.value.as_str());
        let expected =
            || format!("`{}` is not in `upstreams`: expected one of {}", name.value, known.join(", "));
        let found = if found { Ok(name.value.clone()) } else { Err(expected()) };
        let upstream = reader.take(name, &format!("{place}.upstream"), found);
        let weight = raw.value.weight.as_ref();
        let weight = weight.map_or(Some(1), |at| reader.count(at, &format!("{place}.weight"), 0, HEAVIEST));
        Some((upstream?, weight?))
    });
    let targets = all(read)?;
    if targets.iter().all(|(_, weight)| *weight == 0) {
        reader.wrong(list, field, "expected an upstream with a weight above 0");
        return None;
    }
    Some(targets)
}

fn limit(reader: &mut Reader<'_>, raw: &RawLimit, field: &str) -> Option<Limit> {
    let rps = raw.rps.value;
    let sound = (0.01..=1_000_000.0).contains(&rps);
    let rps = if sound { Ok(rps) } else { Err(format!("expected 0.01 to 1000000, found {rps}")) };
    let rps = reader.take(&raw.rps, &format!("{field}.rps"), rps);
    let burst = reader.count(&raw.burst, &format!("{field}.burst"), 1, 1_000_000);
    let by = match &raw.by {
        None => Some(Client::Peer),
        Some(at) => reader.take(at, &format!("{field}.by"), client(&at.value)),
    };
    Some(Limit { allowance: Allowance { rps: rps?, burst: burst? }, by: by? })
}

fn client(text: &str) -> Result<Client, String> {
    let header = text.strip_prefix("header:").and_then(|name| name.parse().ok());
    match (text, header) {
        ("peer", _) => Ok(Client::Peer),
        (_, Some(header)) => Ok(Client::Header(header)),
        _ => Err(format!("expected peer or header:NAME, found `{text}`")),
    }
}
