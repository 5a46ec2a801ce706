//! Fuzzes the reader of rules and both engines: any bytes, files that a person might write, shipped rules with
//! pieces missing and added, and any pattern. Whatever comes in, nothing panics, a mistake has its place, and a
//! rule that is taken ends within its cost.

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use proptest::{prelude::*, sample::Index};
use yaml::Problems;

use super::{
    Asked, Bounds, Engine, Machine, Mode, Rule, RuleSet, TIME, check,
    machine::{End, Leash, Run},
    read,
    rule::Matcher,
};

/// What ends a line in some version of YAML.
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Every rule of the repository, with the name of its file.
fn shipped() -> Vec<(String, String)> {
    let waf = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../waf");
    let folders = [waf.clone(), waf.join("incidents")];
    let files =
        folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).collect();
    // The same choice from the same seed, on every machine.
    files.sort();
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        (format!("waf/{name}"), fs::read_to_string(path).unwrap())
    };
    files.iter().map(named).collect()
}

/// What means something to YAML, to a pattern, or to the reader.
const PIECES: &str = "¦\n¦  ¦\t¦: ¦- ¦'¦\"¦{¦}¦[¦]¦|-\n¦&a ¦*a¦!!int ¦<<: ¦---\n¦\0¦\u{feff}¦\r¦null¦~¦-1¦.inf¦\
    18446744073709551616¦linear¦backtracking¦cost: 1\n¦off¦(?¦(?x)¦(a*)*¦{1000}¦\\1¦\\pL";

