//! `lab protections`: switches the circuit breaker, the retry budget and the other protections on and off at run
//! time.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Map;
use switchboard::Protection;

use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// To see what a protection is for, run the same fault with and without it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab protections                                      the protections of every service\n  \
    lab protections user-service single-flight off       off until it is switched on again\n  \
    lab protections user-service single-flight off --ttl 5m\n  \
    lab protections user-service single-flight on")]
pub(crate) struct Protections {
    /// Service; all by default.
    service: Option<String>,
    /// Protection, such as single-flight.
    #[arg(requires = "switch")]
    name: Option<String>,
    /// New state of the protection.
    switch: Option<Switch>,
    /// How long it stays off, such as 5m; by default until it is switched on again.
    #[arg(long, value_name = "TIME")]
    ttl: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// State of a protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Switched on.
    On,
    /// Switched off.
    Off,
}

impl Protections {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let mut all: Vec<(String, Vec<Protection>)> = Vec::new();
        for replica in place.replicas(self.service.as_deref()).await? {
            let protections = match (&self.name, self.switch) {
                (Some(name), Some(switch)) => {
                    vec![replica.set_protection(name, switch == Switch::On, self.ttl.as_deref()).await?]
                }
                _ => replica.protections().await?,
            };
            all.push((replica.to_string(), protections));
        }
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        if self.json {
            let mut document = Map::new();
            for (replica, protections) in all {
                document.insert(replica, serde_json::to_value(protections)?);
            }
            json(&document)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (replica, protections) in &all {
            out!("{replica}");
            protections.iter().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(protection: &Protection) {
    let word = if protection.enabled { "on" } else { "off" };
    let left = protection.seconds_left.map_or_else(String::new, |left| format!(" for {left:.0} s"));
    out!("  {:16} {word:3}{left}  {}", protection.name, protection.summary);
}
