//! A duration as rules write it: whole seconds, in the largest unit that divides it.

use std::fmt;

use serde::{Serialize, Serializer};

/// A duration in whole seconds, above 0. Displayed in Prometheus's format: `5s`, `72m`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(u64);

/// Seconds per day.
const DAY: u64 = 86_400;
/// Units in which a window is written, largest first. No weeks: `7d` can be compared with `30d` at a glance.
const UNITS: [(u64, &str); 4] = [(DAY, "d"), (3600, "h"), (60, "m"), (1, "s")];

impl Window {
    /// A window of `seconds` seconds.
    ///
    /// # Panics
    /// When `seconds` is 0: no window is empty.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        assert!(seconds > 0, "a window has a length");
        Self(seconds)
    }

    /// A window of `minutes` minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// A window of `hours` hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours * 60)
    }

    /// A window of `days` days.
    #[must_use]
    pub const fn days(days: u64) -> Self {
        Self::hours(days * 24)
    }

    /// Length in seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Length in seconds, for arithmetic.
    #[must_use]
    pub fn secs(self) -> f64 {
        // No window comes near 2^53 seconds.
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let seconds = self.0 as f64;
        seconds
    }

    /// This window divided by `k`, rounded down, at least one second.
    #[must_use]
    pub const fn divided_by(self, k: u64) -> Self {
        let seconds = self.0 / k;
        Self(if seconds == 0 { 1 } else { seconds })
    }

    /// Parses a number with a unit: `s`, `m`, `h`, `d` or `w`.
    ///
    /// # Errors
    /// A sentence with the expected form.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a duration: expected a number and a unit, such as 30d, 6h, 5m or 5s");
        let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(at);
        let scale = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => DAY,
            "w" => 7 * DAY,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        match number.checked_mul(scale) {
            Some(seconds) if seconds > 0 => Ok(Self(seconds)),
            _ => Err(format!("`{text}` is not a duration: it must be above 0")),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) =
            UNITS.into_iter().find(|(unit, _)| self.0.is_multiple_of(*unit)).unwrap_or((1, "s"));
        write!(f, "{}{name}", self.0 / unit)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A time in seconds in a readable form: `0.86 s`, `43.2 s`, `8.6 min`, `50 h`, `30 d`.
#[must_use]
pub fn humane(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 120.0 => (s, "s"),
        s if s < 7200.0 => (s / 60.0, "min"),
        s if s < 259_200.0 => (s / 3600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    let text = if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") };
    format!("{} {unit}", trim_zeros(&text))
}

/// A number without binary noise: at most twelve decimals, no trailing zeros.
#[must_use]
pub fn number(value: f64) -> String {
    trim_zeros(&format!("{value:.12}")).to_owned()
}

/// A share as a percentage: `99.9 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", trim_zeros(&format!("{:.6}", share * 100.0)))
}

/// A decimal number without trailing zeros.
pub(crate) fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_written_in_the_largest_unit_that_divides_it() {
        for (window, text) in [
            (Window::seconds(5), "5s"),
            (Window::seconds(90), "90s"),
            (Window::minutes(72), "72m"),
            (Window::hours(12), "12h"),
            (Window::hours(24), "1d"),
            (Window::days(30), "30d"),
        ] {
            assert_eq!(window.to_string(), text);
            assert_eq!(Window::parse(text), Ok(window));
        }
    }

    #[test]
    fn an_invalid_duration_is_refused() {
        for text in [
            "",
            "d",
            "30",
            "0d",
            "-1d",
            "1.5h",
            "30 d",
            "1h30m",
            "99999999999999999999d",
            "300000000000000000d",
        ] {
            let problem = Window::parse(text).unwrap_err();
            assert!(problem.contains("is not a duration"), "{text}: {problem}");
        }
    }

    #[test]
    fn numbers_are_written_without_noise() {
        assert_eq!(number(1.0 - 0.999), "0.001");
        assert_eq!(number(14.4), "14.4");
        assert_eq!(percent(0.999), "99.9 %");
        assert_eq!(humane(0.864), "0.86 s");
        assert_eq!(humane(180_000.0), "50 h");
    }
}
