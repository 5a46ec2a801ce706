//! Tests: each command line of `lab` in the documentation, the drills, the runbooks, comments and help texts is one that `lab`
//! understands.
//!
//! A word in capitals, with `…` or with `$` is a placeholder: values of its line are not judged. What prose has between backticks
//! may leave out values and arguments: only its commands and flags are judged. A finding names file and line.

use std::{
    fs, iter,
    path::{Path, PathBuf},
};

use clap::{CommandFactory as _, error::ErrorKind};
use regex::Regex;

use crate::args::Cli;

/// How a command line begins.
const PROGRAM: &[&str] = &["lab ", "./lab ", "target/lab/lab "];
/// What `./lab` does itself.
const WRAPPER: &[&str] = &["bench", "test"];
/// Endings of files with prose.
const PROSE: &[&str] = &["md", "rs", "yaml", "yml"];
/// A file of commands alone.
const RECIPES: &str = "justfile";
/// This file has wrong commands on purpose.
const EXEMPT: &str = "documented.rs";

/// A command line, and where it is.
struct Said {
    place: String,
    text: String,
    /// Whether it can be run as it is: prose often names a command or a flag alone.
    whole: bool,
}

/// The words of a command, as a shell splits them, up to a comment, a pipe or a redirection. None if the command continues in the
/// next line.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, '\\') => match letters.next()? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            (None, '|' | ';' | '&' | '<' | '>') => break,
            (None, '#') if word.is_none() => break,
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The commands among lines, with the numbers of the lines in which they begin.
fn commands<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (at, line) in lines {
        let line = line.trim_start();
        let line = line.strip_prefix("$ ").unwrap_or(line);
        if open {
            let (_, text) = found.last_mut().expect("a command that continues");
            *text = format!("{text}\n{line}");
        } else if PROGRAM.iter().any(|program| line.starts_with(program)) {
            found.push((at, line.to_owned()));
        } else {
            continue;
        }
        open = found.last().is_some_and(|(_, text)| words(text).is_none());
    }
    found
}

/// What a file says: the commands in the code blocks of a page, and those between backticks.
fn said_by(name: &str, text: &str) -> Vec<Said> {
    let page = name.ends_with(".md");
    let mut inside = name == RECIPES;
    let (code, prose): (Vec<_>, Vec<_>) = text.lines().enumerate().partition(|(_, line)| {
        let fence = page && line.trim_start().starts_with("```");
        inside ^= fence;
        inside || fence
    });
    let said = |at: usize, text: String, whole| Said { place: format!("{name}:{}", at + 1), text, whole };
    let mut found: Vec<_> =
        commands(code.into_iter()).into_iter().map(|(at, text)| said(at, text, true)).collect();
    // A span may go on in the next line, after the sign of a comment or the end of a line of a string.
    let span = Regex::new(r"`(?:\./)?(lab\s[^`]+)`").unwrap();
    let between = Regex::new(r"\\?\n\s*(?://[/!]?|#)?\s*").unwrap();
    let (numbers, lines): (Vec<usize>, Vec<&str>) = prose.into_iter().unzip();
    let prose = lines.join("\n");
    for matched in span.captures_iter(&prose).filter_map(|captures| captures.get(1)) {
        let before = prose[..matched.start()].matches('\n').count();
        found.push(said(numbers[before], between.replace_all(matched.as_str(), " ").into_owned(), false));
    }
    found
}

/// The examples of a command's help and of those below it. Two spaces separate an example from what it does.
fn said_by_help(command: &clap::Command, name: &str) -> Vec<Said> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = help.lines().map(|line| line.trim_start().split("  ").next().unwrap_or_default());
    let said = |(at, text): (usize, String)| {
        let place = format!("{name} --help, line {} of the examples", at + 1);
        Said { place, text, whole: true }
    };
    let own = commands(examples.enumerate()).into_iter().map(said);
    let below = command.get_subcommands();
    own.chain(below.flat_map(|below| said_by_help(below, &format!("{name} {}", below.get_name())))).collect()
}

