//! Collects the mistakes of a file that a person wrote, each with its line and field, and continues: one run
//! shows all of them.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Problem, Problems};

pub(super) type Text = Spanned<String>;

/// The mistakes of one file so far.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self { file, problems: Vec::new() }
    }

    /// What was read, if nothing was wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(Problems(self.problems)),
        }
    }

    /// Records a problem with the value of a field.
    pub(super) fn wrong<T>(&mut self, at: &Spanned<T>, field: &str, message: impl Into<String>) {
        // Both may quote the file, which may have any characters: a problem is one line, in the log too.
        let message: String = message.into();
        self.problems.push(Problem {
            file: self.file.to_owned(),
            // Nothing is before the first line, even where the place is not known.
            line: at.referenced.line().max(1),
            field: field.replace(char::is_control, " "),
            message: message.replace(char::is_control, " "),
        });
    }

    /// The value, or a recorded problem.
    pub(super) fn take<T, U>(&mut self, at: &Spanned<T>, field: &str, value: Result<U, String>) -> Option<U> {
        value.map_err(|message| self.wrong(at, field, message)).ok()
    }

    /// A name: words of a-z and 0-9 joined by `-`.
    pub(super) fn name(&mut self, at: &Text, field: &str) -> Option<String> {
        let name = self.take(at, field, name(&at.value))?;
        Some(name.to_owned())
    }

    /// A line for people.
    pub(super) fn line(&mut self, at: &Text, field: &str) -> Option<String> {
        let text = at.value.split_whitespace().collect::<Vec<_>>().join(" ");
        let sound = !text.is_empty() && text.len() <= 300;
        let line = if sound { Ok(text) } else { Err("expected 1 to 300 characters".to_owned()) };
        self.take(at, field, line)
    }

    /// A time within bounds.
    pub(super) fn time(
        &mut self,
        at: &Text,
        field: &str,
        least: Duration,
        most: Duration,
    ) -> Option<Duration> {
        let time = humantime::parse_duration(&at.value).ok().filter(|time| (least..=most).contains(time));
        let time = time.ok_or_else(|| {
            let (least, most) = (humantime::format_duration(least), humantime::format_duration(most));
            format!("expected a time from {least} to {most} such as 500ms, found `{}`", at.value)
        });
        self.take(at, field, time)
    }

    /// A whole number within bounds.
    pub(super) fn number(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64> {
        let value = at.value;
        let sound = (least..=most).contains(&value);
        let number =
            if sound { Ok(value) } else { Err(format!("expected {least} to {most}, found {value}")) };
        self.take(at, field, number)
    }

    /// A whole number within the bounds of `u32`.
    pub(super) fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u32) -> Option<u32> {
        let number = self.number(at, field, least, u64::from(most))?;
        u32::try_from(number).ok()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, at: &Text, field: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == at.value).map(|(_, meaning)| *meaning);
        let found = found.ok_or_else(|| {
            let words = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            format!("expected one of {words}, found `{}`", at.value)
        });
        self.take(at, field, found)
    }
}

/// All values, or none if one is missing; every one is looked at, so that every problem is recorded.
pub(super) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

fn name(text: &str) -> Result<&str, String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if text.len() <= 63 && text.split('-').all(word) {
        return Ok(text);
    }
    Err(format!("`{text}` is not a name: expected words of a-z and 0-9 joined by `-`"))
}
