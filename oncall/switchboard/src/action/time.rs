//! Times as people write them.

use std::time::Duration;

use crate::{Error, Result};

/// A time such as `30s` or `5m`.
pub(super) fn of(field: &'static str, text: &str) -> Result<Duration> {
    humantime::parse_duration(text.trim()).map_err(|_| Error::Wrong {
        field,
        expected: format!("expected a time such as 30s or 5m, found `{text}`"),
    })
}

/// A time for people, in whole seconds.
pub(super) fn words(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_a_mistake_names_its_field() {
        assert_eq!(of("ttl", " 90s ").unwrap(), Duration::from_secs(90));
        assert_eq!(
            of("ttl", "soon").unwrap_err().to_string(),
            "ttl: expected a time such as 30s or 5m, found `soon`"
        );
        assert_eq!(words(Duration::from_millis(90_400)), "1m 30s");
    }
}
