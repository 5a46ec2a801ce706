//! The shape of the tree: fails if a file is long and does not say why, or if one package is too much of the code.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Most lines of a file that says nothing about its length.
const LONG: usize = 300;
/// In the first lines of a longer one: it is generated, or its parts belong together.
const REASONS: [&str; 6] = [
    "generated from",
    "written by `",
    "one long",
    "everything is on one page",
    "longer than",
    "long, because",
];
/// How many lines these are.
const HEAD: usize = 16;
/// Data that no person reads: documents for programs, records, lists of locked versions.
const DATA: [&str; 4] = ["json", "jsonl", "lock", "sum"];
/// Rendered charts.
const RENDERED: &str = "deploy/helm/examples/";
/// Most of the Rust code that one package may be, in percent.
const SHARE: usize = 25;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace root")
}

/// The files of the repository, by their paths below its root; links are files elsewhere.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git runs");
    let listed = String::from_utf8(listed.stdout).expect("UTF-8");
    let files: Vec<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();
    assert!(files.len() > 1000, "too few files found");
    files.into_iter().filter(|file| root().join(file).is_file() && !root().join(file).is_symlink()).collect()
}

fn is_long_without_a_reason(text: &str) -> bool {
    let head = text.lines().take(HEAD).collect::<Vec<_>>().join(" ").to_lowercase();
    text.lines().count() > LONG && !REASONS.iter().any(|reason| head.contains(reason))
}

#[test]
fn a_long_file_says_in_its_head_why_it_is_long() {
    let data = |file: &Path| file.extension().is_some_and(|own| DATA.iter().any(|data| own == *data));
    let wrong: Vec<String> = files()
        .into_iter()
        .filter(|file| !data(file) && !file.starts_with(RENDERED))
        // Pictures and archives are no text.
        .filter_map(|file| Some((fs::read_to_string(root().join(&file)).ok()?, file)))
        .filter(|(text, _)| is_long_without_a_reason(text))
        .map(|(text, file)| format!("{}: {} lines", file.display(), text.lines().count()))
        .collect();
    assert!(
        wrong.is_empty(),
        "split them, or say why not in the first {HEAD} lines ({}):\n{}",
        REASONS.join(", "),
        wrong.join("\n")
    );
}

#[test]
fn no_package_is_more_than_a_quarter_of_the_code() {
    let files = files();
    let packages: Vec<&Path> =
        files.iter().filter(|file| file.ends_with("Cargo.toml")).filter_map(|file| file.parent()).collect();
    let mut lines: BTreeMap<&Path, usize> = BTreeMap::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        let package = file.ancestors().skip(1).find(|folder| packages.contains(folder));
        let text = fs::read_to_string(root().join(file)).expect("a readable source file");
        *lines.entry(package.unwrap_or(Path::new(""))).or_default() += text.lines().count();
    }
    let all: usize = lines.values().sum();
    let wrong: Vec<String> = lines
        .iter()
        .filter(|(_, own)| **own * 100 > all * SHARE)
        .map(|(package, own)| format!("{}: {own} of {all} lines", package.display()))
        .collect();
    assert!(wrong.is_empty(), "move a part into a library crate of its own:\n{}", wrong.join("\n"));
}

#[test]
fn a_reason_counts_in_the_head_alone() {
    let body = "x\n".repeat(LONG);
    assert!(!is_long_without_a_reason(&body), "as long as it may be");
    assert!(is_long_without_a_reason(&format!("{body}x\n")));
    assert!(!is_long_without_a_reason(&format!("# Longer than other files: one list.\n{body}")));
    assert!(is_long_without_a_reason(&format!("# Its tables are generated.\n{body}")), "not the whole file");
    assert!(is_long_without_a_reason(&format!("{body}# Generated.\n")));
}
