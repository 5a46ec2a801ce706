//! What the address of a page of Explore says.

use boards::range::{Range, encode};
use chrono::Utc;
use incident::Id;

use crate::error::Error;

/// The time range, if nothing is said.
const FROM: &str = "now-15m";

/// The pairs of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// Reads the query of an address.
    pub(super) fn read(query: Option<&str>) -> Self {
        Self(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The fields of a form.
    pub(super) const fn sent(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// The incident that somebody looks for.
    pub(super) fn incident(&self) -> Option<Id> {
        self.given("incident").and_then(|id| id.parse().ok())
    }

    /// What the next page has to know: the time range, and the incident.
    pub(super) fn context(&self, range: &Range) -> String {
        let incident = self.incident().map_or_else(String::new, |id| format!("&incident={id}"));
        format!("{}{incident}", range.query())
    }

    /// A value; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// A value, unless it is empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The time range.
    ///
    /// # Errors
    /// Says which end is wrong.
    pub(super) fn range(&self) -> Result<Range, Error> {
        let (from, to) = (self.given("from").unwrap_or(FROM), self.given("to").unwrap_or("now"));
        Range::read(from, to, Utc::now()).map_err(|wrong| Error::field("from, to", wrong))
    }

    /// The address of a page with all of this.
    pub(super) fn link(&self, path: &str, range: &Range) -> String {
        self.with_range(path, &range.written.0, &range.written.1)
    }

    /// The same address with another range; without what only confirms something.
    pub(super) fn with_range(&self, path: &str, from: &str, to: &str) -> String {
        let kept = self
            .0
            .iter()
            .filter(|(name, value)| !value.is_empty() && !["from", "to", "noted"].contains(&&**name));
        let mut pairs: Vec<String> =
            kept.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.push(format!("from={}&to={}", encode(from), encode(to)));
        format!("{path}?{}", pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_was_asked() {
        let asked = Asked::read(Some("query=up%7Ba%3D%22b%22%7D&from=now-1h&noted=INC-1&text="));
        assert_eq!((asked.text("query"), asked.given("text"), asked.text("x")), ("up{a=\"b\"}", None, ""));
        assert_eq!(asked.range().unwrap().seconds(), 3600.0);
        assert_eq!(
            asked.with_range("/explore", "now-5m", "now"),
            "/explore?query=up%7Ba%3D%22b%22%7D&from=now-5m&to=now"
        );
        let asked = Asked::read(Some("incident=INC-7&from=now-1h"));
        assert_eq!(asked.context(&asked.range().unwrap()), "from=now-1h&to=now&incident=INC-7");
        assert_eq!(Asked::read(Some("incident=seven")).incident(), None);
        let wrong = Asked::read(Some("from=later")).range().unwrap_err().to_string();
        assert!(wrong.contains("`from` is `later`"), "{wrong}");
    }
}
