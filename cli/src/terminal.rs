//! The one place that writes to the terminal. Most of what `lab` shows was written by somebody else: log lines, alerts, traces,
//! answers, fields of messages. A control character in it would move the cursor, hide a line, retitle the window or forge a line;
//! here it becomes visible instead. Everywhere else in this program printing is refused by a lint.

use std::{
    fmt::{self, Display, Write as _},
    io::{self, Write},
};

use anyhow::Result;
use console::Style;
use serde::Serialize;

/// Prints one line on standard output, whatever it is made of.
macro_rules! out {
    ($($arg:tt)*) => {
        $crate::terminal::Row::new().text(format_args!($($arg)*)).print()
    };
}
pub(crate) use out;

/// Says something to the person on standard error, if somebody still listens: a closed pipe must not end a supervisor.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", several(&text.to_string()));
}

/// Prints text of several lines as it is made, on standard output.
pub(crate) fn block(text: &str) {
    let _ = write!(io::stdout(), "{}", several(text));
}

/// Prints for a script, over several lines.
///
/// # Errors
/// When the value cannot be written as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let _ = writeln!(io::stdout(), "{}", escaped(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// Prints for a script, in one line.
///
/// # Errors
/// When nobody reads any more.
pub(crate) fn json_line(value: &serde_json::Value) -> io::Result<()> {
    writeln!(io::stdout(), "{}", escaped(&value.to_string()))
}

/// A line under construction. Only a style of our own puts control characters into it.
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
    /// When nobody reads any more.
    pub(crate) fn try_print(self) -> io::Result<()> {
        writeln!(io::stdout(), "{}", self.0)
    }

    /// Prints it on standard error, if somebody still listens.
    pub(crate) fn say(self) {
        let _ = writeln!(io::stderr(), "{}", self.0);
    }

    /// The line with its styles, for who draws by itself.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// A size as people read it.
pub(crate) fn mib(bytes: u64) -> String {
    // Precision beyond one decimal of a mebibyte is not shown, so the loss above 2^53 does not matter.
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let mib = bytes as f64 / f64::from(1 << 20);
    format!("{mib:.1}")
}

/// Writes what a terminal would obey as what it is.
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

/// Whether a terminal does something other than show it: control characters of both sets, marks that turn the reading direction
/// or cannot be seen, separators of lines.
fn obeyed(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line of somebody else's text, for an error or a message that is printed later.
pub(crate) fn visible(text: &str) -> String {
    Row::new().text(text).into_string()
}

/// Line by line.
fn several(text: &str) -> String {
    let lines = text.split('\n').map(visible);
    lines.collect::<Vec<_>>().join("\n")
}

/// JSON that says the same: what serde leaves as it is, although a terminal would obey it, can be in strings only.
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

    /// Clears the screen in both ways, begins a new line, turns the reading direction.
    const EVIL: &str = "a\u{1b}[2J\u{9b}2J\r\nb\u{202e}c\u{7f}";

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_what_it_is() {
        let shown = Row::new().text(EVIL).into_string();
        assert_eq!(shown, r"a\u{1b}[2J\u{9b}2J\r\nb\u{202e}c\u{7f}");
        assert_eq!(several("one\ntwo\u{7}\n"), "one\ntwo\\u{7}\n");
        let plain = "Größe 日本 · █ ▏ 👩\u{200d}🚒";
        assert_eq!(Row::new().text(plain).into_string(), plain, "and nothing else is changed");
    }

    #[test]
    fn only_a_style_of_our_own_reaches_the_terminal() {
        let style = Style::new().red().force_styling(true);
        let shown = Row::new().painted(&style, "x\u{1b}[0m").into_string();
        assert_eq!(shown, "\u{1b}[31mx\\u{1b}[0m\u{1b}[0m");
    }

    #[test]
    fn json_says_the_same_without_a_character_that_a_terminal_would_obey() {
        let value = serde_json::json!({ "message": EVIL });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|char| char != '\n' && obeyed(char)), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
