//! The documentation as readers see it: every link has a target, every path in backticks exists, lines fit a diff,
//! and the book's table of contents has every page.
//!
//! A finding names file and line. Generated pages may have long lines: their text comes from the code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Widest line of prose. Tables, code blocks and words that cannot be broken may be wider.
const COLUMNS: usize = 100;

/// Folders of the repository: a word that begins with one of them and `/` is a path.
const ROOMS: &[&str] = &[
    "chassis",
    "cli",
    "dashboards",
    "deploy",
    "docs",
    "load",
    "oncall",
    "runbooks",
    "services",
    "stand-ins",
    "supervisor",
    "testkit",
    "tests",
    "tools",
];

/// These pages are not wrapped by hand.
const GENERATED: &[&str] =
    &["docs/capacity.md", "docs/configuration.md", "docs/failure-modes.md", "docs/faults.md", "docs/slos.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// One Markdown file.
struct Page {
    /// Path from the checkout.
    name: String,
    text: String,
}

impl Page {
    fn folder(&self) -> PathBuf {
        root().join(&self.name).parent().expect("a folder").to_owned()
    }

    /// Lines outside code blocks, with their numbers.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut inside = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            (!inside && !fence).then_some((at + 1, line))
        })
    }

    /// Valid targets after `#`: headings as GitHub writes them, and `<a id="…">`.
    fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#')).map(|(_, line)| slug(line));
        let named = self.text.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        headings.chain(named.map(str::to_owned)).collect()
    }
}

/// A heading's anchor: lower case, words joined by `-`, without other punctuation.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    collect(&root(), &mut pages);
    assert!(pages.len() > 50, "too few pages found");
    pages
}

fn collect(folder: &Path, pages: &mut Vec<Page>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root()).expect("below it").to_string_lossy().into_owned();
        let last = path.file_name().expect("a name").to_string_lossy().into_owned();
        // A page in `src` is the template of a program; the resulting page is checked.
        let skipped = ["target", "node_modules", "src"].contains(&last.as_str());
        if skipped || last.starts_with('.') || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(&path, pages);
        } else if last.ends_with(".md") {
            pages.push(Page { name, text: fs::read_to_string(&path).expect("UTF-8") });
        }
    }
}

fn nothing_is(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}

