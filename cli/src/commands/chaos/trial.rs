//! A version that an experiment releases to a few, and how it is stopped; and dead letters that somebody puts back.

use std::{collections::BTreeMap, fmt, time::Instant};

use anyhow::{Result, bail};
use chrono::Utc;
use observe::ControlRoom;
use release::fleet::Build;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::each::{ATTEMPT, BACK};
use crate::{commands::release::register, installation::Installation, terminal::say};

const RELEASES: &str = "/api/v1/releases";
const ACTIONS: &str = "/api/v1/actions";
/// Letters that are put back at most: as many as a runbook may.
const MOST: u32 = 10_000;
/// What the record of the control room says.
const WHY: &str = "an experiment tries what happens";

/// A version of a service that gets a share of its requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Trial {
    /// The service: one whose requests the edge splits.
    pub(super) service: String,
    pub(super) version: String,
    /// Variables on top of those that it has.
    pub(super) env: BTreeMap<String, String>,
    /// Percent of the requests, 1 to 50.
    pub(super) weight: u32,
    /// Whether no judge decides about it, but only a person.
    pub(super) by_hand: bool,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, version, weight, .. } = self;
        write!(f, "version {version} of {service} released to {weight} %")?;
        f.write_str(if self.by_hand { ", without a judge" } else { "" })
    }
}

impl Trial {
    /// The same without a judge.
    pub(super) fn unjudged(&self) -> Self {
        Self { by_hand: true, ..self.clone() }
    }

    /// Registers the version, and starts its release. An error budget that is spent is no reason to wait: to burn it is what
    /// the experiment is for, and has a bound.
    ///
    /// # Errors
    /// When no lab runs here, or the control room refuses.
    pub(super) async fn begin(&self, place: &Installation) -> Result<()> {
        let home = place.all_here("chaos")?;
        home.lab()?;
        let build = Build { env: self.env.clone(), ..Build::default() };
        register(&home, (&self.service, &self.version), build, Utc::now())?;
        let body = json!({
            "service": self.service,
            "version": self.version,
            "why": WHY,
            "steps": [self.weight, 100],
            "by_hand": self.by_hand,
            "override": WHY,
        });
        place.instructor().await?.post(RELEASES, &body).await?;
        Ok(())
    }

    /// Stops the release, and waits until the old version has every request; without an error if that was done already.
    ///
    /// # Errors
    /// When the version has reached everyone, or is not taken back in time.
    pub(super) async fn end(&self, place: &Installation) -> Result<()> {
        let (room, begun) = (place.instructor().await?, Instant::now());
        let mut asked = false;
        loop {
            let release = match self.newest(&room).await {
                Ok(Some(release)) => release,
                Ok(None) => return Ok(()),
                Err(error) if begun.elapsed() > BACK => return Err(error),
                // The control room may be starting again.
                Err(_) => {
                    sleep(ATTEMPT).await;
                    continue;
                }
            };
            let id = release["id"].as_str().unwrap_or("-");
            match release["state"].as_str().unwrap_or("-") {
                "rolled-back" | "aborted" => return Ok(()),
                "released" => {
                    bail!("{id} has reached everyone: release the old version, or start the lab again")
                }
                "stuck" => bail!("{id} is stuck: {}", release["reason"]),
                "rolling-back" => {}
                _ if asked => {}
                _ => {
                    let path = format!("{RELEASES}/{id}/abort");
                    match room.post(&path, &json!({ "why": "the experiment is over" })).await {
                        Ok(_) => asked = true,
                        // The judge may have been quicker: then the next look says so.
                        Err(error) => say(format_args!("{id} is not stopped: {error}")),
                    }
                }
            }
            if begun.elapsed() > BACK {
                bail!("{id} is not taken back after {} s", BACK.as_secs());
            }
            sleep(ATTEMPT).await;
        }
    }

    /// The newest release of this version, over or not.
    async fn newest(&self, room: &ControlRoom) -> Result<Option<Value>> {
        let answer = room.get(RELEASES, &[("limit", "20")]).await?;
        let all = answer["releases"].as_array().map_or(&[][..], Vec::as_slice);
        let ours = |release: &&Value| {
            release["service"] == self.service.as_str() && release["new"] == self.version.as_str()
        };
        Ok(all.iter().find(ours).cloned())
    }
}

/// Puts the dead letters of a service back, as a person does who comes late.
///
/// # Errors
/// When the control room refuses, or the letters cannot be put back.
pub(super) async fn put_back(place: &Installation, service: &str) -> Result<()> {
    let action = json!({ "action": "redrive", "target": service, "most": MOST });
    let answer = place.instructor().await?.post(ACTIONS, &json!({ "action": action })).await?;
    for outcome in answer["done"]["results"].as_array().into_iter().flatten() {
        let text = outcome["text"].as_str().unwrap_or("-");
        if outcome["ok"] == false {
            bail!("{service}: {text}");
        }
        say(format_args!("{service}: {text}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_a_sentence_that_says_whether_it_is_judged() {
        let trial = Trial {
            service: "order-api".to_owned(),
            version: "hasty".to_owned(),
            env: BTreeMap::new(),
            weight: 10,
            by_hand: false,
        };
        assert_eq!(trial.to_string(), "version hasty of order-api released to 10 %");
        assert_eq!(
            trial.unjudged().to_string(),
            "version hasty of order-api released to 10 %, without a judge"
        );
    }
}
