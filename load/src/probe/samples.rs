//! What the firewall is tried with: the cases of the rules that the edge ships, as requests. An attack has to be blocked, and
//! something harmless that looks like one has to pass. No I/O.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;

/// The rules of the folder `waf`, built in: name and text.
const RULES: &[(&str, &str)] = &[
    ("command-injection", include_str!("../../../waf/command-injection.yaml")),
    ("cross-site-scripting", include_str!("../../../waf/cross-site-scripting.yaml")),
    ("header-injection", include_str!("../../../waf/header-injection.yaml")),
    ("metadata-access", include_str!("../../../waf/metadata-access.yaml")),
    ("path-traversal", include_str!("../../../waf/path-traversal.yaml")),
    ("private-files", include_str!("../../../waf/private-files.yaml")),
    ("scanners", include_str!("../../../waf/scanners.yaml")),
    ("sql-injection", include_str!("../../../waf/sql-injection.yaml")),
    ("template-injection", include_str!("../../../waf/template-injection.yaml")),
];

/// Where samples go: a route with a document that nobody changes, in no objective. A look-alike asks for the document. An attack may
/// have a path below it: if it passes, there is no such path.
const PLACE: &str = "/openapi.json";

/// What a sample is; also the value of the label `sample`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// Has to be blocked.
    Attack,
    /// Is harmless and looks like an attack; has to pass.
    LookAlike,
}

/// What the firewall did with a sample; also the value of the label `verdict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// Blocked an attack, or let a look-alike pass.
    Right,
    /// The opposite.
    Wrong,
    /// Nothing: the edge, or what is behind it, did not answer, or limits clients.
    Missing,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Verdict {
    /// All verdicts.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One request for the firewall.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The rule whose case it is.
    pub rule: String,
    /// What it is, in words.
    pub what: String,
    /// What has to happen to it.
    pub kind: Kind,
    /// Path and query.
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Deserialize)]
struct RuleFile {
    mode: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    what: String,
    path: Option<String>,
    query: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    verdict: Wanted,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Wanted {
    Block,
    Pass,
}

/// The samples of all shipped rules that block.
///
/// # Errors
/// The rule that cannot be read, or the case that cannot be sent.
pub fn shipped() -> Result<Vec<Sample>, String> {
    let mut samples = Vec::new();
    for (rule, text) in RULES {
        let file: RuleFile =
            serde_saphyr::from_str(text).map_err(|error| format!("waf/{rule}.yaml: {error}"))?;
        let cases = file.cases.into_iter().filter(|_| file.mode == "enforce");
        for case in cases {
            let what = case.what.clone();
            samples.extend(sample(rule, case).map_err(|why| format!("waf/{rule}.yaml: `{what}`: {why}"))?);
        }
    }
    Ok(samples)
}

/// A case as a sample. `None` for a look-alike that is nothing but a path: a service would have to answer it, and people who look for
/// odd requests in access logs would find it.
fn sample(rule: &str, case: Case) -> Result<Option<Sample>, String> {
    let Case { what, path, query, headers, body, verdict } = case;
    let kind = match verdict {
        Wanted::Block => Kind::Attack,
        Wanted::Pass => Kind::LookAlike,
    };
    let mut path = path.filter(|path| path != "/").unwrap_or_default();
    if kind == Kind::LookAlike {
        let nothing_else = query.is_none() && headers.is_empty() && body.is_none();
        if nothing_else && !path.is_empty() && path != PLACE {
            return Ok(None);
        }
        path.clear();
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().map_err(|_| format!("no header is called {name}"))?;
        let value = HeaderValue::from_str(&value).map_err(|error| format!("{name}: {error}"))?;
        map.append(name, value);
    }
    let body = Bytes::from(body.unwrap_or_default());
    let sample = Sample {
        rule: rule.to_owned(),
        what,
        kind,
        target: format!("{PLACE}{path}{query}"),
        headers: map,
        body,
    };
    sample.request("http://127.0.0.1").map_err(|error| error.to_string())?;
    Ok(Some(sample))
}

impl Sample {
    /// The request, to the edge at `base`.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn request(&self, base: &str) -> Result<Request<Full<Bytes>>, http::Error> {
        let request = Request::builder().method(Method::GET).uri(format!("{base}{}", self.target));
        let mut request = request.body(Full::new(self.body.clone()))?;
        request.headers_mut().extend(self.headers.clone());
        Ok(request)
    }

    /// What an answer means.
    #[must_use]
    pub fn judge(&self, status: StatusCode) -> Verdict {
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Verdict::Missing;
        }
        let blocked = status == StatusCode::FORBIDDEN;
        if blocked == (self.kind == Kind::Attack) { Verdict::Right } else { Verdict::Wrong }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn every_shipped_rule_is_built_in_and_has_attacks_and_look_alikes() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../waf");
        let names =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect();
        names.sort();
        assert_eq!(names, RULES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let samples = shipped().unwrap();
        for (rule, _) in RULES {
            for kind in Kind::ALL {
                assert!(samples.iter().any(|sample| sample.rule == *rule && sample.kind == kind), "{rule}");
            }
        }
    }

    #[test]
    fn a_sample_is_a_request_for_what_nobody_changes_and_a_look_alike_for_what_exists() {
        for sample in shipped().unwrap() {
            let request = sample.request("http://127.0.0.1:8000").unwrap();
            assert_eq!(request.method(), Method::GET);
            assert!(request.uri().path().starts_with(PLACE), "{}", request.uri());
            assert!(sample.kind == Kind::Attack || request.uri().path() == PLACE, "{}", request.uri());
        }
    }

    #[test]
    fn a_verdict_is_right_if_attacks_are_blocked_and_everything_else_passes() {
        let samples = shipped().unwrap();
        let of = |kind| samples.iter().find(|sample| sample.kind == kind).unwrap();
        for (status, attack, look_alike) in [
            (403, Verdict::Right, Verdict::Wrong),
            (200, Verdict::Wrong, Verdict::Right),
            (404, Verdict::Wrong, Verdict::Right),
            (429, Verdict::Missing, Verdict::Missing),
            (502, Verdict::Missing, Verdict::Missing),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(of(Kind::Attack).judge(status), attack, "{status}");
            assert_eq!(of(Kind::LookAlike).judge(status), look_alike, "{status}");
        }
    }
}