/// What patterns are made of.
const PARTS: &str = r"a b = 7 . .* \d \d+ \w \s* \b \B ^ $ (?: ( ) [ ] [^ [^a] [[:alpha:]] | * + ? ?? *? {2} {0,9} {3,}
    {0} {1000} {4294967295} (?i) (?s) (?x) (?m) (?u) (?U) (?R) \x00 \xff \pL \1 (?= (?P<n> é \ - && #";

fn piece() -> impl Strategy<Value = String> {
    let known: Vec<&str> = PIECES.split('¦').collect();
    prop_oneof![prop::sample::select(known).prop_map(str::to_owned), "\\PC{0,6}", bytes(8)]
}

/// Any bytes, as far as they are a text: nothing else gets to the reader.
fn bytes(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<u8>(), 0..most).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// A part of a text, between two characters.
fn part(text: &str, at: Index, length: usize) -> (usize, usize) {
    let at = at.index(text.len() + 1);
    (text.floor_char_boundary(at), text.floor_char_boundary(at + length))
}

/// A shipped rule, with a few parts replaced: by what means something, or by a part of another rule.
fn mutated() -> impl Strategy<Value = (String, String)> {
    let rules = shipped();
    let texts: Vec<String> = rules.iter().map(|(_, text)| text.clone()).collect();
    let stolen =
        (prop::sample::select(texts), any::<Index>(), 0..200_usize).prop_map(|(text, at, length)| {
            let (from, until) = part(&text, at, length);
            text[from..until].to_owned()
        });
    let change = (any::<Index>(), 0..30_usize, prop_oneof![3 => piece(), 1 => stolen]);
    let changes = prop::collection::vec(change, 1..4);
    (prop::sample::select(rules), changes).prop_map(|((file, mut text), changes)| {
        for (at, length, piece) in changes {
            let (from, until) = part(&text, at, length);
            text.replace_range(from..until, &piece);
        }
        (file, text)
    })
}

/// Files that a person might write, and worse.
fn written() -> impl Strategy<Value = String> {
    let fields =
        vec!["id", "title", "mode", "engine", "targets", "pattern", "cost", "on_overrun", "cases", "verdict"];
    let words = vec!["a-rule", "linear", "backtracking", "[query]", "{}", "-1", "enforce", "[]"];
    let value = prop_oneof![
        prop::sample::select(words).prop_map(str::to_owned),
        "\\PC{0,30}",
        pattern().prop_map(|pattern| format!("'{}'", pattern.replace('\'', "''"))),
    ];
    let line = (prop::sample::select(fields), value).prop_map(|(field, value)| format!("{field}: {value}\n"));
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

/// Patterns of a few parts; many are mistakes, and those that are not may take very long.
fn pattern() -> impl Strategy<Value = String> {
    let part = || prop::sample::select(PARTS.split_whitespace().chain([" ", "\n"]).collect::<Vec<&str>>());
    let parts = |most: usize| prop::collection::vec(part(), 0..most).prop_map(|parts| parts.concat());
    let times = prop::sample::select(vec!["*", "+", "?", "*?", "{2}", "{0,30}", "{2,}", "{400}"]);
    let repeated = (parts(4), times, parts(4), parts(4));
    prop_oneof![
        parts(12),
        repeated.prop_map(|(inner, times, other, tail)| format!("(?:(?:{inner}){times}|{other})*{tail}")),
        "\\PC{0,40}",
    ]
}

/// Texts in which patterns find something, and any others.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof!["[ab=7 \n]{0,200}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..300)]
}

/// A refusal names the file, a line of it, a field, and what is wrong, on one line.
fn has_places(file: &str, text: &str, problems: &Problems) -> Result<(), TestCaseError> {
    // The end of a file may be the line after its last one.
    let lines = u64::try_from(text.matches(BREAKS).count()).unwrap_or(u64::MAX).saturating_add(2);
    prop_assert!(!problems.0.is_empty());
    for problem in &problems.0 {
        prop_assert_eq!(problem.file.as_str(), file);
        prop_assert!((1..=lines).contains(&problem.line), "{problem}: {lines} lines");
        prop_assert!(!problem.field.is_empty() && !problem.message.is_empty(), "{problem:?}");
        prop_assert!(!problem.message.contains(['\n', '\r']), "{problem:?}");
    }
    Ok(())
}

/// A rule that was taken ends within its cost: with its own cases, and with any request.
fn ends(rule: Rule, asked: &[u8], budget: u64) -> Result<(), TestCaseError> {
    let rule = Arc::new(rule);
    for failure in check(&rule) {
        prop_assert!(failure.starts_with(&rule.id), "{failure}");
    }
    let set = RuleSet::new([(Arc::clone(&rule), Mode::Simulate)]);
    let (headers, body, query) =
        (HeaderMap::new(), Bytes::copy_from_slice(asked), String::from_utf8_lossy(asked));
    let texts = set.texts(&Asked { path: &query, query: &query, headers: &headers, body: &body });
    let bounds = Bounds { guard: true, budget, time: TIME };
    let judged = set.judge(&texts, bounds, &mut Machine::default(), &mut ());
    prop_assert!(judged.steps <= budget.min(rule.cost), "{} of {} and {budget}", judged.steps, rule.cost);
    Ok(())
}

/// Reads a file, and tries what comes of it.
fn read_and_try(file: &str, text: &str, asked: &[u8], budget: u64) -> Result<(), TestCaseError> {
    match read(file, text) {
        Ok(rule) => ends(rule, asked, budget),
        Err(problems) => has_places(file, text, &problems),
    }
}

fn search(engine: Engine, pattern: &str, text: &[u8], most: u64) -> Result<Run, String> {
    let matcher = Matcher::new(engine, pattern)?;
    let mut leash = Leash { most, before: 0, continues: &mut || true };
    Ok(matcher.search(text, &mut Machine::default(), &mut leash))
}

proptest! {
    #[test]
    fn any_bytes_and_any_lines_are_a_rule_or_are_refused_with_a_place(
        file in prop_oneof![bytes(600), written(), "\\PC{0,200}"], asked in text(), budget in 0_u64..50_000,
    ) {
        read_and_try("waf/a-rule.yaml", &file, &asked, budget)?;
    }

    #[test]
    fn a_broken_rule_is_refused_with_a_place_or_ends_within_its_cost(
        (file, changed) in mutated(), asked in text(), budget in 0_u64..50_000,
    ) {
        read_and_try(&file, &changed, &asked, budget)?;
    }

    #[test]
    fn a_shipped_rule_with_any_pattern_is_refused_at_the_pattern_or_ends_within_its_cost(
        linear in any::<bool>(), pattern in pattern(), asked in text(), budget in 0_u64..50_000,
    ) {
        let engine = if linear { "linear" } else { "backtracking" };
        let quoted = serde_json::to_string(&pattern).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let file = format!(
            "id: a-rule\ntitle: Any pattern\nmode: enforce\nengine: {engine}\ntargets: [path, query, body]\n\
             pattern: {quoted}\ncost: 20000\ncases:\n\
             - {{what: bad, body: a=7, verdict: block}}\n- {{what: good, body: b, verdict: pass}}\n"
        );
        if let Err(problems) = read("waf/a-rule.yaml", &file) {
            let at = problems.0.iter().map(|problem| (problem.line, problem.field.as_str()));
            prop_assert_eq!(at.collect::<Vec<_>>(), [(6, "pattern")], "{}", problems);
        }
        read_and_try("waf/a-rule.yaml", &file, &asked, budget)?;
    }

    #[test]
    fn any_pattern_ends_within_its_steps_and_both_engines_find_the_same(
        pattern in pattern(), text in text(), most in 0_u64..20_000,
    ) {
        let mut found = Vec::new();
        for engine in [Engine::Linear, Engine::Backtracking] {
            match search(engine, &pattern, &text, most) {
                Ok(run) => {
                    prop_assert!(run.steps <= most && run.end != End::Stopped, "{engine:?}: {run:?}");
                    found.push(run.end);
                }
                Err(why) => prop_assert!(!why.is_empty() && !why.contains('\n'), "{engine:?}: {why}"),
            }
        }
        if let [linear, backtracking] = found[..]
            && !found.contains(&End::Overrun)
        {
            prop_assert_eq!(linear, backtracking, "{:?} in {:?}", pattern, text);
        }
    }
}

/// What one would write to take the reader down: each is refused, or is a rule, and ends.
#[test]
fn files_that_nest_or_repeat_without_end_are_refused_with_a_place() {
    let cases = |headers: &str| {
        format!(
            "id: a-rule\ntitle: Many\nmode: enforce\nengine: linear\ntargets: [body]\npattern: a\ncases:\n\
             - {{what: bad, body: a, verdict: block}}\n- what: good\n  verdict: pass\n  headers:\n{headers}"
        )
    };
    let many: String = (0..30_000).map(|number| format!("    x-{number}: a\n")).collect();
    let alias = "title: &a [&b [x, x], *b, *b]\nmode: [*a, *a, *a]\n".to_owned();
    for (file, said) in [
        (cases(&many), "expected at most 64 headers"),
        ("[".repeat(20_000), ""),
        ("- ".repeat(20_000), ""),
        (format!("pattern: {}", "[a: ".repeat(20_000)), ""),
        (alias, ""),
        (cases("    'a b': a\n"), "a header that can be sent"),
        (cases("    x-a: a\n").replace("mode: enforce", "mode: \"a\\nb\""), "found `a b`"),
    ] {
        let problems = read("waf/a-rule.yaml", &file).expect_err("a mistake");
        assert!(problems.to_string().contains(said), "{said}: {problems}");
        has_places("waf/a-rule.yaml", &file, &problems).unwrap();
    }
}
