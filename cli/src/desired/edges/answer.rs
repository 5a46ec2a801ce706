//! What an edge says of itself, in the words of desired state.

use anyhow::Result;
use contracts::firewall::{declared_mode, fingerprint};
use observe::Peer;
use release::desired::{Setting, Settings};
use serde_json::Value;
use switchboard::Counts;

/// A pushed rule that is not the one of desired state: no setting has this value.
const OTHER: &str = "another file";
/// The upstreams of a release, beside that of its service.
const GUESTS: [&str; 2] = ["baseline", "canary"];

/// What an edge says of itself.
pub(super) struct Answer {
    pub(super) limit: Value,
    pub(super) waf: Value,
    pub(super) routes: Value,
}

/// Asks an edge.
///
/// # Errors
/// When it does not answer.
pub(super) async fn ask(peer: &Peer) -> Result<Answer> {
    Ok(Answer {
        limit: peer.get("/limit", &[]).await?,
        waf: peer.get("/waf", &[]).await?,
        routes: peer.get("/routes", &[]).await?,
    })
}

impl Answer {
    /// As [`release::desired::Desired::settings`] writes it; none if it is not set.
    pub(super) fn value(&self, setting: &Setting, wanted: &Settings) -> Option<String> {
        match setting {
            Setting::Limit => limit(self.limit.get("limit")?).or_else(|| {
                let wanted = wanted.get(setting)?;
                self.files_limit(wanted).then(|| wanted.clone())
            }),
            Setting::Firewall => self.waf.get("enabled")?.as_bool().map(|on| on.to_string()),
            Setting::Mode { rule } => text(self.rule(rule)?, "mode").map(str::to_owned),
            Setting::Rule { rule } => {
                let says = self.rule(rule)?;
                let modes = wanted.contains_key(&Setting::Mode { rule: rule.clone() });
                let is = |file: &&String| {
                    let same = text(says, "fingerprint") == Some(fingerprint(file).as_str());
                    // What a rule does may be set by itself; otherwise it is what its file says.
                    same && (modes || declared_mode(file) == text(says, "mode"))
                };
                let pushed = || flag(says, "pushed").then(|| OTHER.to_owned());
                wanted.get(setting).filter(is).cloned().or_else(pushed)
            }
            _ => None,
        }
    }

    /// What was set at run time and is in the files by now. Taken back, nothing changes; left, it would outlast the next change of
    /// the files.
    pub(super) fn redundant(&self, wanted: &Settings) -> Vec<String> {
        let rules = self.waf.get("rules").and_then(Value::as_array).into_iter().flatten();
        let rules = rules.filter(|rule| flag(rule, "pushed") || flag(rule, "mode_set"));
        let known = rules.filter_map(|rule| {
            let (id, of_file) = (text(rule, "id")?, rule.get("of_file")?);
            let key = || id.to_owned();
            let (file, mode) = (Setting::Rule { rule: key() }, Setting::Mode { rule: key() });
            // What nobody decides here stays as somebody has set it.
            let (file, mode) = (wanted.get(&file), wanted.get(&mode));
            file.or(mode)?;
            let same = match file {
                Some(file) => text(of_file, "fingerprint") == Some(fingerprint(file).as_str()),
                None => !flag(rule, "pushed"),
            };
            let mode = mode.map(String::as_str).or_else(|| declared_mode(file?));
            (same && text(of_file, "mode") == mode).then(|| format!("/waf/{id}"))
        });
        let mut paths: Vec<String> = known.collect();
        let limit = self.limit.get("limit").and_then(limit);
        if limit.is_some() && wanted.get(&Setting::Limit).is_some_and(|limit| self.files_limit(limit)) {
            paths.push("/limit".to_owned());
        }
        paths
    }

    /// Routes of these services whose weights were set by hand. Those that lead to something else are nobody's business here.
    pub(super) fn reweighted<'a>(&'a self, services: &'a [String]) -> impl Iterator<Item = &'a str> {
        let routes = self.routes.get("routes").and_then(Value::as_array).into_iter().flatten();
        let set = routes.filter(|route| flag(route, "weights_set"));
        let own = set.filter(move |route| services.iter().any(|service| is_of(route, service)));
        own.filter_map(|route| text(route, "name"))
    }

