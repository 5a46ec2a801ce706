//! Text of others as Markdown: nothing in it may begin a heading, a table, a link or HTML.

/// One line of text.
pub(super) fn line(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => escaped.extend(['\\', char]),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

/// A query or an answer in backticks, on one line. A backtick in it becomes an apostrophe; a pipe would end a table's
/// cell, even in backticks.
pub(super) fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    if text.is_empty() { String::new() } else { format!("`{}`", text.replace('`', "'").replace('|', "\\|")) }
}

/// A link, if it is one to HTTP; anything else is shown as text.
pub(super) fn link(title: &str, url: &str) -> String {
    let plain = url.chars().all(|char| char.is_ascii_graphic() && !"()<>\"'`\\|".contains(char));
    if plain && (url.starts_with("http://") || url.starts_with("https://") || url.starts_with('/')) {
        format!("[{}]({url})", line(title))
    } else {
        format!("{} ({})", line(title), line(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_cannot_leave_its_place() {
        assert_eq!(line("a | b\n# c <script> [x](y) *z*"), "a \\| b \\# c &lt;script&gt; \\[x\\](y) \\*z\\*");
        assert_eq!(code("up{job=\"a\"} | `x`\n"), "`up{job=\"a\"} \\| 'x'`");
        assert_eq!(code(" \n"), "");
        assert_eq!(
            link("graph", "http://localhost:9090/graph?g0.expr=up"),
            "[graph](http://localhost:9090/graph?g0.expr=up)"
        );
        assert_eq!(link("x", "javascript:alert(1)"), "x (javascript:alert(1))");
        assert_eq!(link("x", "http://a/)b"), "x (http://a/)b)");
    }
}