/// The files of the checkout that may name commands, without what tools have written or installed.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        // Not what a link points to: that is elsewhere in the checkout.
        let kind = entry.file_type().unwrap();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if kind.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            files(&path, found);
        } else if kind.is_file() && (PROSE.contains(&ending) || name == RECIPES) && name != EXEMPT {
            found.push(path);
        }
    }
}

/// What is wrong with a command line.
fn mistake(lab: &mut clap::Command, said: &Said) -> Option<String> {
    let Some(mut words) = words(&said.text) else {
        return said.whole.then(|| "a quotation or a line does not end".to_owned());
    };
    // The program, and the option of `./lab`.
    words.remove(0);
    if words.first().is_some_and(|word| word == "--no-install") {
        words.remove(0);
    }
    // In the code: the name of a command is put there.
    let named = words.first().is_some_and(|word| !word.contains('{'));
    if !named || WRAPPER.iter().any(|own| words[0] == *own) {
        return None;
    }
    let placeholders = words.iter().any(|word| is_placeholder(word));
    if words.last().is_some_and(|word| ["…", "...", "$@"].contains(&word.as_str())) {
        words.pop();
    }
    let error = lab.try_get_matches_from_mut(iter::once("lab".to_owned()).chain(words)).err()?;
    let wrong = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => false,
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => true,
        _ => said.whole && !placeholders,
    };
    wrong.then(|| error.to_string().lines().next().unwrap_or_default().to_owned())
}

/// Whether the reader puts something else there: `INC-1` and `5m` are values, `PID`, `why=WHY` and `9f2c…` are not.
fn is_placeholder(word: &str) -> bool {
    let value = word.rsplit_once('=').map_or(word, |(_, value)| value);
    let capitals = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    let replaced = value.len() > 1 && value.chars().all(capitals);
    replaced || word.contains(['…', '$']) || word.contains("...")
}

#[test]
fn every_command_line_that_we_write_down_is_one_that_lab_understands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut lab = Cli::command();
    let mut all = said_by_help(&lab, "lab");
    assert!(all.len() > 200, "the help has examples, found {}", all.len());
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        all.extend(said_by(&name, &fs::read_to_string(&path).unwrap()));
    }
    assert!(all.len() > 1500, "the documentation has commands, found {}", all.len());
    let found: Vec<_> = all
        .iter()
        .filter_map(|said| {
            let wrong = mistake(&mut lab, said)?;
            Some(format!("{}: {wrong}\n    {}", said.place, said.text))
        })
        .collect();
    assert!(found.is_empty(), "{} command lines are wrong:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_command_that_is_gone_is_found_and_a_placeholder_is_not() {
    let text = "As `lab up` and `lab fly\nhigh` do:\n\n```sh\nlab logs --colour red   # a flag\nlab trace TRACE_ID\n\
                lab psql orders -c \"select 1\n  from orders\" | less\nlab slo report --window soon\n```\n";
    let lines = said_by("page.md", text);
    let texts: Vec<_> = lines.iter().map(|said| (said.place.as_str(), said.whole)).collect();
    let places = ["page.md:5", "page.md:6", "page.md:7", "page.md:9"].map(|place| (place, true));
    assert_eq!(texts, [&places[..], &[("page.md:1", false), ("page.md:1", false)]].concat());
    let mut lab = Cli::command();
    let wrong = lines.iter().filter(|said| mistake(&mut lab, said).is_some()).map(|said| &said.text[..8]);
    assert_eq!(wrong.collect::<Vec<_>>(), ["lab logs", "lab slo ", "lab fly "]);
}

#[test]
fn words_are_split_as_a_shell_does() {
    let split = |text| words(text).map(|words| words.join("|"));
    assert_eq!(split("lab break a  b='c d' # why"), Some("lab|break|a|b=c d".to_owned()));
    assert_eq!(split("lab logs \\\n  -f >file"), Some("lab|logs|-f".to_owned()));
    assert_eq!(split("lab psql -c 'select"), None);
    assert_eq!(split("lab logs \\"), None);
}
