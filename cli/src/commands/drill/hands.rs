//! `lab drill act …`: what a responder does to the system, through the one port for actions. Each is one
//! call; the control room decides what is allowed, writes it down, and tells the run.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{client::Desk, view::entries};
use crate::terminal::{json as print_json, out};

/// States of a session.
const STATES: [&str; 3] = ["idle", "idle-in-transaction", "active"];
/// What becomes of a rule.
const RULE_STATES: [&str; 4] = ["off", "simulate", "enforce", "restored"];
/// The service that has a firewall.
const EDGE: &str = "edge";

/// Requests per second for each client; none without a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limited(Option<f64>);

fn limit(text: &str) -> std::result::Result<Limited, String> {
    if text == "none" {
        return Ok(Limited(None));
    }
    let rps = text.parse::<f64>().ok().filter(|rps| *rps > 0.0);
    rps.map(|rps| Limited(Some(rps)))
        .ok_or_else(|| "expected a number above 0 such as 20, or none".to_owned())
}

/// Change the system: roll back, restart, switch a protection, …
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill act rollback order-api-1-8\n  \
    lab drill act --dry-run restart order-worker\n  \
    lab drill act protect order-api circuit-breaker on")]
pub(super) struct Act {
    /// Only say what would happen.
    #[arg(long, global = true)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Take a change back, by its name in the list of changes.
    Rollback {
        /// The change.
        change: String,
    },
    /// Stop a service gracefully and start it again.
    Restart {
        /// The service, or one of its instances.
        target: String,
    },
    /// Switch a protection.
    Protect {
        /// The service, or one of its instances.
        target: String,
        /// The protection, such as circuit-breaker.
        name: String,
        /// on or off.
        #[arg(value_parser = ["on", "off"])]
        to: String,
    },
    /// End sessions of a database.
    EndSessions {
        /// The database: orders, users or fulfillment.
        database: String,
        /// Which: idle, idle-in-transaction or active.
        #[arg(long, default_value = "idle-in-transaction", value_parser = STATES)]
        state: String,
        /// Only sessions that have been in that state for longer.
        #[arg(long, default_value = "1s", value_name = "DURATION")]
        older_than: String,
    },
    /// Empty the cache.
    FlushCache,
    /// Remove what was left in the data folder of a service.
    RemoveFiles {
        /// The service, or one of its instances.
        target: String,
    },
    /// Put the dead letters of a service back on their topic.
    Redrive {
        /// The service.
        target: String,
    },
    /// Set the number of replicas of a service.
    Scale {
        /// The service.
        target: String,
        /// How many.
        replicas: u32,
    },
    /// Let in at most this many requests per second.
    Load {
        /// How many.
        rps: f64,
    },
    /// Set a rule of the firewall, in every edge: its searches end.
    Rule {
        /// The rule, such as scanners.
        rule: String,
        /// off, simulate or enforce; restored: what its file says, and a rule without a file is gone.
        #[arg(value_parser = RULE_STATES)]
        to: String,
    },
    /// The kill switch of the firewall, in every edge: off, every request passes unchecked.
    Firewall {
        /// on or off.
        #[arg(value_parser = ["on", "off"])]
        to: String,
    },
    /// Limit every client at the edge.
    Limit {
        /// Requests per second for each client, such as 20; none: the limit ends.
        #[arg(value_parser = limit)]
        rps: Limited,
    },
    /// Start a part of the lab that does not run.
    Start {
        /// The part: alertmanager, order-worker, postgres or user-service.
        part: String,
    },
    /// Fence the primary of PostgreSQL, and promote its replica.
    Failover {
        /// Name of the lab, such as sre-lab/.lab: that of another one is refused, in case this is the wrong terminal.
        #[arg(long, value_name = "NAME")]
        instance: String,
        /// Accept the loss of what the replica has not received.
        #[arg(long)]
        force: bool,
    },
    /// Silence an alert.
    Silence {
        /// The alert.
        alert: String,
        /// How long.
        #[arg(long = "for", default_value = "10m", value_name = "DURATION")]
        ttl: String,
    },
}

