//! Collects the problems of a file, so that one look shows all of them.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Problem, Problems};

use super::raw::Text;

pub(super) struct Reader<'a> {
    file: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(file: &'a str) -> Self {
        Self { file, problems: Vec::new() }
    }

    /// Records a problem with the value of a field.
    pub(super) fn wrong<T>(&mut self, at: &Spanned<T>, field: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: at.referenced.line(),
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// The value, or a recorded problem.
    pub(super) fn take<T, U>(&mut self, at: &Spanned<T>, field: &str, value: Result<U, String>) -> Option<U> {
        value.map_err(|message| self.wrong(at, field, message)).ok()
    }

    pub(super) fn time(&mut self, at: &Text, field: &str) -> Option<Duration> {
        let text = &at.value;
        let value = humantime::parse_duration(text);
        self.take(at, field, value.map_err(|_| format!("`{text}` is not a duration such as 30s or 5m")))
    }

    pub(super) fn time_or(&mut self, at: Option<&Text>, field: &str, default: Duration) -> Option<Duration> {
        at.map_or(Some(default), |at| self.time(at, field))
    }

    /// A name: kebab-case, at most 40 characters.
    pub(super) fn name(&mut self, at: &Text, field: &str) -> Option<String> {
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

    /// A number of a range.
    pub(super) fn number(&mut self, at: &Spanned<f64>, field: &str, least: f64, most: f64) -> Option<f64> {
        if (least..=most).contains(&at.value) {
            return Some(at.value);
        }
        self.wrong(at, field, format!("{} is not a number from {least} to {most}", at.value));
        None
    }

    pub(super) fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64> {
        if (least..=most).contains(&at.value) {
            return Some(at.value);
        }
        self.wrong(at, field, format!("{} is not a whole number from {least} to {most}", at.value));
        None
    }

    /// What was read, if nothing was wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(Problems(self.problems)),
        }
    }
}
