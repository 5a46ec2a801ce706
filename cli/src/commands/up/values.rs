//! Values on the command line of `lab up`, each with its bounds.

use std::time::Duration;

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 10_000.0 => Ok(rate),
        _ => Err("expected requests per second, above 0 and at most 10000 (for none: --no-load)".to_owned()),
    }
}

pub(super) fn backup_every(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(every) if (Duration::from_secs(10)..=Duration::from_secs(7 * 86_400)).contains(&every) => {
            Ok(every)
        }
        _ => Err("expected 10s to 7days, such as 10m".to_owned()),
    }
}
