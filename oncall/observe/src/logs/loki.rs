//! Lines from Loki. Streams have the label `service` in every mode of the lab.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::line::{self, Line};
use crate::{Peer, Result, prometheus::Labels};

/// A client of one Loki.
#[derive(Debug, Clone)]
pub struct Loki(Peer);

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

    /// The first lines from a moment on, oldest first: of these services, or of all if none is named; only with
    /// this text.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn lines(
        &self,
        services: &[String],
        text: Option<&str>,
        from: DateTime<Utc>,
    ) -> Result<Vec<Line>> {
        const PATH: &str = "/loki/api/v1/query_range";
        let (query, from) = (query(services, text), nanoseconds(from));
        let (until, limit) = (nanoseconds(Utc::now()), MOST.to_string());
        let parameters = [
            ("query", query.as_str()),
            ("start", &from),
            ("end", &until),
            ("limit", &limit),
            ("direction", "forward"),
        ];
        let mut answer = self.0.get(PATH, &parameters).await?;
        let streams: Vec<Stream> = self.0.read(PATH, answer["data"]["result"].take())?;
        let mut lines: Vec<Line> = streams.iter().flat_map(lines).collect();
        lines.sort_by_key(|line| line.time);
        Ok(lines)
    }
}

fn query(services: &[String], text: Option<&str>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let selector = match services {
        [] => "{service=~\".+\"}".to_owned(),
        services => {
            let names: Vec<String> = services.iter().map(|name| literal(name)).collect();
            format!("{{service=~{}}}", quoted(&names.join("|")))
        }
    };
    text.map_or_else(|| selector.clone(), |text| format!("{selector} |= {}", quoted(text)))
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
    fn a_query_has_the_services_and_the_text_and_nothing_else() {
        assert_eq!(query(&[], None), "{service=~\".+\"}");
        let services = ["order-api".to_owned(), "a.b".to_owned()];
        assert_eq!(query(&services, Some("4b\"f9")), r#"{service=~"order-api|a\\.b"} |= "4b\"f9""#);
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