/// Targets of the links in a line: `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn no_line_of_prose_is_wider_than_a_hundred_columns() {
    let mut wrong = Vec::new();
    for page in pages().iter().filter(|page| !GENERATED.contains(&page.name.as_str())) {
        for (at, line) in page.prose() {
            let exempt = ["|", "#", "<!--", "!["].iter().any(|start| line.trim_start().starts_with(start));
            let item = line.trim_start().trim_start_matches("- ");
            let breakable = item.contains(' ') && !(item.starts_with('[') && item.ends_with(')'));
            if !exempt && breakable && line.chars().count() > COLUMNS {
                wrong.push(format!("{}:{at}: {} columns", page.name, line.chars().count()));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let mut wrong = Vec::new();
    for page in &pages {
        for (at, link) in page.prose().flat_map(|(at, line)| links(line).map(move |link| (at, link))) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { root().join(&page.name) } else { page.folder().join(file) };
            let Ok(path) = path.canonicalize() else {
                wrong.push(format!("{}:{at}: no file {file}", page.name));
                continue;
            };
            let target = pages.iter().find(|page| root().join(&page.name) == path);
            if !anchor.is_empty() && !target.is_some_and(|page| page.anchors().contains(anchor)) {
                wrong.push(format!("{}:{at}: no heading #{anchor} in {}", page.name, path.display()));
            }
        }
    }
    nothing_is(&wrong);
}

/// The part of a word in backticks that must exist, if it looks like a path in the repository.
fn path_in(word: &str) -> Option<&str> {
    let path = word.split_whitespace().next()?.trim_start_matches("./");
    let (room, _) = path.split_once('/')?;
    // A pattern or a placeholder: check the folders before it.
    let fixed =
        path.find(['*', '<', '{', '…']).map_or(path, |at| &path[..path[..at].rfind('/').unwrap_or(0)]);
    ROOMS.contains(&room).then(|| fixed.trim_end_matches('/'))
}

#[test]
fn every_path_in_backticks_exists() {
    let mut wrong = Vec::new();
    for page in pages() {
        for (at, line) in page.prose() {
            for path in line.split('`').skip(1).step_by(2).filter_map(path_in) {
                // Relative to the checkout, or to the folder that the page describes.
                if !root().join(path).exists() && !page.folder().join(path).exists() {
                    wrong.push(format!("{}:{at}: no `{path}`", page.name));
                }
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn the_table_of_contents_has_every_page_of_the_book_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).expect("docs/SUMMARY.md");
    let listed: Vec<&str> = summary.lines().flat_map(links).collect();
    let unique: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(listed.len(), unique.len(), "a page is listed once");
    let names: Vec<String> = pages().into_iter().map(|page| page.name).collect();
    let pages =
        names.iter().filter_map(|name| name.strip_prefix("docs/")).filter(|name| *name != "SUMMARY.md");
    let missing: Vec<String> = pages
        .filter(|name| !unique.contains(name))
        .map(|name| format!("docs/{name}: not in docs/SUMMARY.md"))
        .collect();
    nothing_is(&missing);
}

/// The Rust files below a folder, one after the other.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let text = |path: PathBuf| {
        if path.is_dir() { sources(&path) } else { fs::read_to_string(&path).expect("UTF-8") }
    };
    entries.map(text).collect()
}

/// Without the indentation of a list, or of a struct.
fn flush(code: &str) -> String {
    code.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_code_on_the_page_about_a_new_service_is_compiled_in_hello() {
    let page = fs::read_to_string(root().join("docs/ship-a-service.md")).expect("docs/ship-a-service.md");
    let hello = flush(&sources(&root().join("services/hello/src")));
    let blocks: Vec<String> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).map(flush).collect();
    assert!(blocks.len() > 2, "the page shows a route, a metric and the build");
    let wrong: Vec<String> = blocks.into_iter().filter(|block| !hello.contains(block)).collect();
    nothing_is(&wrong);
}

#[test]
fn every_runbook_is_in_the_list() {
    let list = fs::read_to_string(root().join("docs/runbooks.md")).expect("docs/runbooks.md");
    let names: Vec<String> = pages().into_iter().map(|page| page.name).collect();
    let runbooks = names.iter().filter(|name| name.starts_with("runbooks/") && !name.ends_with("README.md"));
    let missing: Vec<String> = runbooks
        .filter(|name| !list.contains(&format!("](../{name})")))
        .map(|name| format!("{name}: not in docs/runbooks.md"))
        .collect();
    nothing_is(&missing);
}

#[test]
fn the_numbers_of_the_decisions_have_no_holes() {
    let mut numbers: Vec<usize> = fs::read_dir(root().join("docs/adr"))
        .expect("docs/adr")
        .filter_map(|entry| entry.expect("an entry").file_name().to_string_lossy().get(..4)?.parse().ok())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn the_checks_find_what_they_are_for() {
    assert_eq!(slug("## What mutes what"), "what-mutes-what");
    assert_eq!(slug("# 0005: `/risky` fails"), "0005-risky-fails");
    assert_eq!(path_in("services/order-api/src/gone.rs"), Some("services/order-api/src/gone.rs"));
    assert_eq!(path_in("services/*/tests/api"), Some("services"));
    assert_eq!(path_in("deploy/deploy up"), Some("deploy/deploy"));
    assert_eq!(path_in("application/json"), None);
    assert_eq!(links("[a](b.md) and [c](d.md#e)").collect::<Vec<_>>(), ["b.md", "d.md#e"]);
}
