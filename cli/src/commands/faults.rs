//! `lab break`, `lab fix`, `lab faults`: the fault switches of every service, used as `curl` would use them.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Map;
use switchboard::{Action, FaultPoint, Plan, Replica, Tools};

use crate::{
    installation::Installation,
    parts::edge::EDGE,
    terminal::{json, out, say},
};

/// Longest wait for a process that has crashed: the supervisor starts it again within half a minute.
const BACK: Duration = Duration::from_secs(45);
/// Between two attempts: a process that crashes soon after each start is there for a second or two.
const ATTEMPT: Duration = Duration::from_millis(100);

/// The fault ends by itself: after 10 minutes unless `ttl` says otherwise, and after an hour at the latest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab break order-api http-error rate=0.2 ttl=5m           a fifth of the requests fail\n  \
    lab break order-api http-latency route=/orders ramp=1m   slower and slower, on one route\n  \
    lab break user-service cache-down\n  \
    lab faults order-api                                     the faults of a service, with their parameters\n  \
    lab --context k8s break order-api http-error rate=0.2    in every pod, on Kubernetes")]
pub(crate) struct Break {
    /// Service, such as order-api: all of its instances. One of several instances: order-api-1, order-api-2.
    service: String,
    /// Fault, such as http-error; `lab faults SERVICE` lists them.
    fault: String,
    /// Parameters, such as rate=0.2, ttl=5m, ramp=30s, user_tier=premium.
    #[arg(value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Without arguments, ends every fault that was switched on, in every service, and puts every drained replica back.
/// Waits for up to 45 seconds for a service on this machine that has crashed and will be started again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab fix                          end all faults everywhere, and every drain\n  \
    lab fix order-api                end all faults of one service\n  \
    lab fix order-api http-error     end one fault")]
pub(crate) struct Fix {
    /// Service; all by default.
    service: Option<String>,
    /// Fault; by default all that were switched on.
    fault: Option<String>,
}

/// Lists what could be switched on, not what is: for that, see `lab status --reveal`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab faults                 every fault of every service, one per line\n  \
    lab faults order-api       with parameters, visible effects, and how each ends\n  \
    lab faults --json          for scripts")]
pub(crate) struct Faults {
    /// Service; all by default.
    service: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as rate=0.2".to_owned()),
    }
}

impl Break {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let mut answers = Vec::new();
        for service in place.replicas(Some(&self.service)).await? {
            let answer = service.set_fault(&self.fault, &self.parameters).await?;
            let curl = self.curl(place.token().is_some(), service.admin());
            if !self.json {
                let active: Plan = serde_json::from_value(answer["active"].clone())
                    .with_context(|| format!("{service} does not report its active faults"))?;
                out!("{} on {service}: {}", self.fault, plan(&active));
            }
            let pod = &service.pod;
            answers.push(serde_json::json!({ "fault": answer, "curl": curl, "pod": pod }));
        }
        if self.json {
            // One object for one replica, whose shape scripts rely on; a list for several, and for a cluster.
            match (place.in_cluster(), answers.as_slice()) {
                (false, [one]) => json(&serde_json::json!({ "fault": one["fault"], "curl": one["curl"] }))?,
                _ => json(&answers)?,
            }
            return Ok(ExitCode::SUCCESS);
        }
        match (place.in_cluster(), answers.as_slice()) {
            (false, [one]) => out!("the same by hand:  {}", one["curl"].as_str().unwrap_or_default()),
            (false, _) => out!("one instance only: lab break {}-2 {}", self.service, self.fault),
            (true, _) => out!("one pod only:      add --pod NAME"),
        }
        out!("end it sooner:     lab fix {} {}", self.service, self.fault);
        Ok(ExitCode::SUCCESS)
    }

    /// The equivalent `curl` command.
    fn curl(&self, guarded: bool, admin: &str) -> String {
        let query: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        // The token itself must not appear on a terminal.
        let header = if guarded { " -H \"Authorization: Bearer $FAULTS_TOKEN\"" } else { "" };
        format!("curl -X PUT{header} '{admin}/faults/{}{mark}{}'", self.fault, query.join("&"))
    }
}

