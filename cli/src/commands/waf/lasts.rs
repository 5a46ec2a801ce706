//! How long a pushed rule may last. The edge checks it, too; here the message names the option.

use std::{ops::RangeInclusive, time::Duration};

/// As the edge has it.
const LASTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

/// Reads whole seconds within the limits: an edge is told seconds.
///
/// # Errors
/// What was expected instead.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let lasts = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if lasts.subsec_nanos() == 0 && LASTS.contains(&lasts) {
        Ok(lasts)
    } else {
        Err("expected whole seconds from 1s to 24h, such as 10m".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_lasts_whole_seconds_up_to_a_day() {
        for (text, seconds) in [("1s", 1), ("10m", 600), ("90s", 90), ("24h", 86_400)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["0s", "500ms", "1500ms", "25h", "24h 1s"] {
            assert!(parse(text).unwrap_err().contains("from 1s to 24h"), "{text}");
        }
        assert!(parse("soon").is_err());
    }
}
