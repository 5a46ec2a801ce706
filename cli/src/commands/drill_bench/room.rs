//! What is asked of the control room: to begin a run, how it goes, and how often its responder looked and
//! acted.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use observe::{ControlRoom, Error};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    commands::drill::{
        client::{BACK, LOOK},
        verify::run::NEVER,
    },
    installation::{Installation, Reached},
};

/// Longest wait until the run before is put back, and its incident is over.
const FREE: Duration = Duration::from_secs(180);

/// The control room, as a trainee's program sees it.
pub(super) struct Room {
    client: Reached<ControlRoom>,
    token: Option<String>,
}

/// What is begun.
#[derive(Debug, Clone)]
pub(super) struct Order<'o> {
    /// The drill; none: a mystery.
    pub(super) drill: Option<&'o str>,
    /// Decides what the faults hit; none: the drill's own.
    pub(super) seed: Option<u64>,
    /// Who responds.
    pub(super) responder: String,
}

/// A run, as far as it matters here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Run {
    pub(super) id: i64,
    /// None while a mystery is in progress.
    pub(super) drill: Option<String>,
    /// Who responds.
    pub(super) responder: String,
    pub(super) phase: String,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    /// What the responder did to the system.
    pub(super) acts: Vec<String>,
    pub(super) verdict: Option<String>,
    pub(super) score: Option<Score>,
}

/// What a run was worth.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Score {
    /// 0 to 100.
    pub(super) total: f64,
}

/// How often tools were called.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    /// Those that only look.
    pub(super) queries: u64,
}

impl Run {
    /// Whether the system is clean again.
    pub(super) const fn is_over(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Whether it was begun with this order, as far as that can be seen, and not an earlier one that is being put back.
    fn is_of(&self, order: &Order<'_>) -> bool {
        let same = self.responder == order.responder && self.drill.as_deref() == order.drill;
        same && self.phase != "reset"
    }

    /// Whether the drill itself has begun: the shop was healthy.
    pub(super) fn has_begun(&self) -> bool {
        self.phase != "baseline"
    }
}

impl Room {
    /// That of an installation.
    ///
    /// # Errors
    /// When there is none.
    pub(super) async fn of(place: &Installation) -> Result<Self> {
        let token = place.control_room_token().map(str::to_owned);
        Ok(Self { client: place.control_room().await?, token })
    }

    /// Its address, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        self.client.base()
    }

