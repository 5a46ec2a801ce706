//! The control room's drills, as this command calls them. It decides; this only asks.

use std::time::{Duration, Instant};

use anyhow::Result;
use observe::{ControlRoom, Error};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::view::{Listed, Run, entries};
use crate::installation::{Installation, Reached};

/// Longest wait for a control room that does not answer: it may have been killed, and its supervisor starts
/// it again.
pub(crate) const BACK: Duration = Duration::from_secs(90);
/// Pause between two looks at a run.
pub(crate) const LOOK: Duration = Duration::from_millis(500);
/// Longest wait for an action: a restart waits until the service is ready.
const ACT: Duration = Duration::from_secs(90);

/// What is begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct Order {
    /// The drill; absent for a mystery.
    pub(crate) drill: Option<String>,
    /// How hard a mystery may be.
    pub(crate) difficulty: Option<String>,
    /// Who responds; absent: who asks.
    pub(crate) responder: Option<String>,
    /// What a verification tries.
    pub(crate) verify: Option<String>,
    /// Decides what the faults hit; absent: the drill's own.
    pub(crate) seed: Option<u64>,
    /// The action item that is switched on in a verification.
    pub(crate) variant: Option<String>,
}

impl Order {
    fn body(&self) -> Value {
        let mut body = Map::new();
        match &self.drill {
            Some(drill) => body.insert("drill".to_owned(), json!(drill)),
            None => body.insert("mystery".to_owned(), json!(true)),
        };
        let texts = [
            ("difficulty", &self.difficulty),
            ("responder", &self.responder),
            ("verify", &self.verify),
            ("variant", &self.variant),
        ];
        for (name, text) in texts {
            body.extend(text.as_ref().map(|text| (name.to_owned(), json!(text))));
        }
        body.extend(self.seed.map(|seed| ("seed".to_owned(), json!(seed))));
        Value::Object(body)
    }
}

/// A client of the drills.
pub(crate) struct Desk(Reached<ControlRoom>);

impl Desk {
    /// For a person.
    ///
    /// # Errors
    /// When there is no control room; the same for the other one.
    pub(crate) async fn of(place: &Installation, who: Option<String>) -> Result<Self> {
        Ok(Self(place.control_room().await?.map(|room| room.acting_as(who))))
    }

    /// For an instructor.
    pub(crate) async fn instructor(place: &Installation, who: Option<String>) -> Result<Self> {
        Ok(Self(place.instructor().await?.map(|room| room.acting_as(who))))
    }

    /// The control room behind it.
    pub(crate) fn room(&self) -> &ControlRoom {
        &self.0
    }

    /// All drills, for scripts and for people.
    ///
    /// # Errors
    /// When the control room refuses or cannot be reached; the same for the others below.
    pub(crate) async fn drills(&self) -> Result<(Value, Vec<Listed>)> {
        let raw = self.0.get("/api/v1/drills", &[]).await?;
        let listed = entries(&raw, "drills").into_iter().map(serde_json::from_value::<Listed>);
        let listed = listed.collect::<Result<Vec<Listed>, serde_json::Error>>()?;
        Ok((raw, listed))
    }

    /// One drill.
    pub(crate) async fn drill(&self, id: &str) -> Result<Value> {
        Ok(self.0.get(&format!("/api/v1/drills/{}", segment(id)?), &[]).await?)
    }

    /// Begins a run.
    pub(crate) async fn begin(&self, order: &Order) -> Result<Run> {
        Run::of(self.0.post("/api/v1/drills/runs", &order.body()).await?)
    }

    /// The run that is on, if one is.
    pub(crate) async fn current(&self) -> Result<Option<Run>> {
        match self.0.get("/api/v1/drills/current", &[]).await {
            Ok(raw) if raw.is_null() => Ok(None),
            Ok(raw) => Run::of(raw).map(Some),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// One run. Waits for a control room that is being started again.
    pub(crate) async fn run(&self, id: i64) -> Result<Run> {
        let begun = Instant::now();
        loop {
            match self.0.get(&format!("/api/v1/drills/runs/{id}"), &[]).await {
                Ok(raw) => return Run::of(raw),
                Err(Error::Unreachable { .. }) if begun.elapsed() < BACK => sleep(LOOK).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs, the newest first.
    pub(crate) async fn runs(&self, drill: Option<&str>, limit: u32) -> Result<Vec<Run>> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(drill.map(|drill| ("drill", drill)));
        let answer = self.0.get("/api/v1/drills/runs", &query).await?;
        entries(&answer, "runs").into_iter().map(Run::of).collect()
    }

    /// Tells a run something: `hint`, `answer`, `update`, `notice`, `submit`, `abort`, `pause`.
    pub(crate) async fn tell(&self, id: i64, verb: &str, body: &Value) -> Result<Value> {
        Ok(self.0.post(&format!("/api/v1/drills/runs/{id}/{verb}"), body).await?)
    }

    /// Does an action to the system, or says what it would do.
    pub(crate) async fn act(&self, action: &Value, dry: bool) -> Result<Value> {
        let room = ControlRoom::clone(&self.0).patient(ACT);
        Ok(room.post("/api/v1/actions", &json!({ "action": action, "dry_run": dry })).await?)
    }

    /// The report of a run: `markdown`, `html`, `junit` or `json`.
    pub(crate) async fn report(&self, id: i64, format: &str) -> Result<String> {
        Ok(self.0.text(&format!("/api/v1/drills/runs/{id}/report"), &[("format", format)]).await?)
    }
}

/// A name as a part of a path: nothing else can be in it.
fn segment(name: &str) -> Result<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    anyhow::ensure!(
        !name.is_empty() && name.chars().all(plain),
        "`{name}` is not the name of a drill: see `lab drill list`"
    );
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_names_a_drill_or_asks_for_a_mystery() {
        let order = Order { drill: Some("noon".to_owned()), seed: Some(7), ..Order::default() };
        assert_eq!(order.body(), json!({ "drill": "noon", "seed": 7 }));
        let order = Order { difficulty: Some("easy".to_owned()), ..Order::default() };
        assert_eq!(order.body(), json!({ "mystery": true, "difficulty": "easy" }));
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        assert!(segment("first-page").is_ok());
        for wrong in ["", "..", "a/b", "a?b"] {
            assert!(segment(wrong).unwrap_err().to_string().contains("lab drill list"), "{wrong}");
        }
    }
}
