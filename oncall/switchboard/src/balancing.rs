//! Which replicas an edge sends requests to, over its admin port. A setting holds until its time is over, or the edge's
//! process ends.

use reqwest::Method;
use serde_json::Value;

use crate::{Replica, Result, Tools};

impl Tools {
    /// The name of the replica that edges of a lab on this machine know by this address; nothing if there is none.
    #[must_use]
    pub fn replica_at(&self, endpoint: &str) -> Option<String> {
        let state = self.lab.as_ref()?.state().ok()?;
        state.listening(endpoint).map(str::to_owned)
    }
}

impl Replica {
    /// The replicas that this edge sends no new requests to, because somebody has drained them: host and port of each.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn drained(&self) -> Result<Vec<String>> {
        let answer = self.peer.get("/drained", &[]).await?;
        let each = answer["drained"].as_array().into_iter().flatten();
        Ok(each.filter_map(|one| one["endpoint"].as_str().map(str::to_owned)).collect())
    }

    /// Makes this edge send a replica no new requests for a time, such as `600s`; with `dry` it only says whether it may.
    ///
    /// # Errors
    /// As [`Replica::faults`]; that another replica is drained, or no other one is in use.
    pub async fn drain(&self, endpoint: &str, ttl: &str, dry: bool) -> Result<Value> {
        let dry = dry.to_string();
        let query = [("endpoint", endpoint), ("ttl", ttl), ("dry_run", dry.as_str())];
        Ok(self.peer.call(Method::PUT, "/drained", &query).await?)
    }

    /// Makes this edge send requests again to a drained replica, or to all of them.
    ///
    /// # Errors
    /// As [`Replica::faults`].
    pub async fn undrain(&self, endpoint: Option<&str>) -> Result<()> {
        let query: Vec<_> = endpoint.into_iter().map(|endpoint| ("endpoint", endpoint)).collect();
        self.peer.call(Method::DELETE, "/drained", &query).await?;
        Ok(())
    }
}