impl Fix {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let everything = self.service.is_none();
        // First, as a single pod that cannot be reached keeps the faults of all others.
        let mut failed = if everything { pods_back(place).await? } else { Vec::new() };
        let services = place.replicas(self.service.as_deref()).await?;
        for service in services {
            // In a cluster, a controller replaces the pod, and the new one has another address.
            let patience = if place.in_cluster() { Duration::ZERO } else { BACK };
            match self.end(&service, patience).await {
                Ok(()) => {}
                // If one service was named, its error is the error of the command.
                Err(error) if self.service.is_some() => return Err(error.into()),
                Err(error) => failed.push(format!("{service}: {error}")),
            }
        }
        if failed.is_empty() {
            out!("fixed: {}", self.fault.as_deref().unwrap_or("every fault that was switched on has ended"));
            if everything {
                out!("no replica is drained");
            }
            return Ok(ExitCode::SUCCESS);
        }
        bail!(
            "not everywhere (a fault still ends at its ttl, or when the process does):\n  {}",
            failed.join("\n  ")
        )
    }

    /// Waits for a process that has crashed: it may be back for a moment only, and crash again.
    async fn end(&self, service: &Replica, patience: Duration) -> switchboard::Result<()> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let ended = match &self.fault {
                Some(fault) => service.end_fault(fault).await,
                None => self.end_all(service).await,
            };
            match ended {
                Err(switchboard::Error::Peer(observe::Error::Unreachable { .. }))
                    if begun.elapsed() < patience => {}
                ended => return ended,
            }
            if !told {
                say(format_args!("lab: {service} does not answer; waiting until it is back"));
                told = true;
            }
            tokio::time::sleep(ATTEMPT).await;
        }
    }

    /// Ends all faults of a replica; an edge sends requests to all others again, if everything is meant.
    async fn end_all(&self, replica: &Replica) -> switchboard::Result<()> {
        replica.end_faults().await?;
        if self.service.is_none() && replica.service == EDGE {
            replica.undrain(None).await?;
        }
        Ok(())
    }
}

/// Puts every drained pod of a cluster back into its Service: its control room has no kubectl, and cannot. Says what
/// did not work. On this machine there is nothing to do: the edges know what is drained.
///
/// # Errors
/// When kubectl does not answer.
pub(crate) async fn pods_back(place: &Installation) -> Result<Vec<String>> {
    if !place.in_cluster() {
        return Ok(Vec::new());
    }
    let action = Action::Undrain { target: None };
    let outcomes = action.run(&place.switches()?, &Tools::default(), place.token()).await?;
    let failed = outcomes.iter().filter(|outcome| !outcome.ok);
    Ok(failed.map(|outcome| format!("{}: {}", outcome.replica, outcome.text)).collect())
}

impl Faults {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let mut all: Vec<(String, Vec<FaultPoint>)> = Vec::new();
        for replica in place.replicas(self.service.as_deref()).await? {
            let mut points = replica.faults().await?;
            points.iter_mut().for_each(|point| point.active = None);
            // All pods of a service have the same faults.
            if !all.iter().any(|(service, _)| *service == replica.service) {
                all.push((replica.service, points));
            }
        }
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        if self.json {
            let mut document = Map::new();
            for (service, points) in all {
                document.insert(service, serde_json::to_value(points)?);
            }
            json(&document)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (service, points) in &all {
            out!("{service}");
            points.iter().for_each(|point| print_point(point, self.service.is_some()));
        }
        if self.service.is_none() {
            out!("");
            out!("parameters and effects: lab faults SERVICE");
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print_point(point: &FaultPoint, wide: bool) {
    out!("  {:20} {}", point.name, point.summary);
    if !wide {
        return;
    }
    for parameter in &point.parameters {
        let default =
            parameter.default.as_ref().map_or_else(String::new, |value| format!(", default {value}"));
        out!("      {:12} {} ({}{default})", parameter.name, parameter.summary, parameter.expects);
    }
    out!("      moves: {}", point.signals);
    out!("      ends:  {}", point.ends);
    out!("");
}

/// One line about an active plan.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut words = vec![format!("rate {}", plan.rate)];
    for (name, value) in &plan.parameters {
        words.push(format!("{name} {}", value.as_str().unwrap_or_default()));
    }
    words.push(match &plan.expires_at {
        Some(time) => format!("ends {time} (in {:.0} s)", plan.seconds_left.unwrap_or_default()),
        None => "on from the start, until it is deleted".to_owned(),
    });
    words.join(", ")
}

/// What would end or split a query, or is not for every shell.
const NOT_IN_QUERIES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b':');

/// A value of a query, as needed for curl.
fn encode(value: &str) -> String {
    utf8_percent_encode(value, NOT_IN_QUERIES).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_curl_survives_odd_values() {
        assert_eq!(encode("/orders/{id}"), "/orders/%7Bid%7D");
        assert_eq!(encode("a&b=c d"), "a%26b%3Dc%20d");
    }
}
