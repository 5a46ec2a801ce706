//! The firewall of one edge, over its admin port, which answers even while its public port is stuck. What is set here holds for
//! this process until it ends.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Replica, Result, switch};

/// The firewall of one edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Firewall {
    /// Whether it judges requests: false after its kill switch was used.
    pub enabled: bool,
    /// Whether the protection `regex-guard` ends searches at their cost.
    pub guarded: bool,
    /// What is wrong with the files that were read last; those before are in force.
    #[serde(default)]
    pub problems: Vec<String>,
    /// Its rules, in force or not.
    pub rules: Vec<Rule>,
}

/// A rule of a firewall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub title: String,
    /// What it does now: `enforce`, `simulate` or `off`.
    pub mode: String,
    /// What its file says.
    pub mode_of_file: String,
    /// Whether it was pushed to the admin port, and is in no file.
    pub pushed: bool,
    /// `linear` or `backtracking`.
    pub engine: String,
    /// What it looks at.
    pub targets: Vec<String>,
    /// Maximum number of steps for one request.
    pub cost: u64,
    /// What it has counted since the start.
    pub counts: Counts,
    /// All other fields: of one rule its pattern, the number of its cases, and those that fail.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What a rule does with a request that it finds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumCount, strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
pub enum RuleMode {
    /// It blocks the request.
    Enforce,
    /// It counts the request and lets it pass, at the same cost.
    Simulate,
    /// It does not run.
    Off,
}

impl RuleMode {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// As it is serialized, and as the edge has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Simulate => "simulate",
            Self::Off => "off",
        }
    }
}

/// What a rule has counted since the start of its edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests that it refused.
    pub blocked: u64,
    /// Requests that it found and let through.
    pub simulated: u64,
    /// Searches that were ended at their cost.
    pub overruns: u64,
    /// Processor time in seconds.
    pub cpu_seconds: f64,
}

impl Replica {
    /// The firewall of this edge.
    ///
    /// # Errors
    /// The edge's message, or why it could not be reached; the same for the others below.
    pub async fn firewall(&self) -> Result<Firewall> {
        self.read(self.peer.get("/waf", &[]).await?)
    }

    /// One rule with its pattern.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn rule(&self, id: &str) -> Result<Rule> {
        self.read(self.peer.get(&switch("waf", id), &[]).await?)
    }

    /// Puts a rule into force: the text of its file, whose name is `id`.
    ///
    /// # Errors
    /// As [`Replica::firewall`]; every mistake in the file.
    pub async fn push_rule(&self, id: &str, file: String) -> Result<Rule> {
        self.read(self.peer.put_text(&switch("waf", id), file).await?)
    }

    /// As [`Replica::push_rule`], for this number of seconds, at least 1 and at most a day: then it ends by itself.
    ///
    /// # Errors
    /// As [`Replica::push_rule`].
    pub async fn push_rule_for(&self, id: &str, file: String, seconds: u64) -> Result<Rule> {
        let path = format!("{}?ttl={seconds}s", switch("waf", id));
        self.read(self.peer.put_text(&path, file).await?)
    }

    /// Changes the mode of a rule: `enforce`, `simulate` or `off`. Its searches that run end.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn set_rule_mode(&self, id: &str, mode: &str) -> Result<Rule> {
        self.read(self.peer.call(Method::PUT, &switch("waf", id), &[("mode", mode)]).await?)
    }

    /// Takes back what was set for one rule.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn restore_rule(&self, id: &str) -> Result<Firewall> {
        self.read(self.peer.call(Method::DELETE, &switch("waf", id), &[]).await?)
    }

    /// The kill switch: off, every request passes unjudged, and searches that run end.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn switch_firewall(&self, enabled: bool) -> Result<Firewall> {
        let enabled = enabled.to_string();
        self.read(self.peer.call(Method::PUT, "/waf", &[("enabled", enabled.as_str())]).await?)
    }

    /// Takes back everything that was set.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn restore_firewall(&self) -> Result<Firewall> {
        self.read(self.peer.call(Method::DELETE, "/waf", &[]).await?)
    }

    /// Limits every client of this edge to `rps` requests per second, in addition to the limits of its routes; up to
    /// `burst` at once.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn limit_clients(&self, rps: f64, burst: u32) -> Result<()> {
        let (rps, burst) = (rps.to_string(), burst.to_string());
        let query = [("rps", rps.as_str()), ("burst", burst.as_str())];
        self.peer.call(Method::PUT, "/limit", &query).await?;
        Ok(())
    }

    /// Ends this limit.
    ///
    /// # Errors
    /// As [`Replica::firewall`].
    pub async fn unlimit_clients(&self) -> Result<()> {
        self.peer.call(Method::DELETE, "/limit", &[]).await?;
        Ok(())
    }

    fn read<T: serde::de::DeserializeOwned>(&self, answer: Value) -> Result<T> {
        serde_json::from_value(answer).map_err(|error| Error::Odd(self.to_string(), error))
    }
}
