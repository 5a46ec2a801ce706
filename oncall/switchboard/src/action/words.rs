//! An action in words: its name, whom it is about, and a sentence about what it did.

use super::Action;

impl Action {
    /// Its name, as it is serialized.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetFault { .. } => "set_fault",
            Self::EndFault { .. } => "end_fault",
            Self::EndFaults { .. } => "end_faults",
            Self::SetProtection { .. } => "set_protection",
            Self::Restart { .. } => "restart",
            Self::Drain { .. } => "drain",
            Self::Undrain { .. } => "undrain",
            Self::Restore { .. } => "restore",
            Self::Failover { .. } => "failover",
            Self::Scale { .. } => "scale",
            Self::EndSessions { .. } => "end_sessions",
            Self::PurgeKeys { .. } => "purge_keys",
            Self::RemoveFiles { .. } => "remove_files",
            Self::Redrive { .. } => "redrive",
            Self::SetLoad { .. } => "set_load",
            Self::Silence { .. } => "silence",
            Self::ExpireSilence { .. } => "expire_silence",
            Self::PushRule { .. } => "push_rule",
            Self::SetRule { .. } => "set_rule",
            Self::RestoreRule { .. } => "restore_rule",
            Self::SwitchFirewall { .. } => "switch_firewall",
            Self::LimitClients { .. } => "limit_clients",
            Self::StopPart { .. } => "stop_part",
            Self::StartPart { .. } => "start_part",
            Self::Rollback { .. } => "rollback",
        }
    }

    /// The service, replica or store that it is about; nothing if it is about none, or about all of them.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::SetFault { target, .. }
            | Self::EndFault { target, .. }
            | Self::SetProtection { target, .. }
            | Self::Restart { target }
            | Self::Drain { target, .. }
            | Self::Scale { target, .. }
            | Self::RemoveFiles { target }
            | Self::Redrive { target, .. }
            | Self::PushRule { target, .. }
            | Self::SetRule { target, .. }
            | Self::RestoreRule { target, .. }
            | Self::SwitchFirewall { target, .. }
            | Self::LimitClients { target, .. }
            | Self::StopPart { target, .. }
            | Self::StartPart { target } => Some(target),
            Self::EndFaults { target } | Self::Undrain { target } => target.as_deref(),
            Self::Silence { service, .. } | Self::ExpireSilence { service, .. } => service.as_deref(),
            Self::EndSessions { .. } | Self::Restore { .. } | Self::Failover { .. } => Some("postgres"),
            Self::PurgeKeys { .. } => Some("redis"),
            Self::SetLoad { .. } => Some("load"),
            Self::Rollback { .. } => None,
        }
    }

    /// A sentence about what it did.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::SetFault { target, fault, parameters } => {
                let given: Vec<String> =
                    parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
                let given = if given.is_empty() { String::new() } else { format!(": {}", given.join(", ")) };
                format!("switched the fault {fault} on in {target}{given}")
            }
            Self::EndFault { target, fault } => format!("ended the fault {fault} in {target}"),
            Self::EndFaults { target: Some(target) } => format!("ended all faults in {target}"),
            Self::EndFaults { target: None } => "ended all faults".to_owned(),
            Self::SetProtection { target, name, enabled: true, .. } => {
                format!("switched the protection {name} on in {target}")
            }
            Self::SetProtection { target, name, ttl, .. } => {
                format!("switched the protection {name} off in {target}{}", and(" for ", ttl.as_ref()))
            }
            Self::Restart { target } => format!("restarted {target}"),
            Self::Drain { target, ttl } => format!("drained {target} for at most {ttl}"),
            Self::Undrain { target: Some(target) } => format!("put {target} back into the balancing"),
            Self::Undrain { target: None } => "put every drained replica back into the balancing".to_owned(),
            Self::Restore { instance, to } => format!("restored the databases of {instance} to {to}"),
            Self::Failover { instance, .. } => format!("failed {instance} over to the replica of PostgreSQL"),
            Self::Scale { target, replicas: 1 } => format!("set {target} to 1 replica"),
            Self::Scale { target, replicas } => format!("set {target} to {replicas} replicas"),
            Self::EndSessions { database, state, older_than, application, most } => format!(
                "ended sessions of the database {database}{} that were {state} for more than {older_than}{}",
                and(" from ", application.as_ref()),
                and(", at most ", most.as_ref())
            ),
            Self::PurgeKeys { pattern, ttl_over: None, most: None } if pattern == "*" => {
                "emptied the cache".to_owned()
            }
            Self::PurgeKeys { pattern, ttl_over, most } => format!(
                "removed keys of Redis that match {pattern}{}{}",
                and(" and would stay for more than ", ttl_over.as_ref()),
                and(", at most ", most.as_ref())
            ),
            Self::RemoveFiles { target } => format!("removed what {target} had left in its data folder"),
            Self::Redrive { target, most } => {
                let most = and(", at most ", most.as_ref());
                format!("put dead letters of {target} back on their topic{most}")
            }
            Self::SetLoad { rps } => format!("set the load to {rps} requests per second"),
            Self::Silence { alert, service, ttl } => {
                format!("silenced {alert}{} for {ttl}", and(" of ", service.as_ref()))
            }
            Self::ExpireSilence { alert, service } => {
                format!("ended the silence of {alert}{}", and(" of ", service.as_ref()))
            }
            Self::StopPart { target, ttl } => format!("stopped {target} for {ttl}"),
            Self::StartPart { target } => format!("started {target}"),
            Self::Rollback { change } => format!("rolled {change} back"),
            Self::PushRule { .. }
            | Self::SetRule { .. }
            | Self::RestoreRule { .. }
            | Self::SwitchFirewall { .. }
            | Self::LimitClients { .. } => self.text_of_edge(),
        }
    }

    /// The same about the edge.
    fn text_of_edge(&self) -> String {
        match self {
            Self::PushRule { target, rule, canary, .. } => {
                let first = and(", one edge first for ", canary.as_ref());
                format!("pushed the rule {rule} to {target}{first}")
            }
            Self::SetRule { target, rule, mode } => {
                format!("set the rule {rule} of {target} to {}", mode.name())
            }
            Self::RestoreRule { target, rule: Some(rule) } => {
                format!("took back what was set for the rule {rule} of {target}")
            }
            Self::RestoreRule { target, rule: None } => {
                format!("took back what was set in the firewall of {target}")
            }
            Self::SwitchFirewall { target, enabled } => {
                format!("switched the firewall of {target} {}", if *enabled { "on" } else { "off" })
            }
            Self::LimitClients { target, rps: Some(rps), .. } => {
                format!("limited every client of {target} to {rps} requests per second")
            }
            Self::LimitClients { target, rps: None, .. } => {
                format!("ended the limit for clients of {target}")
            }
            _ => String::new(),
        }
    }
}

fn and(before: &str, value: Option<&impl std::fmt::Display>) -> String {
    value.map_or_else(String::new, |value| format!("{before}{value}"))
}
