//! The command line of `lab` and its help texts. No behaviour.

use clap::{Parser, Subcommand};

use crate::{commands, installation::Installation};

/// A flight simulator for on-call: brings up a small distributed system that is safe to break.
#[derive(Debug, Parser)]
#[command(name = "lab", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "First steps:\n  \
    lab up                                     start everything; Ctrl-C stops it\n  \
    lab break order-api http-error rate=0.2    break something\n  \
    lab pages --follow                         be paged\n  \
    lab alerts                                 see what fires\n  \
    lab incident list                          work on it; or open the control room's page\n  \
    lab drill start first-page --follow        or let the lab break something, and be scored\n  \
    lab fix                                    end all faults\n\n\
    `alerts`, `pages`, `slo`, `traces` and `logs` work against any installation:\n  \
    lab --context k8s alerts                   the lab on Kubernetes, through kubectl port-forward\n  \
    lab --prometheus http://host:9090 alerts   a Prometheus anywhere")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) installation: Installation,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the lab and keep it up.
    Up(Box<commands::up::Up>),
    /// Stop the lab.
    Down(commands::down::Down),
    /// Show the parts: readiness with reasons, process, ports, memory, restarts.
    Status(commands::status::Status),
    /// Open psql on a database of the lab, without typing a password.
    Psql(commands::clients::Psql),
    /// Open redis-cli on the lab's Redis, without typing a password.
    RedisCli(commands::clients::RedisCli),
    /// Replace the password with which a service logs in to its database.
    Rotate(commands::rotate::Rotate),
    /// Read and follow the logs of all parts as one stream.
    Logs(commands::logs::Logs),
    /// Switch a fault on; it ends by itself.
    Break(commands::faults::Break),
    /// End faults.
    Fix(commands::faults::Fix),
    /// List the faults that a service can have, with their parameters.
    Faults(commands::faults::Faults),
    /// List the protections of a service, or switch one on or off.
    Protections(commands::protections::Protections),
    /// Work on the edge's firewall: list, test, apply and disable rules, and use the kill switch.
    Waf(commands::waf::WafCommand),
    /// Kill parts of the lab repeatedly, and prove that no order is lost or doubled.
    Torture(commands::torture::Torture),
    /// Make, list, verify and prune backups, and restore to a moment.
    Backup(Box<commands::backup::BackupCommand>),
    /// Fence PostgreSQL's primary and promote its replica; measure what that costs.
    Failover(commands::failover::FailoverCommand),
    /// List recent traces.
    Traces(commands::traces::Traces),
    /// Draw one trace as a waterfall.
    Trace(commands::traces::Trace),
    /// Show the alerts that are pending and firing, and what Alertmanager has.
    Alerts(commands::alerts::Alerts),
    /// Show what reached the person on call: alerts, and who was notified of which incident.
    Pages(commands::pages::Pages),
    /// Work on incidents: list, acknowledge, update, mitigate, resolve, timeline, postmortem.
    Incident(commands::incident::IncidentCommand),
    /// Run runbooks: guided, with approval, or automatic; and verify that they work.
    Runbook(commands::runbook::RunbookCommand),
    /// Show or switch whether automation acts on alerts.
    Automation(commands::automation::Automation),
    /// Export and verify the audit log, and check the configuration against its baseline.
    Audit(commands::audit::AuditCommand),
    /// Review whether services are ready for production: a checklist, filled in from the checkout.
    Prr(commands::prr::Review),
    /// Report what manual work costs, and what is worth automating.
    Toil(commands::toil::ToilCommand),
    /// Practise on real failures, timed and scored; and verify that each drill does what it says.
    Drill(Box<commands::drill::DrillCommand>),
    /// Hold a game day: several drills over an hour, with roles, the truth for the instructor, and a report.
    Gameday(commands::gameday::GameDay),
    /// Run a chaos experiment with a hypothesis, or a monkey within an error budget.
    Chaos(commands::chaos::ChaosCommand),
    /// Take a node of a cluster out of service, or lose it.
    Node(commands::node::NodeCommand),
    /// Keep desired state in Git: propose, approve, revert, log, diff.
    Gitops(commands::gitops::GitopsCommand),
    /// Release a new version step by step, judged against the old one and rolled back automatically.
    Release(commands::release::ReleaseCommand),
    /// Show who is on call, and what the schedules ask of people.
    Oncall(commands::oncall::OncallCommand),
    /// Work with objectives: check, generate, report, simulate, explain, measure.
    Slo(commands::slo::SloCommand),
    /// Show the versions of lab and of the programs that it runs.
    Version(commands::version::Version),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_is_well_formed() {
        Cli::command().debug_assert();
    }
}
