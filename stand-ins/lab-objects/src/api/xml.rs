//! The XML of S3: a writer, and a reader of what its few requests have. No DTD, no entities but the five of XML, no attributes
//! kept, a bound on depth: a request cannot make it do much.

use chassis_text::markup::attribute;

use crate::error::{Code, S3Error};

/// Deepest document that is read.
const DEEPEST: usize = 16;

/// An element: its text, or what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name, without a namespace.
    pub(super) name: String,
    /// The namespace of the document, on its root.
    namespace: Option<&'static str>,
    /// Its text.
    pub(super) text: String,
    /// What is in it.
    pub(super) children: Vec<Self>,
}

impl Element {
    /// An empty element.
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The same, with the namespace of its document.
    pub(super) fn within(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// The same, with one more element that is a text.
    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.child(Self { text: text.to_owned(), ..Self::new(name) })
    }

    /// The same, with one more element.
    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The same, with more elements.
    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The first element of this name in it.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name in it.
    pub(super) fn get_text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|child| child.text.as_str())
    }

    /// All elements of this name in it.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The whole document.
    pub(super) fn document(&self) -> String {
        let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        if let Some(namespace) = self.namespace {
            out.push_str(" xmlns=\"");
            out.push_str(namespace);
            out.push('"');
        }
        out.push('>');
        // Of bare line ends and tabs, a reader would keep less than there was.
        out.push_str(&attribute(&self.text));
        self.children.iter().for_each(|child| child.write(out));
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// Reads a document.
///
/// # Errors
/// [`Code::MalformedXML`].
pub(super) fn read(bytes: &[u8]) -> Result<Element, S3Error> {
    let malformed = || {
        let message =
            "The XML you provided was not well-formed or did not validate against our published schema.";
        S3Error::new(Code::MalformedXML, message)
    };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    Reader { rest: text }.root().ok_or_else(malformed)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn root(mut self) -> Option<Element> {
        self.skip()?;
        let root = self.element(0)?;
        self.skip()?;
        self.rest.is_empty().then_some(root)
    }

    /// Passes spaces, the declaration and comments.
    fn skip(&mut self) -> Option<()> {
        loop {
            self.rest = self.rest.trim_start();
            let end = if self.rest.starts_with("<?") {
                "?>"
            } else if self.rest.starts_with("<!--") {
                "-->"
            } else {
                return Some(());
            };
            self.until(end)?;
        }
    }

    /// What is before `mark`, which is passed.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let (before, rest) = self.rest.split_once(mark)?;
        self.rest = rest;
        Some(before)
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        if depth > DEEPEST {
            return None;
        }
        self.rest = self.rest.strip_prefix('<')?;
        let head = self.until(">")?;
        let (head, closed) = head.strip_suffix('/').map_or((head, false), |head| (head, true));
        let full = head.split_whitespace().next()?;
        let name = full.rsplit(':').next()?;
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c)) {
            return None;
        }
        let mut element = Element::new(name);
        if closed {
            return Some(element);
        }
        let mut text = String::new();
        loop {
            let at = self.rest.find('<')?;
            let (before, rest) = self.rest.split_at(at);
            text.push_str(&unescape(before)?);
            self.rest = rest;
            if rest.starts_with("<!--") {
                self.until("-->")?;
            } else if let Some(rest) = rest.strip_prefix("</") {
                self.rest = rest;
                if self.until(">")?.trim_end() != full {
                    return None;
                }
                // Between elements, it is layout; alone, it may be a key with spaces around it.
                element.text = if element.children.is_empty() { text } else { text.trim().to_owned() };
                return Some(element);
            } else {
                let child = self.element(depth + 1)?;
                element.children.push(child);
            }
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';')?;
        out.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            name => {
                let number = name.strip_prefix('#')?;
                let hex = number.strip_prefix('x').map(|hex| u32::from_str_radix(hex, 16));
                char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_clients_send_is_read() {
        let text = "<?xml version=\"1.0\"?>\n<!-- c --><a:Root xmlns:a=\"x\">\n <Key>a&amp;b&#10;c</Key><Empty/>\
            <Rule><ID>1</ID></Rule><Rule><ID>2</ID></Rule></a:Root>\n";
        let root = read(text.as_bytes()).unwrap();
        assert_eq!(root.name, "Root");
        assert_eq!(root.get_text("Key"), Some("a&b\nc"));
        assert_eq!(root.get_text("Empty"), Some(""));
        let ids: Vec<_> = root.all("Rule").filter_map(|rule| rule.get_text("ID")).collect();
        assert_eq!(ids, ["1", "2"]);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let deep = "<a>".repeat(100_000);
        for text in ["", "text", "<a>", "<a></b>", "<a>&unknown;</a>", "<a/><b/>", "<!DOCTYPE a><a/>", &deep]
        {
            assert!(read(text.as_bytes()).is_err(), "{}", &text[..text.len().min(40)]);
        }
        assert!(read(&[0xff]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "[ -~äöü€\n\t]{0,40}") {
            let root = Element::new("Root").within("x").text("Key", text.trim());
            let back = read(root.document().as_bytes()).unwrap();
            prop_assert_eq!(back.get_text("Key"), Some(text.trim()));
        }

        #[test]
        fn no_input_makes_it_panic(text in "[<>/a&;#! ?-]{0,60}") {
            let _ = read(text.as_bytes());
        }
    }
}
