//! Settings of the edges, seen and changed over their admin ports, which answer even while a public port is stuck.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use observe::Peer;
use release::desired::{Act, Seen, Setting};
use reqwest::Method;
use serde_json::Value;

/// Longest wait for an answer: one edge that hangs must not hold up the others for long.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is found if the edges do not agree: no setting has this value.
const DIFFERS: &str = "not the same on every edge";

/// All edges of a lab.
pub(super) struct Edges {
    peers: Vec<Peer>,
    /// Files of rules that were pushed, by the rule's name: an edge says that a rule was pushed, but not which file.
    pushed: BTreeMap<String, String>,
}

/// What an edge says of itself.
struct Answer {
    limit: Value,
    waf: Value,
}

impl Edges {
    /// Of these admin ports.
    pub(super) fn new(peers: Vec<Peer>) -> Self {
        let peers = peers.into_iter().map(|peer| peer.patience(PATIENCE)).collect();
        Self { peers, pushed: BTreeMap::new() }
    }

    /// Whether they are set from here.
    pub(super) const fn have(setting: &Setting) -> bool {
        matches!(setting, Setting::Limit | Setting::Firewall | Setting::Mode { .. } | Setting::Rule { .. })
    }

    /// How these settings are. Asks nobody if there are none.
    pub(super) async fn look(&self, settings: &BTreeSet<Setting>) -> BTreeMap<Setting, Seen> {
        if settings.is_empty() {
            return BTreeMap::new();
        }
        let mut answers = Vec::with_capacity(self.peers.len());
        for peer in &self.peers {
            answers.push(ask(peer).await.map_err(|error| format!("{error:#}")));
        }
        settings.iter().map(|setting| (setting.clone(), self.seen(setting, &answers))).collect()
    }

    fn seen(&self, setting: &Setting, answers: &[Result<Answer, String>]) -> Seen {
        let mut found = Vec::with_capacity(answers.len());
        for answer in answers {
            match answer {
                Ok(answer) => found.push(self.value(setting, answer)),
                Err(why) => return Seen::Unknown(why.clone()),
            }
        }
        match found.split_first() {
            None => Seen::Unknown("the lab has no edge".to_owned()),
            Some((first, rest)) if rest.iter().all(|other| other == first) => {
                first.clone().map_or(Seen::Absent, Seen::Value)
            }
            Some(_) => Seen::Value(DIFFERS.to_owned()),
        }
    }

    /// As [`release::Desired::settings`] writes it; none if it is not set.
    fn value(&self, setting: &Setting, answer: &Answer) -> Option<String> {
        match setting {
            Setting::Limit => {
                let limit = answer.limit.get("limit")?;
                let (rps, burst) = (limit.get("rps")?.as_f64()?, limit.get("burst")?.as_u64()?);
                Some(format!("rps={rps} burst={burst}"))
            }
            Setting::Firewall => answer.waf.get("enabled")?.as_bool().map(|on| on.to_string()),
            Setting::Mode { rule } => answer.rule(rule)?.get("mode")?.as_str().map(str::to_owned),
            Setting::Rule { rule } => {
                answer.rule(rule)?.get("pushed")?.as_bool().filter(|pushed| *pushed)?;
                self.pushed.get(rule).cloned()
            }
            _ => None,
        }
    }

    /// Does it on every edge, in order; the first one that refuses ends it. May be repeated.
    pub(super) async fn perform(&mut self, act: &Act) -> Result<()> {
        for peer in &self.peers {
            perform(peer, act).await.with_context(|| peer.base().to_owned())?;
        }
        if let Setting::Rule { rule } = &act.setting {
            match &act.to {
                Some(file) => drop(self.pushed.insert(rule.clone(), file.clone())),
                None => drop(self.pushed.remove(rule)),
            }
        }
        Ok(())
    }
}

impl Answer {
    fn rule(&self, id: &str) -> Option<&Value> {
        let rules = self.waf.get("rules")?.as_array()?;
        rules.iter().find(|rule| rule.get("id").and_then(Value::as_str) == Some(id))
    }
}

async fn ask(peer: &Peer) -> Result<Answer> {
    Ok(Answer { limit: peer.get("/limit", &[]).await?, waf: peer.get("/waf", &[]).await? })
}

/// Without a value, a setting is as if nobody had decided it: no limit, the firewall on, a rule as its file says.
async fn perform(peer: &Peer, act: &Act) -> Result<()> {
    let of = |rule: &str| format!("/waf/{rule}");
    match (&act.setting, act.to.as_deref()) {
        (Setting::Limit, Some(limit)) => {
            let fields = limit.strip_prefix("rps=").and_then(|rest| rest.split_once(" burst="));
            let (rps, burst) = fields.with_context(|| format!("`{limit}` is no limit"))?;
            peer.call(Method::PUT, "/limit", &[("rps", rps), ("burst", burst)]).await?;
        }
        (Setting::Limit, None) => {
            peer.call(Method::DELETE, "/limit", &[]).await?;
        }
        (Setting::Firewall, on) => {
            peer.call(Method::PUT, "/waf", &[("enabled", on.unwrap_or("true"))]).await?;
        }
        (Setting::Mode { rule }, Some(mode)) => {
            peer.call(Method::PUT, &of(rule), &[("mode", mode)]).await?;
        }
        (Setting::Rule { rule }, Some(file)) => {
            peer.put_text(&of(rule), file.to_owned()).await?;
        }
        (Setting::Mode { rule } | Setting::Rule { rule }, None) => {
            peer.call(Method::DELETE, &of(rule), &[]).await?;
        }
        (other, _) => bail!("{other} is not set on an edge"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(rps: f64, mode: &str, pushed: bool) -> Result<Answer, String> {
        let rules = json!([{ "id": "scanners", "mode": mode, "pushed": pushed }]);
        Ok(Answer {
            limit: json!({ "limit": { "rps": rps, "burst": 40 } }),
            waf: json!({ "enabled": true, "rules": rules }),
        })
    }

    #[test]
    fn a_setting_is_what_every_edge_says() {
        let rule = || "scanners".to_owned();
        let (mode, file) = (Setting::Mode { rule: rule() }, Setting::Rule { rule: rule() });
        let mut edges = Edges::new(Vec::new());
        let same = [answer(20.0, "off", true), answer(20.0, "off", true)];
        let value = |text: &str| Seen::Value(text.to_owned());
        assert_eq!(edges.seen(&Setting::Limit, &same), value("rps=20 burst=40"));
        assert_eq!(edges.seen(&Setting::Firewall, &same), value("true"));
        assert_eq!(edges.seen(&mode, &same), value("off"));
        assert_eq!(edges.seen(&file, &same), Seen::Absent, "nobody knows which file");
        edges.pushed.insert(rule(), "id: scanners\n".to_owned());
        assert_eq!(edges.seen(&file, &same), value("id: scanners\n"));
        let restarted = [answer(20.0, "off", true), answer(20.0, "enforce", false)];
        assert_eq!(edges.seen(&file, &restarted), value(DIFFERS));
        assert_eq!(edges.seen(&mode, &restarted), value(DIFFERS));
        let gone = [answer(20.0, "off", true), Err("it hangs".to_owned())];
        assert_eq!(edges.seen(&mode, &gone), Seen::Unknown("it hangs".to_owned()));
        assert!(matches!(edges.seen(&mode, &[]), Seen::Unknown(_)));
        let none = [Ok(Answer { limit: json!({ "limit": null }), waf: json!({ "rules": [] }) })];
        assert_eq!(edges.seen(&Setting::Limit, &none), Seen::Absent);
    }
}