    /// What it requires of trainees, if it requires anything.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Names of all drills.
    ///
    /// # Errors
    /// When the control room refuses or cannot be reached; the same for the others below.
    pub(super) async fn drills(&self) -> Result<Vec<String>> {
        let answer = self.client.get("/api/v1/drills", &[]).await?;
        let list = if answer.is_array() { &answer } else { &answer["drills"] };
        let names = list.as_array().into_iter().flatten().filter_map(|drill| drill["brief"]["id"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Begins a run, as soon as nothing else is running; or says why this drill never can. Waits for a control room that is being
    /// started again.
    pub(super) async fn begin(&self, order: &Order<'_>) -> Result<Result<Run, String>> {
        let (body, asked) = (order.body(), Instant::now());
        // An earlier run of the same drill may still be in progress. The room's clock may be a bit behind.
        let since = Utc::now() - TimeDelta::seconds(2);
        let mut unanswered = false;
        loop {
            match self.client.post("/api/v1/drills/runs", &body).await {
                Ok(run) => return read(run).map(Ok),
                Err(Error::Unreachable { .. }) if asked.elapsed() < BACK => unanswered = true,
                Err(Error::Refused { status: 409, said, .. }) if said.contains(NEVER) => {
                    return Ok(Err(said));
                }
                Err(Error::Refused { status: 409, .. }) if asked.elapsed() < FREE => {
                    // Only the answer may have been lost: then it is this run that is in progress.
                    let own = if unanswered { self.own(order, since).await? } else { None };
                    if let Some(run) = own {
                        return Ok(Ok(run));
                    }
                }
                Err(error) => return Err(error.into()),
            }
            sleep(LOOK).await;
        }
    }

    /// The run in progress, if it is the one that was asked for, and has begun since this instant.
    async fn own(&self, order: &Order<'_>, since: DateTime<Utc>) -> Result<Option<Run>> {
        let is_own = |run: &Run| run.is_of(order) && run.started_at >= since;
        match self.client.get("/api/v1/drills/current", &[]).await {
            Ok(run) if run.is_null() => Ok(None),
            Ok(run) => read(run).map(|run: Run| Some(run).filter(is_own)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A run. Waits for a control room that is being started again.
    pub(super) async fn run(&self, id: i64) -> Result<Run> {
        let patience = Instant::now() + BACK;
        loop {
            match self.client.get(&format!("/api/v1/drills/runs/{id}"), &[]).await {
                Ok(run) => return read(run),
                Err(Error::Unreachable { .. }) if Instant::now() < patience => sleep(LOOK).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Says for the responder that it is over. It may have said so itself.
    pub(super) async fn submit(&self, id: i64) -> Result<()> {
        self.tell(id, "submit", &json!({})).await
    }

    /// Stops a run.
    pub(super) async fn abort(&self, id: i64, why: &str) -> Result<()> {
        self.tell(id, "abort", &json!({ "why": why })).await
    }

    async fn tell(&self, id: i64, verb: &str, body: &Value) -> Result<()> {
        match self.client.post(&format!("/api/v1/drills/runs/{id}/{verb}"), body).await {
            // It has ended meanwhile.
            Ok(_) | Err(Error::Refused { status: 409, .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// How often its tools were called since an instant.
    pub(super) async fn usage(&self, since: DateTime<Utc>) -> Result<Usage> {
        let since = since.to_rfc3339_opts(SecondsFormat::Micros, true);
        read(self.client.get("/api/v1/observe/usage", &[("since", &since)]).await?)
    }

    /// Whether a responder with this token cannot become an instructor.
    ///
    /// # Errors
    /// When the token is an instructor's.
    pub(super) async fn is_sealed(&self) -> Result<bool> {
        if self.token.is_some() && self.sees_faults(false).await? {
            bail!(
                "CONTROL_ROOM_TOKEN is the instructor's: a responder must get that of trainees (ACCESS_TOKEN)"
            );
        }
        Ok(!self.sees_faults(true).await?)
    }

    /// Whether the list of active faults is answered.
    async fn sees_faults(&self, as_instructor: bool) -> Result<bool> {
        let url = format!("{}/api/v1/faults", self.base());
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).no_proxy().build()?;
        let request = client.get(&url);
        let request = if let Some(token) = &self.token { request.bearer_auth(token) } else { request };
        let request = if as_instructor { request.header("x-role", "instructor") } else { request };
        let answer = request.send().await.with_context(|| format!("{url} does not answer"))?;
        Ok(answer.status().is_success())
    }
}

impl Order<'_> {
    fn body(&self) -> Value {
        let mut body = match self.drill {
            Some(drill) => json!({ "drill": drill }),
            None => json!({ "mystery": true }),
        };
        body["responder"] = json!(self.responder);
        if let Some(seed) = self.seed {
            body["seed"] = json!(seed);
        }
        body
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T> {
    serde_json::from_value(answer)
        .context("the control room answers in another format: is it of another version?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_a_drill_or_asks_for_a_mystery() {
        let order = Order { drill: Some("noon"), seed: Some(2), responder: "null".to_owned() };
        assert_eq!(order.body(), json!({ "drill": "noon", "seed": 2, "responder": "null" }));
        let order = Order { drill: None, seed: None, ..order };
        assert_eq!(order.body(), json!({ "mystery": true, "responder": "null" }));
    }

    #[test]
    fn a_run_is_read_as_far_as_it_matters() {
        let run = json!({
            "id": 4, "drill": null, "responder": "null", "phase": "observe",
            "started_at": "2026-11-21T10:00:00Z", "ended_at": null, "acts": ["restart order-api"], "verdict": null,
            "score": { "total": 61, "lines": [] }, "more": 1,
        });
        let run: Run = read(run).unwrap();
        assert!(run.has_begun() && !run.is_over());
        let order = |responder: &str| Order { drill: None, seed: None, responder: responder.to_owned() };
        assert!(run.is_of(&order("null")) && !run.is_of(&order("restart-all")));
        assert_eq!((run.acts.len(), run.score.unwrap().total), (1, 61.0));
        assert!(read::<Run>(json!("no run")).is_err());
    }
}
