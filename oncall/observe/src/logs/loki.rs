//! Lines from Loki. Streams have the label `service` in every mode of the lab.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{
    access::Requests,
    line::{self, Line},
};
use crate::{Peer, Result, prometheus::Labels};

/// A client of one Loki.
#[derive(Debug, Clone)]
pub struct Loki(Peer);

/// Which lines are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of these services; of all if none is named.
    pub services: &'a [String],
    /// Only with this text.
    pub text: Option<&'a str>,
    /// What of the access log.
    pub requests: &'a Requests,
}

#[derive(Debug, Deserialize)]
struct Stream {
    stream: Labels,
    /// Nanoseconds since 1970, and the line.
    values: Vec<(String, String)>,
}

/// Maximum number of lines per response: Loki's own limit.
const MOST: usize = 5000;

impl Loki {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// The first wanted lines from a moment on, oldest first.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn lines(&self, wanted: Wanted<'_>, from: DateTime<Utc>) -> Result<Vec<Line>> {
        self.ask(&query(wanted), from, MOST, "forward").await
    }

    /// The last wanted lines since a moment, at most `limit` and at most 5000 of them, oldest first. A regular expression
    /// narrows them further.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn newest(
        &self,
        wanted: Wanted<'_>,
        pattern: Option<&str>,
        since: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<Line>> {
        let pattern = pattern.map(|pattern| format!(" |~ {}", quoted(pattern))).unwrap_or_default();
        self.ask(&format!("{}{pattern}", query(wanted)), since, limit.min(MOST), "backward").await
    }

    async fn ask(
        &self,
        query: &str,
        from: DateTime<Utc>,
        limit: usize,
        direction: &str,
    ) -> Result<Vec<Line>> {
        const PATH: &str = "/loki/api/v1/query_range";
        let (from, until, limit) = (nanoseconds(from), nanoseconds(Utc::now()), limit.to_string());
        let parameters = [
            ("query", query),
            ("start", &from),
            ("end", &until),
            ("limit", &limit),
            ("direction", direction),
        ];
        let mut answer = self.0.get(PATH, &parameters).await?;
        let streams: Vec<Stream> = self.0.read(PATH, answer["data"]["result"].take())?;
        let mut lines: Vec<Line> = streams.iter().flat_map(lines).collect();
        lines.sort_by_key(|line| line.time);
        Ok(lines)
    }
}

fn query(wanted: Wanted<'_>) -> String {
    let Wanted { services, text, requests } = wanted;
    let selector = match services {
        [] => "{service=~\".+\"}".to_owned(),
        services => {
            let names: Vec<String> = services.iter().map(|name| literal(name)).collect();
            format!("{{service=~{}}}", quoted(&names.join("|")))
        }
    };
    let text = text.map(|text| format!(" |= {}", quoted(text))).unwrap_or_default();
    format!("{selector}{text}{}", requests.logql())
}

/// A string of LogQL takes everything that one of JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A regular expression that matches exactly this name.
fn literal(name: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
    name.chars().map(|char| if plain(char) { char.to_string() } else { format!("\\{char}") }).collect()
}

fn nanoseconds(time: DateTime<Utc>) -> String {
    time.timestamp_nanos_opt().unwrap_or_default().max(0).to_string()
}

fn lines(stream: &Stream) -> impl Iterator<Item = Line> {
    let part = stream.stream.get("service").map_or("?", String::as_str);
    stream.values.iter().map(move |(at, text)| {
        let at = at.parse().map_or(DateTime::UNIX_EPOCH, DateTime::from_timestamp_nanos);
        line::parse(part, text, at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_the_services_the_text_and_the_requests_and_nothing_else() {
        let wanted = Wanted { services: &[], text: None, requests: &Requests::With };
        assert_eq!(query(wanted), "{service=~\".+\"}");
        let services = ["order-api".to_owned(), "a.b".to_owned()];
        let wanted = Wanted { services: &services, text: Some("4b\"f9"), requests: &Requests::Without };
        let expected = r#"{service=~"order-api|a\\.b"} |= "4b\"f9" != `"target":"access"`"#;
        assert_eq!(query(wanted), expected);
    }

    #[test]
    fn a_line_without_its_own_time_gets_that_of_loki() {
        let stream = Stream {
            stream: [("service".to_owned(), "redis".to_owned())].into(),
            values: vec![("1000000000".to_owned(), "hello".to_owned())],
        };
        let line = lines(&stream).next().unwrap();
        assert_eq!((line.part.as_str(), line.time.timestamp(), line.message.as_str()), ("redis", 1, "hello"));
    }
}
