//! The PagerDuty Events API v2: an incident here is an alert there, with the incident's name as its `dedup_key`.

use std::collections::BTreeMap;

use chassis_core::config::Invalid;
use incident::Severity;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use url::Url;

use super::{exchange::Request, failure::Failure, http::Client, message::Message};
use crate::config::named;

/// Longest `payload.summary` in characters.
const LONGEST_SUMMARY: usize = 1024;

/// What happens to the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
pub(super) enum Action {
    /// It pages.
    Trigger,
    /// Somebody works on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// The service and the keys of its integrations.
pub(super) struct PagerDuty {
    url: String,
    keys: BTreeMap<String, SecretString>,
}

impl PagerDuty {
    /// Reads `NAME=KEY` entries.
    ///
    /// # Errors
    /// The number of the entry that is wrong; never part of it, because it may be a key.
    pub(super) fn new(url: &Url, entries: &[SecretString]) -> Result<Self, Invalid> {
        let example = "NAME=KEY such as ops=0123456789abcdef0123456789abcdef";
        let keys = named("PAGERDUTY_KEYS", example, entries)?;
        Ok(Self { url: format!("{}/v2/enqueue", url.as_str().trim_end_matches('/')), keys })
    }

    /// Sends an event with the key of this name.
    pub(super) async fn send(
        &self,
        client: &Client,
        name: &str,
        action: Action,
        message: &Message,
    ) -> Result<(), Failure> {
        let Some(key) = self.keys.get(name) else {
            let known: Vec<&str> = self.keys.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "no key at all".to_owned() } else { known.join(", ") };
            return Err(Failure::Never(format!("PAGERDUTY_KEYS has no key `{name}`; it has {known}")));
        };
        let dedup_key = message.incident.map_or_else(|| message.key.clone(), |id| id.to_string());
        let mut event = json!({
            "routing_key": key.expose_secret(),
            "event_action": action.to_string(),
            "dedup_key": dedup_key,
        });
        if action == Action::Trigger {
            event["client"] = json!("SRE Lab");
            event["client_url"] = json!(message.url);
            event["links"] = json!([{"href": message.url, "text": "Open the incident"}]);
            event["payload"] = json!({
                "summary": message.title.chars().take(LONGEST_SUMMARY).collect::<String>(),
                "source": "sre-lab",
                "severity": severity(message.severity),
                "custom_details": {"text": message.text, "severity": message.severity, "state": message.state},
            });
        }
        let headers = vec![("content-type", "application/json".to_owned())];
        let request = Request { url: &self.url, headers, body: event.to_string() };
        client.post(&request).await?.accepted().map(|_| ())
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev1 => "critical",
        Severity::Sev2 => "error",
        Severity::Sev3 => "warning",
        Severity::Sev4 | Severity::Sev5 => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[&str]) -> Result<Vec<String>, String> {
        let url = Url::parse("https://events.pagerduty.com").unwrap();
        let entries: Vec<SecretString> = entries.iter().map(|entry| SecretString::from(*entry)).collect();
        let read = PagerDuty::new(&url, &entries).map_err(|error| error.to_string())?;
        assert_eq!(read.url, "https://events.pagerduty.com/v2/enqueue");
        Ok(read.keys.into_keys().collect())
    }

    #[test]
    fn keys_are_read_by_name_and_a_wrong_entry_is_named_by_its_number() {
        assert_eq!(read(&["ops=0123", " db = 4567 "]), Ok(vec!["db".to_owned(), "ops".to_owned()]));
        for wrong in [&["ops=0123", "secret"][..], &["ops=0123", "=secret"], &["ops=0123", "secret="]] {
            let said = read(wrong).unwrap_err();
            assert!(said.starts_with("PAGERDUTY_KEYS: entry 2 is not NAME=KEY"), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
        assert!(read(&["ops=1", "ops=2"]).unwrap_err().contains("`ops` is there twice"));
    }
}
