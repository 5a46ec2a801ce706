//! The only place that writes to the terminal. Most of what `lab` prints comes from others: log lines, alerts,
//! traces, responses, fields of messages. A control character in it could move the cursor, hide a line, retitle the
//! window or forge a line, so it is escaped here. A lint forbids printing everywhere else in this program.

use std::{
    fmt::{self, Display, Write as _},
    io::{self, Write},
};

use anyhow::Result;
use console::Style;
use serde::Serialize;

/// Prints one line on standard output, with control characters escaped.
macro_rules! out {
    ($($arg:tt)*) => {
        $crate::terminal::Row::new().text(format_args!($($arg)*)).print()
    };
}
pub(crate) use out;

/// Prints a line on standard error; ignores a closed pipe, which must not end a supervisor.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", several(&text.to_string()));
}

/// Prints several lines of text on standard output, keeping the line breaks.
pub(crate) fn block(text: &str) {
    let _ = write!(io::stdout(), "{}", several(text));
}

/// Prints indented JSON, for scripts.
///
/// # Errors
/// When the value cannot be written as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let _ = writeln!(io::stdout(), "{}", escaped(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Prints JSON on one line, for scripts.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn json_line(value: &serde_json::Value) -> io::Result<()> {
    writeln!(io::stdout(), "{}", escaped(&value.to_string()))
}

/// A line under construction. Control characters come only from our own styles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row(String);

impl Row {
    /// An empty line.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds text.
    pub(crate) fn text(mut self, text: impl Display) -> Self {
        let _ = write!(Visible(&mut self.0), "{text}");
        self
    }

    /// Adds text in a style.
    pub(crate) fn painted(mut self, style: &Style, text: impl Display) -> Self {
        let text = Self::new().text(text).0;
        let _ = write!(self.0, "{}", style.apply_to(text));
        self
    }

    /// Prints it on standard output.
    pub(crate) fn print(self) {
        let _ = self.try_print();
    }

    /// Prints it on standard output.
    ///
    /// # Errors
    /// When stdout is closed.
    pub(crate) fn try_print(self) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.0)
    }

    /// Prints it on standard error; ignores a closed pipe.
    pub(crate) fn say(self) {
        let _ = writeln!(io::stderr(), "{}", self.0);
    }

    /// The line with its styles, for callers that draw it themselves.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Escapes characters that a terminal would interpret.
struct Visible<'s>(&'s mut String);

impl fmt::Write for Visible<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            match char {
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                char if obeyed(char) => self.0.extend(char.escape_unicode()),
                char => self.0.push(char),
            }
        }
        Ok(())
    }
}

/// Whether a terminal interprets the character instead of showing it: C0 and C1 control characters, marks that are
/// invisible or change the text direction, line separators.
fn obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line of untrusted text, escaped, for an error or a message that is printed later.
pub(crate) fn visible(text: &str) -> String {
    Row::new().text(text).into_string()
}

/// The same, keeping line breaks.
fn several(text: &str) -> String {
    let lines = text.split('\n').map(visible);
    lines.collect::<Vec<_>>().join("\n")
}

/// Equivalent JSON: serde leaves some of those characters as they are, but they can occur in strings only.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if char != '\n' && obeyed(char) {
            let _ = write!(text, "\\u{:04x}", u32::from(char));
        } else {
            text.push(char);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clears the screen in two ways, begins a new line, changes the text direction.
    const EVIL: &str = "a\u{1b}[2J\u{9b}2J\r\nb\u{202e}c\u{7f}";

    #[test]
    fn characters_that_a_terminal_would_interpret_are_escaped() {
        let shown = Row::new().text(EVIL).into_string();
        assert_eq!(shown, r"a\u{1b}[2J\u{9b}2J\r\nb\u{202e}c\u{7f}");
        assert_eq!(several("one\ntwo\u{7}\n"), "one\ntwo\\u{7}\n");
        let plain = "Größe 日本 · █ ▏ 👩\u{200d}🚒";
        assert_eq!(Row::new().text(plain).into_string(), plain, "other text is unchanged");
    }

    #[test]
    fn only_our_own_styles_reach_the_terminal() {
        let style = Style::new().red().force_styling(true);
        let shown = Row::new().painted(&style, "x\u{1b}[0m").into_string();
        assert_eq!(shown, "\u{1b}[31mx\\u{1b}[0m\u{1b}[0m");
    }

    #[test]
    fn escaped_json_is_equivalent_and_harmless_to_a_terminal() {
        let value = serde_json::json!({ "message": EVIL });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|char| char != '\n' && obeyed(char)), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
