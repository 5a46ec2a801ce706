//! The text of others inside XML, HTML and SVG: whatever it has in it, it stays text.
//!
//! Characters that XML 1.0 cannot write at all, not even as a reference, become U+FFFD (section 2.2, "Characters").

/// Text between tags.
#[must_use]
pub fn content(text: &str) -> String {
    written(text, |c| match c {
        '\t' | '\n' | '\r' | '"' => None,
        c => reference(c),
    })
}

/// Text in an attribute with double quotes; between tags it means the same. Line ends and tabs are written as
/// references, because a reader makes spaces of them in an attribute, and one line end of a `\r\n` between tags.
#[must_use]
pub fn attribute(text: &str) -> String {
    written(text, reference)
}

fn written(text: &str, reference: impl Fn(char) -> Option<&'static str>) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match reference(c) {
            Some(reference) => written.push_str(reference),
            None if is_writable(c) => written.push(c),
            None => written.push(char::REPLACEMENT_CHARACTER),
        }
    }
    written
}

const fn reference(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ => None,
    }
}

const fn is_writable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        let text = "a \"b\" & <c>\r\n\td";
        assert_eq!(content(text), "a \"b\" &amp; &lt;c&gt;\r\n\td");
        assert_eq!(attribute(text), "a &quot;b&quot; &amp; &lt;c&gt;&#13;&#10;&#9;d");
    }

    #[test]
    fn what_xml_cannot_write_is_replaced_and_all_else_kept() {
        assert_eq!(attribute("\u{1b}[31m\u{0}\u{ffff}"), "\u{fffd}[31m\u{fffd}\u{fffd}");
        assert_eq!(content("é\u{7f}\u{85}€😀"), "é\u{7f}\u{85}€😀");
    }
}
