//! Values in the file of a scenario: each has bounds, and one that breaks them is recorded with its place.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::Reader;

use super::raw::Text;

/// What is read within its bounds.
pub(super) trait Bounded {
    /// A time such as 30s.
    fn time(&mut self, at: &Text, field: &str) -> Option<Duration>;

    /// The same, with a default.
    fn time_or(&mut self, at: Option<&Text>, field: &str, default: Duration) -> Option<Duration>;

    /// A name: kebab-case, at most 40 characters.
    fn name(&mut self, at: &Text, field: &str) -> Option<String>;

    /// A number of a range.
    fn number(&mut self, at: &Spanned<f64>, field: &str, least: f64, most: f64) -> Option<f64>;

    /// A whole number of a range.
    fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64>;
}

impl Bounded for Reader<'_> {
    fn time(&mut self, at: &Text, field: &str) -> Option<Duration> {
        let text = &at.value;
        let value = humantime::parse_duration(text);
        self.take(at, field, value.map_err(|_| format!("`{text}` is not a duration such as 30s or 5m")))
    }

    fn time_or(&mut self, at: Option<&Text>, field: &str, default: Duration) -> Option<Duration> {
        at.map_or(Some(default), |at| self.time(at, field))
    }

    fn name(&mut self, at: &Text, field: &str) -> Option<String> {
        let text = &at.value;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let right = text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase());
        if right && text.chars().all(fits) {
            return Some(text.clone());
        }
        self.wrong(
            at,
            field,
            format!("`{text}` is not a name such as place-order, of at most 40 characters"),
        );
        None
    }

    fn number(&mut self, at: &Spanned<f64>, field: &str, least: f64, most: f64) -> Option<f64> {
        if (least..=most).contains(&at.value) {
            return Some(at.value);
        }
        self.wrong(at, field, format!("{} is not a number from {least} to {most}", at.value));
        None
    }

    fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64> {
        if (least..=most).contains(&at.value) {
            return Some(at.value);
        }
        self.wrong(at, field, format!("{} is not a whole number from {least} to {most}", at.value));
        None
    }
}