    /// Whether the files limit each client of every route like this, as the chart does.
    fn files_limit(&self, wanted: &str) -> bool {
        let routes = self.routes.get("routes").and_then(Value::as_array);
        let mut limits =
            routes.into_iter().flatten().map(|route| route.get("limit").and_then(limit)).peekable();
        limits.peek().is_some() && limits.all(|limit| limit.as_deref() == Some(wanted))
    }

    /// What a rule has counted, if it was pushed.
    pub(super) fn pushed(&self, rule: &str) -> Option<Counts> {
        self.rule(rule).filter(|rule| flag(rule, "pushed")).and_then(counts)
    }

    fn rule(&self, id: &str) -> Option<&Value> {
        let rules = self.waf.get("rules")?.as_array()?;
        rules.iter().find(|rule| text(rule, "id") == Some(id))
    }
}

/// What a rule has counted since the start of its edge.
pub(super) fn counts(rule: &Value) -> Option<Counts> {
    serde_json::from_value(rule.get("counts")?.clone()).ok()
}

/// Whether a route splits the requests to one service and its release, and leads nowhere else.
fn is_of(route: &Value, service: &str) -> bool {
    let to = route.get("to").and_then(Value::as_array);
    let mut upstreams = to.into_iter().flatten().filter_map(|to| text(to, "upstream")).peekable();
    let own = |name: &str| {
        let guest = name.strip_prefix(service).and_then(|rest| rest.strip_prefix('-'));
        name == service || guest.is_some_and(|guest| GUESTS.contains(&guest))
    };
    upstreams.peek().is_some() && upstreams.all(own)
}