impl What {
    fn action(&self) -> Value {
        match self {
            Self::Rollback { change } => json!({ "action": "rollback", "change": change }),
            Self::Restart { target } => json!({ "action": "restart", "target": target }),
            Self::Protect { target, name, to } => {
                json!({ "action": "set_protection", "target": target, "name": name, "enabled": to == "on" })
            }
            Self::EndSessions { database, state, older_than } => {
                let which = json!({ "database": database, "state": state, "older_than": older_than });
                with(which, "end_sessions")
            }
            Self::FlushCache => json!({ "action": "purge_keys", "pattern": "*" }),
            Self::RemoveFiles { target } => json!({ "action": "remove_files", "target": target }),
            Self::Redrive { target } => json!({ "action": "redrive", "target": target }),
            Self::Scale { target, replicas } => {
                json!({ "action": "scale", "target": target, "replicas": replicas })
            }
            Self::Load { rps } => json!({ "action": "set_load", "rps": rps }),
            Self::Rule { rule, to } if to == "restored" => {
                json!({ "action": "restore_rule", "target": EDGE, "rule": rule })
            }
            Self::Rule { rule, to } => {
                json!({ "action": "set_rule", "target": EDGE, "rule": rule, "mode": to })
            }
            Self::Firewall { to } => {
                json!({ "action": "switch_firewall", "target": EDGE, "enabled": to == "on" })
            }
            Self::Limit { rps: Limited(rps) } => {
                json!({ "action": "limit_clients", "target": EDGE, "rps": rps })
            }
            Self::Start { part } => json!({ "action": "start_part", "target": part }),
            Self::Failover { instance, force } => {
                json!({ "action": "failover", "instance": instance, "force": force })
            }
            Self::Silence { alert, ttl } => json!({ "action": "silence", "alert": alert, "ttl": ttl }),
        }
    }
}

impl Act {
    pub(super) async fn run(self, desk: &Desk) -> Result<()> {
        let answer = desk.act(&self.what.action(), self.dry_run).await?;
        if self.json {
            return print_json(&answer);
        }
        let done = &answer["done"];
        let outcomes = entries(done, "results");
        if let Some(text) = done["text"].as_str() {
            out!("{}{text}", if self.dry_run { "would have " } else { "" });
        }
        let mut failed = Vec::new();
        for outcome in &outcomes {
            let (replica, text) = (word(&outcome["replica"]), word(&outcome["text"]));
            out!("  {replica}: {text}");
            if outcome["ok"] == false {
                failed.push(replica.to_owned());
            }
        }
        if !failed.is_empty() {
            bail!("not everywhere: {}", failed.join(", "));
        }
        if outcomes.is_empty() && done["text"].is_null() {
            out!("done");
        }
        Ok(())
    }
}

/// What an action is about, with its name.
fn with(mut about: Value, action: &str) -> Value {
    about["action"] = json!(action);
    about
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_the_terminal_becomes_an_action_of_the_port() {
        let protect = What::Protect {
            target: "order-api".to_owned(),
            name: "timeout".to_owned(),
            to: "off".to_owned(),
        };
        let action: switchboard::Action = serde_json::from_value(protect.action()).unwrap();
        assert!(matches!(action, switchboard::Action::SetProtection { enabled: false, ttl: None, .. }));
        let rule = |to: &str| What::Rule { rule: "scanners".to_owned(), to: to.to_owned() };
        for what in [
            rule("off"),
            rule("restored"),
            What::Firewall { to: "off".to_owned() },
            What::Limit { rps: limit("20").unwrap() },
            What::Limit { rps: limit("none").unwrap() },
        ] {
            let action: switchboard::Action = serde_json::from_value(what.action()).unwrap();
            assert_eq!(action.target(), Some("edge"));
        }
        let start: switchboard::Action =
            serde_json::from_value(What::Start { part: "postgres".to_owned() }.action()).unwrap();
        assert_eq!(start, switchboard::Action::StartPart { target: "postgres".to_owned() });
        let over = What::Failover { instance: "a/.lab".to_owned(), force: true }.action();
        let over: switchboard::Action = serde_json::from_value(over).unwrap();
        assert_eq!(over, switchboard::Action::Failover { instance: "a/.lab".to_owned(), force: true });
        assert!(limit("0").is_err() && limit("few").is_err());
        assert_eq!(What::FlushCache.action(), json!({ "action": "purge_keys", "pattern": "*" }));
    }
}
