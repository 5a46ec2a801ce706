//! `lab protections`: circuit breaker, retry budget and the others, on and off at run time.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::{
    cluster::Cluster,
    commands,
    home::Home,
    terminal::{json, out},
};

/// Switched off, a protection shows what it is for: run the same fault with and without it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab protections                                      which are on, everywhere\n  \
    lab protections user-service single-flight off       until it is switched on again\n  \
    lab protections user-service single-flight off --ttl 5m\n  \
    lab protections user-service single-flight on")]
pub(crate) struct Protections {
    /// Which service; all when absent.
    service: Option<String>,
    /// Which protection to switch.
    #[arg(requires = "switch")]
    name: Option<String>,
    /// What to do with it.
    switch: Option<Switch>,
    /// How long it stays off; for good when absent.
    #[arg(long, value_name = "TIME")]
    ttl: Option<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What to do with a protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// In force.
    On,
    /// Not in force.
    Off,
}

impl Protections {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home, cluster: Option<&Cluster>) -> Result<ExitCode> {
        let mut all = Map::new();
        match (&self.service, &self.name, self.switch) {
            (Some(service), Some(name), Some(switch)) => {
                let mut query = vec![("enabled".to_owned(), (switch == Switch::On).to_string())];
                query.extend(self.ttl.clone().map(|ttl| ("ttl".to_owned(), ttl)));
                for switches in commands::reach(home, cluster, Some(service)).await? {
                    let answer =
                        switches.switch(Method::PUT, &format!("/protections/{name}"), &query).await?;
                    all.insert(switches.to_string(), Value::Array(vec![answer]));
                }
            }
            _ => {
                for service in commands::reach(home, cluster, self.service.as_deref()).await? {
                    let mut answer = service.switch(Method::GET, "/protections", &[]).await?;
                    all.insert(service.to_string(), answer["protections"].take());
                }
            }
        }
        if self.json {
            json(&all)?;
            return Ok(ExitCode::SUCCESS);
        }
        for (service, protections) in &all {
            out!("{service}");
            protections.as_array().into_iter().flatten().for_each(print);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(protection: &Value) {
    let text = |field: &str| protection[field].as_str().unwrap_or_default();
    let word = if protection["enabled"].as_bool().unwrap_or_default() { "on" } else { "off" };
    let left =
        protection["seconds_left"].as_f64().map_or_else(String::new, |left| format!(" for {left:.0} s"));
    out!("  {:16} {word:3}{left}  {}", text("name"), text("summary"));
}
