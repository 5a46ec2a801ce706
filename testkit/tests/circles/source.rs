//! One source file, as far as its paths matter.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;

/// A file.
#[derive(Default)]
pub(crate) struct File {
    /// What each name of a `use` stands for.
    pub(crate) names: BTreeMap<String, Vec<String>>,
    /// Modules of which a `use` takes everything.
    pub(crate) globs: Vec<Vec<String>>,
    /// What it defines itself.
    pub(crate) defines: BTreeSet<String>,
    /// Modules inside it, in files of their own.
    pub(crate) inside: BTreeSet<String>,
    /// The rest of its code.
    code: String,
}

type Expression = LazyLock<Regex>;

/// Comments, texts and characters.
static SKIPPED: Expression =
    LazyLock::new(|| new(r##"(?s)r#".*?"#|b?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.[^']*)'|//[^\n]*|/\*.*?\*/"##));
/// What only tests have: it is at the end of a file, or in a file of its own.
static TESTS: Expression =
    LazyLock::new(|| new(r"#\[cfg\(test\)\]\s*(?:#\[[^\n]*\]\s*)*(?:pub(?:\([^)]*\))? )?mod \w+ ?(\{|;)"));
static USE: Expression = LazyLock::new(|| new(r"\buse\s+([^;]+);"));
static DEFINED: Expression =
    LazyLock::new(|| new(r"\b(?:fn|struct|enum|const|static|trait|type|union|macro_rules!)\s+(\w+)"));
static INSIDE: Expression = LazyLock::new(|| new(r"\bmod\s+(\w+)\s*;"));
static PATH: Expression = LazyLock::new(|| new(r"\w+(?:::\w+)*"));

fn new(expression: &str) -> Regex {
    Regex::new(expression).expect("an expression")
}

impl File {
    pub(crate) fn read(text: &str) -> Self {
        let text = code(text);
        let mut file = Self::default();
        for found in USE.captures_iter(&text) {
            for path in paths(&found[1]) {
                file.take(&path);
            }
        }
        file.code = USE.replace_all(&text, " ").into_owned();
        file.defines = DEFINED.captures_iter(&file.code).map(|found| found[1].to_owned()).collect();
        file.inside = INSIDE.captures_iter(&file.code).map(|found| found[1].to_owned()).collect();
        file
    }

    /// Takes one path of a `use`.
    fn take(&mut self, path: &str) {
        let (path, name) = match path.split_once(" as ") {
            Some((path, name)) => (path.trim(), Some(name.trim().to_owned())),
            None => (path, None),
        };
        let mut path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
        let last = path.last().cloned().unwrap_or_default();
        if ["self", "*"].contains(&last.as_str()) {
            path.pop();
        }
        if last == "*" {
            self.globs.push(path);
        } else if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.names.insert(name, path);
        }
    }

    /// The paths in its code that may lead to another file of the crate, written out with what its `use` says.
    pub(crate) fn written(&self) -> Vec<Vec<String>> {
        let found = PATH.find_iter(&self.code);
        // Not a method, a field, or what follows `::<T>`.
        let whole = found.filter(|found| !self.code[..found.start()].ends_with(['.', ':']));
        let unique: BTreeSet<&str> = whole.map(|found| found.as_str()).collect();
        let here = |first: &str| ["crate", "self", "super"].contains(&first) || self.inside.contains(first);
        let path = |text: &str| {
            let (first, rest) = text.split_once("::").unwrap_or((text, ""));
            let begins = match self.names.get(first) {
                Some(path) => path.clone(),
                None if here(first) => vec![first.to_owned()],
                None => return None,
            };
            let rest = rest.split("::").filter(|part| !part.is_empty()).map(str::to_owned);
            Some(begins.into_iter().chain(rest).collect())
        };
        unique.into_iter().filter_map(path).collect()
    }
}

/// The code of a file, without comments, texts and tests.
fn code(text: &str) -> String {
    let text = SKIPPED.replace_all(text, " ");
    let tests = TESTS.captures_iter(&text).find(|found| &found[1] == "{");
    let end = tests.and_then(|found| found.get(0)).map_or(text.len(), |found| found.start());
    TESTS.replace_all(&text[..end], " ").into_owned()
}

/// The paths of a `use`, one for each name: `a::{b, c::{self, d as e}}` has three.
fn paths(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut parts, mut depth, mut part) = (Vec::new(), 0_usize, String::new());
    for character in inner.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(character);
    }
    parts.push(part);
    let parts = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty());
    parts.flat_map(|part| paths(&format!("{}{part}", before.trim()))).collect()
}