/// A limit of an edge or of a route; none if it is not one.
fn limit(limit: &Value) -> Option<String> {
    let (rps, burst) = (limit.get("rps")?.as_f64()?, limit.get("burst")?.as_u64()?);
    Some(format!("rps={rps} burst={burst}"))
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILE: &str = "id: scanners\nmode: enforce\n";
    /// Another text: a mode alone would not make one.
    const NEWER: &str = "id: scanners\ntitle: Another one\nmode: enforce\n";

    fn rule() -> Setting {
        Setting::Rule { rule: "scanners".to_owned() }
    }

    fn mode() -> Setting {
        Setting::Mode { rule: "scanners".to_owned() }
    }

    fn wanted(all: &[(Setting, &str)]) -> Settings {
        all.iter().map(|(setting, value)| (setting.clone(), (*value).to_owned())).collect()
    }

    /// An edge with one rule: its text, its mode, what was set at run time, and what its files have of it.
    fn edge(file: &str, mode: &str, set: [bool; 2], of_file: Option<(&str, &str)>) -> Answer {
        let of_file = of_file.map(|(file, mode)| json!({ "fingerprint": fingerprint(file), "mode": mode }));
        let rule = json!({ "id": "scanners", "fingerprint": fingerprint(file), "mode": mode, "pushed": set[0], "mode_set": set[1],
            "of_file": of_file });
        Answer {
            limit: json!({ "limit": null }),
            waf: json!({ "enabled": true, "rules": [rule] }),
            routes: json!({ "routes": [] }),
        }
    }

    #[test]
    fn a_rule_is_as_it_should_be_if_its_text_and_its_mode_are_however_it_came_there() {
        let all = wanted(&[(rule(), FILE)]);
        let own = edge(FILE, "enforce", [false, false], Some((FILE, "enforce")));
        let pushed = edge(FILE, "enforce", [true, false], None);
        for same in [&own, &pushed] {
            assert_eq!(same.value(&rule(), &all).as_deref(), Some(FILE));
        }
        let off = edge(FILE, "off", [true, true], None);
        assert_eq!(off.value(&rule(), &all).as_deref(), Some(OTHER), "its file says enforce");
        let modes = wanted(&[(rule(), FILE), (mode(), "off")]);
        assert_eq!(off.value(&rule(), &modes).as_deref(), Some(FILE), "the mode is set by itself");
        let other = edge(NEWER, "enforce", [true, false], None);
        assert_eq!(other.value(&rule(), &all).as_deref(), Some(OTHER));
        assert_eq!(other.value(&rule(), &wanted(&[])).as_deref(), Some(OTHER), "to be taken back");
        assert_eq!(own.value(&rule(), &wanted(&[])), None, "nobody pushed it");
        let stale = edge(NEWER, "enforce", [false, false], Some((NEWER, "enforce")));
        assert_eq!(stale.value(&rule(), &all), None, "its files have another one");
    }

    #[test]
    fn what_the_files_have_by_now_need_not_be_set_at_run_time() {
        let file = Some((FILE, "off"));
        let modes = wanted(&[(mode(), "off")]);
        assert_eq!(edge(FILE, "off", [false, true], file).redundant(&modes), ["/waf/scanners"]);
        assert!(edge(FILE, "off", [false, false], file).redundant(&modes).is_empty(), "nothing was set");
        assert!(edge(FILE, "off", [false, true], Some((FILE, "enforce"))).redundant(&modes).is_empty());
        assert!(
            edge(FILE, "off", [false, true], file).redundant(&wanted(&[])).is_empty(),
            "nobody's business"
        );
        let both = wanted(&[(rule(), FILE), (mode(), "off")]);
        assert_eq!(edge(FILE, "off", [true, true], file).redundant(&both), ["/waf/scanners"]);
        assert!(edge(FILE, "off", [true, true], None).redundant(&both).is_empty(), "it is in no file");
        assert!(edge(FILE, "off", [true, true], file).redundant(&modes).is_empty(), "somebody pushed it");
        let declared = wanted(&[(rule(), FILE)]);
        assert!(
            edge(FILE, "enforce", [true, false], file).redundant(&declared).is_empty(),
            "off in the files"
        );
        let file = Some((FILE, "enforce"));
        assert_eq!(edge(FILE, "enforce", [true, false], file).redundant(&declared), ["/waf/scanners"]);
    }

    #[test]
    fn a_limit_may_be_that_of_every_route_and_then_needs_no_other() {
        let all = wanted(&[(Setting::Limit, "rps=20 burst=40")]);
        let mut edge = edge(FILE, "off", [false, false], None);
        let limits = |rps: f64| json!({ "routes": [{ "name": "orders", "limit": { "rps": rps, "burst": 40, "by": "peer" } }] });
        assert_eq!(edge.value(&Setting::Limit, &all), None);
        edge.routes = limits(20.0);
        assert_eq!(edge.value(&Setting::Limit, &all).as_deref(), Some("rps=20 burst=40"));
        assert_eq!(edge.value(&Setting::Limit, &wanted(&[])), None, "the files may have any");
        edge.limit = json!({ "limit": { "rps": 20.0, "burst": 40 } });
        assert_eq!(edge.redundant(&all), ["/limit"]);
        edge.routes = limits(10.0);
        assert_eq!(edge.value(&Setting::Limit, &all).as_deref(), Some("rps=20 burst=40"));
        assert!(edge.redundant(&all).is_empty());
    }

    #[test]
    fn weights_by_hand_are_those_of_routes_that_lead_to_one_service_and_its_release() {
        let route = |name: &str, set: bool, to: &[&str]| {
            let to: Vec<Value> = to.iter().map(|name| json!({ "upstream": name, "weight": 1 })).collect();
            json!({ "name": name, "weights_set": set, "to": to })
        };
        let split = ["order-api", "order-api-baseline", "order-api-canary"];
        let mut edge = edge(FILE, "off", [false, false], None);
        edge.routes = json!({ "routes": [route("orders", true, &split), route("risky", false, &split),
            route("mine", true, &["order-api", "elsewhere"]), route("users", true, &["user-service"])] });
        let of = |services: &[&str]| -> Vec<String> {
            let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
            edge.reweighted(&services).map(str::to_owned).collect()
        };
        assert_eq!(of(&["order-api"]), ["orders"]);
        assert_eq!(of(&["order-api", "user-service"]), ["orders", "users"]);
        assert!(of(&["order"]).is_empty() && of(&[]).is_empty());
    }
}
