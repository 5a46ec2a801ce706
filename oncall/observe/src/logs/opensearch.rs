//! OpenSearch as a store of log lines: index template, lifecycle, bulk requests, searches.

use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Peer, Result};

/// A client of one OpenSearch.
#[derive(Debug, Clone)]
pub struct OpenSearch(Peer);

/// What became of one document of a bulk request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is stored.
    Stored,
    /// A document with its id was there before: an earlier attempt had arrived.
    Known,
    /// Not now: the queue is full, the disk is full, the index is not ready.
    Later(String),
    /// Never: it does not fit the index.
    Refused(String),
}

/// Who deletes old indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// The lifecycle policy.
    Policy,
    /// Nobody: this OpenSearch has no plugin for lifecycles (Index State Management).
    Nobody,
}

#[derive(Deserialize)]
struct Bulk {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Cause>,
}

#[derive(Deserialize)]
struct Cause {
    reason: Option<String>,
    caused_by: Option<Box<Cause>>,
}

#[derive(Deserialize)]
struct Index {
    index: String,
}

impl OpenSearch {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// Stores an index template; replaces an older one of this name. It applies to indices that are created later.
    ///
    /// # Errors
    /// When it cannot be reached or refuses the template.
    pub async fn put_template(&self, name: &str, template: &Value) -> Result<()> {
        self.0.put(&format!("/_index_template/{name}"), &[], template).await.map(drop)
    }

    /// Stores a policy of Index State Management; replaces an older one of this name. It applies to indices that are created
    /// later.
    ///
    /// # Errors
    /// When it cannot be reached or refuses the policy.
    pub async fn put_policy(&self, name: &str, policy: &Value) -> Result<Retention> {
        let path = format!("/_plugins/_ism/policies/{name}");
        let older = match self.0.get(&path, &[]).await {
            Ok(older) => older,
            Err(Error::Refused { status: 404, .. }) => Value::Null,
            Err(Error::Refused { status: 400, said, .. }) if said.contains("no handler found") => {
                return Ok(Retention::Nobody);
            }
            Err(error) => return Err(error),
        };
        // Replacing one takes its version, so that nobody overwrites what they have not seen.
        let (number, term) = (older["_seq_no"].to_string(), older["_primary_term"].to_string());
        let version = [("if_seq_no", number.as_str()), ("if_primary_term", term.as_str())];
        let query = if older.is_null() { &[][..] } else { &version[..] };
        self.0.put(&path, query, policy).await.map(|_| Retention::Policy)
    }

    /// Sends documents: lines of JSON, in pairs of a `create` action and its document. Returns an answer for each, in their
    /// order.
    ///
    /// # Errors
    /// When it cannot be reached, or refuses the request as a whole. Nothing is known then about any document.
    pub async fn bulk(&self, lines: String) -> Result<Vec<Answer>> {
        const PATH: &str = "/_bulk";
        const ONLY: &str =
            "items.create.status,items.create.error.reason,items.create.error.caused_by.reason";
        let answer = self.0.post_lines(PATH, &[("filter_path", ONLY)], lines).await?;
        let bulk: Bulk = self.0.read(PATH, answer)?;
        Ok(bulk.items.into_iter().map(|item| item.create.into()).collect())
    }

    /// Names of the indices that match a pattern, sorted.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn indices(&self, pattern: &str) -> Result<Vec<String>> {
        let path = format!("/_cat/indices/{pattern}");
        let answer = self.0.get(&path, &[("format", "json"), ("h", "index"), ("s", "index")]).await?;
        let indices: Vec<Index> = self.0.read(&path, answer)?;
        Ok(indices.into_iter().map(|index| index.index).collect())
    }

    /// Deletes an index and its documents.
    ///
    /// # Errors
    /// When it cannot be reached, or there is no such index.
    pub async fn delete_index(&self, name: &str) -> Result<()> {
        self.0.call(reqwest::Method::DELETE, &format!("/{name}"), &[]).await.map(drop)
    }

    /// Searches the indices that match a pattern, with a body of the search API. What was stored in the last second may not
    /// be found yet, unless they are refreshed first.
    ///
    /// # Errors
    /// When it cannot be reached or refuses the search.
    pub async fn search(&self, pattern: &str, body: &Value) -> Result<Value> {
        self.0.post(&format!("/{pattern}/_search"), body).await
    }

    /// Makes everything that was stored in the indices of a pattern visible to searches.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn refresh(&self, pattern: &str) -> Result<()> {
        self.0.call(reqwest::Method::POST, &format!("/{pattern}/_refresh"), &[]).await.map(drop)
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        let why = || outcome.error.map(Cause::innermost).unwrap_or_default();
        match outcome.status {
            200..=299 => Self::Stored,
            409 => Self::Known,
            400 | 413 => Self::Refused(why()),
            // Such as 429 of a full queue or disk, 503 of an index that is being recovered.
            status => Self::Later(format!("{status}: {}", why())),
        }
    }
}

impl Cause {
    /// The outer causes repeat which document it was.
    fn innermost(self) -> String {
        match self.caused_by {
            Some(inner) if inner.reason.is_some() => inner.innermost(),
            _ => self.reason.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_never_fits_is_refused_for_good() {
        let answer = |value: Value| Answer::from(serde_json::from_value::<Outcome>(value).unwrap());
        assert_eq!(answer(json!({ "status": 201 })), Answer::Stored);
        assert_eq!(
            answer(json!({ "status": 409, "error": { "reason": "version conflict" } })),
            Answer::Known
        );
        let cause = json!({ "reason": "failed to parse", "caused_by": { "reason": "For input string: x" } });
        let refused = Answer::Refused("For input string: x".to_owned());
        assert_eq!(answer(json!({ "status": 400, "error": cause })), refused);
        let full = json!({ "status": 429, "error": { "reason": "rejected execution" } });
        assert_eq!(answer(full), Answer::Later("429: rejected execution".to_owned()));
        let missing = json!({ "status": 404, "error": { "reason": "no such index" } });
        assert_eq!(answer(missing), Answer::Later("404: no such index".to_owned()));
    }
}
