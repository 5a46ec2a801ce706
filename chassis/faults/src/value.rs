//! Parameter values: read by kind, refused with the allowed range, written as a person would type them.

use std::{fmt, time::Duration};

use super::ParamKind;
use chassis_core::config::byte_size;

/// A parsed parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    Ratio(f64),
    Duration(Duration),
    Count(u64),
    Bytes(u64),
    Word(&'static str),
}

/// Takes a value as a type; `None` for one of another kind.
pub(super) type Read<T> = fn(Value) -> Option<T>;

impl Value {
    pub(super) const fn ratio(self) -> Option<f64> {
        if let Self::Ratio(ratio) = self { Some(ratio) } else { None }
    }

    pub(super) const fn duration(self) -> Option<Duration> {
        if let Self::Duration(duration) = self { Some(duration) } else { None }
    }

    pub(super) const fn number(self) -> Option<u64> {
        if let Self::Count(number) | Self::Bytes(number) = self { Some(number) } else { None }
    }

    pub(super) const fn word(self) -> Option<&'static str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

impl ParamKind {
    /// What this kind takes, for messages and tables: `a number from 0 to 1`.
    #[must_use]
    pub fn expects(&self) -> String {
        match self {
            Self::Ratio => "a number from 0 to 1".to_owned(),
            Self::Duration { min, max } => {
                format!("a duration such as 250ms or 5m, from {} to {}", human(*min), human(*max))
            }
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Bytes { min, max } => {
                format!("a size such as 512 or 64KiB, from {} to {}", size(*min), size(*max))
            }
            Self::Word(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// Reads `text`; the error says what is valid.
    pub(super) fn read(&self, text: &str) -> Result<Value, String> {
        let value = match *self {
            Self::Ratio => text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).map(Value::Ratio),
            Self::Duration { min, max } => humantime::parse_duration(text)
                .ok()
                .filter(|duration| (min..=max).contains(duration))
                .map(Value::Duration),
            Self::Count { min, max } => {
                text.parse().ok().filter(|count| (min..=max).contains(count)).map(Value::Count)
            }
            Self::Bytes { min, max } => {
                byte_size(text).ok().filter(|bytes| (min..=max).contains(bytes)).map(Value::Bytes)
            }
            Self::Word(words) => words.iter().find(|word| **word == text).map(|word| Value::Word(word)),
        };
        value.ok_or_else(|| format!("`{}` is not {}", clip(text), self.expects()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(ratio) => write!(f, "{ratio}"),
            Self::Duration(duration) => f.write_str(&human(*duration)),
            Self::Count(count) => write!(f, "{count}"),
            Self::Bytes(bytes) => f.write_str(&size(*bytes)),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// A duration as humantime writes it, without spaces so that it can be part of a URL: `1m30s`.
pub(super) fn human(duration: Duration) -> String {
    humantime::format_duration(duration).to_string().replace(' ', "")
}

/// The start of a value from a request, short enough for a message.
pub(super) fn clip(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn size(bytes: u64) -> String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}
