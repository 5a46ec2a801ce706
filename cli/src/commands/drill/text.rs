//! Words for people: paragraphs of one width, times of a clock.

use std::time::Duration;

/// Longest line of a paragraph.
pub(crate) const WIDTH: usize = 90;

/// A text as lines of at most `width` characters. A longer word has a line of its own, and empty lines stay.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && longer > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// `03:12`, or `1:03:12` from an hour on.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default().as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_broken_between_words_and_keep_their_empty_lines() {
        assert_eq!(wrap("one two three\n\nfour", 7), ["one two", "three", "", "four"]);
        assert_eq!(wrap("incomprehensible is long", 5), ["incomprehensible", "is", "long"]);
    }

    #[test]
    fn a_clock_has_hours_only_if_there_are_some() {
        assert_eq!([clock(0.0), clock(192.9), clock(3_792.0)], ["00:00", "03:12", "1:03:12"]);
        assert_eq!(clock(-1.0), "00:00");
    }
}
