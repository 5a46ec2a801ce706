//! Values in the files that the edge reads, and the end of the reading: one run shows all mistakes, each with its
//! line and field.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Problem, Problems, Reader};

pub(super) type Text = Spanned<String>;

/// What is read of a file.
pub(super) trait Values {
    /// A name: words of a-z and 0-9 joined by `-`.
    fn name(&mut self, at: &Text, field: &str) -> Option<String>;

    /// A line for people.
    fn line(&mut self, at: &Text, field: &str) -> Option<String>;

    /// A time within bounds.
    fn time(&mut self, at: &Text, field: &str, least: Duration, most: Duration) -> Option<Duration>;

    /// A whole number within bounds.
    fn number(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64>;

    /// A whole number within the bounds of `u32`.
    fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u32) -> Option<u32>;

    /// One of a few words.
    fn choice<T: Copy>(&mut self, at: &Text, field: &str, words: &[(&str, T)]) -> Option<T>;
}

impl Values for Reader<'_> {
    fn name(&mut self, at: &Text, field: &str) -> Option<String> {
        let name = self.take(at, field, name(&at.value))?;
        Some(name.to_owned())
    }

    fn line(&mut self, at: &Text, field: &str) -> Option<String> {
        let text = at.value.split_whitespace().collect::<Vec<_>>().join(" ");
        let sound = !text.is_empty() && text.len() <= 300;
        let line = if sound { Ok(text) } else { Err("expected 1 to 300 characters".to_owned()) };
        self.take(at, field, line)
    }

    fn time(&mut self, at: &Text, field: &str, least: Duration, most: Duration) -> Option<Duration> {
        let time = humantime::parse_duration(&at.value).ok().filter(|time| (least..=most).contains(time));
        let time = time.ok_or_else(|| {
            let (least, most) = (humantime::format_duration(least), humantime::format_duration(most));
            format!("expected a time from {least} to {most} such as 500ms, found `{}`", at.value)
        });
        self.take(at, field, time)
    }

    fn number(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u64) -> Option<u64> {
        self.take(at, field, yaml::within(at.value, least, most))
    }

    fn count(&mut self, at: &Spanned<u64>, field: &str, least: u64, most: u32) -> Option<u32> {
        let number = self.number(at, field, least, u64::from(most))?;
        u32::try_from(number).ok()
    }

    fn choice<T: Copy>(&mut self, at: &Text, field: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == at.value).map(|(_, meaning)| *meaning);
        let found = found.ok_or_else(|| {
            let words = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            format!("expected one of {words}, found `{}`", at.value)
        });
        self.take(at, field, found)
    }
}

/// What was read, if nothing was wrong.
pub(super) fn finish<T>(reader: Reader<'_>, read: Option<T>) -> Result<T, Problems> {
    reader.finish(read).map_err(|Problems(problems)| Problems(problems.into_iter().map(plain).collect()))
}

/// Field and message may quote the file, which may have any characters: a problem is one line, in the log too.
fn plain(Problem { file, line, field, message }: Problem) -> Problem {
    Problem {
        file,
        // Nothing is before the first line, even where the place is not known.
        line: line.max(1),
        field: field.replace(char::is_control, " "),
        message: message.replace(char::is_control, " "),
    }
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
