//! Values in a drill's file. Errors are sentences with what would be right.

use std::time::Duration;

/// Words of a-z and 0-9 joined by `-`; at most 63 characters, because names become labels and file names.
pub(super) fn name(text: &str) -> Result<String, String> {
    let word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('-').all(word) {
        return Ok(text.to_owned());
    }
    Err(format!("`{text}` is not a name: expected words of a-z and 0-9 joined by `-`, such as slow-queries"))
}

/// A text of one line with at most `most` characters.
pub(super) fn line(text: &str, most: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.contains('\n') || text.chars().count() > most {
        return Err(format!("expected one line of 1 to {most} characters"));
    }
    Ok(text.to_owned())
}

/// A text that is not empty.
pub(super) fn text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("empty: expected a few sentences".to_owned()) } else { Ok(text.to_owned()) }
}

/// A duration within bounds.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let human = humantime::format_duration;
    let wrong = || format!("expected {} to {}, such as 30s, found `{text}`", human(least), human(most));
    let duration = humantime::parse_duration(text).map_err(|_| wrong())?;
    if (least..=most).contains(&duration) { Ok(duration) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_texts_and_durations_have_bounds() {
        assert_eq!(name("pool-2"), Ok("pool-2".to_owned()));
        for text in ["", "Pool", "a--b", "2nd", "a b", "-a", "a-"] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(line(" two\nlines", 80).is_err() && line("", 80).is_err() && line("abc", 2).is_err());
        assert_eq!(line(" one ", 80), Ok("one".to_owned()));
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        assert_eq!(duration("1m", second, minute), Ok(minute));
        let problem = duration("2m", second, minute).unwrap_err();
        assert_eq!(problem, "expected 1s to 1m, such as 30s, found `2m`");
    }
}
