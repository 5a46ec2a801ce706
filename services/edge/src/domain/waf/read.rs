//! Reads `waf/<id>.yaml`. A file is either refused, with every problem and its place, or it is a rule that
//! can run.

use std::collections::BTreeMap;

use contracts::firewall::fingerprint;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_saphyr::Spanned;
use yaml::{Problems, Reader, all};

use super::{
    COST,
    rule::{Case, Engine, Matcher, Mode, OnOverrun, Rule},
    target::Target,
};
use crate::domain::values::{Text, Values as _, finish};

/// Longest pattern, in bytes.
const LONGEST: usize = 4096;
/// Most steps that a rule may be allowed.
const DEAREST: u64 = 1_000_000;
/// Most headers of a case: a `HeaderMap` panics beyond some ten thousands.
const MOST_HEADERS: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    id: Text,
    title: Text,
    mode: Text,
    engine: Text,
    targets: Spanned<Vec<Text>>,
    pattern: Text,
    cost: Option<Spanned<u64>>,
    on_overrun: Option<Text>,
    cases: Spanned<Vec<Spanned<RawCase>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    what: Text,
    path: Option<Text>,
    query: Option<Text>,
    #[serde(default)]
    headers: BTreeMap<String, Text>,
    body: Option<Text>,
    verdict: Text,
}

/// Reads a file; `file` is its name in messages, and its stem has to be the rule's id.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str) -> Result<Rule, Problems> {
    let document = yaml::parse::<Document>(file, text)?;
    let mut reader = Reader::of(file);
    let rule = rule(&mut reader, &document, fingerprint(text));
    finish(reader, rule)
}

fn rule(reader: &mut Reader<'_>, raw: &Document, fingerprint: String) -> Option<Rule> {
    let id = identity(reader, &raw.id);
    let title = reader.line(&raw.title, "title");
    let mode = reader.choice(&raw.mode, "mode", &Mode::WORDS);
    let engine = reader.choice(&raw.engine, "engine", &Engine::WORDS);
    let targets = targets(reader, &raw.targets);
    let matcher = engine.and_then(|engine| matcher(reader, &raw.pattern, engine));
    let cost = raw.cost.as_ref().map_or(Some(COST), |at| reader.number(at, "cost", 1, DEAREST));
    let on_overrun = raw.on_overrun.as_ref();
    let on_overrun =
        on_overrun.map_or(Some(OnOverrun::Pass), |at| reader.choice(at, "on_overrun", &OnOverrun::WORDS));
    let cases = cases(reader, &raw.cases);
    Some(Rule {
        id: id?,
        fingerprint,
        title: title?,
        mode: mode?,
        engine: engine?,
        targets: targets?,
        pattern: raw.pattern.value.clone(),
        cost: cost?,
        on_overrun: on_overrun?,
        cases: cases?,
        matcher: matcher?,
    })
}

fn identity(reader: &mut Reader<'_>, at: &Text) -> Option<String> {
    let id = reader.name(at, "id")?;
    let stem = reader.file().rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    match stem {
        Some(stem) if stem != id => {
            reader.wrong(at, "id", format!("expected `{stem}`, as the file is named, found `{id}`"));
            None
        }
        _ => Some(id),
    }
}

fn targets(reader: &mut Reader<'_>, list: &Spanned<Vec<Text>>) -> Option<Vec<Target>> {
    if list.value.is_empty() {
        reader.wrong(list, "targets", "expected at least one of path, query, body or header:NAME");
        return None;
    }
    let read = list.value.iter().enumerate();
    all(read.map(|(index, at)| reader.take(at, &format!("targets[{index}]"), Target::parse(&at.value))))
}

fn matcher(reader: &mut Reader<'_>, at: &Text, engine: Engine) -> Option<Matcher> {
    let length = at.value.len();
    let matcher = if (1..=LONGEST).contains(&length) {
        Matcher::new(engine, &at.value)
    } else {
        Err(format!("expected 1 to {LONGEST} bytes, found {length}"))
    };
    reader.take(at, "pattern", matcher)
}

fn cases(reader: &mut Reader<'_>, list: &Spanned<Vec<Spanned<RawCase>>>) -> Option<Vec<Case>> {
    let read = list.value.iter().enumerate();
    let cases = all(read.map(|(index, raw)| case(reader, &raw.value, &format!("cases[{index}]"))))?;
    if cases.iter().any(|case| case.found) && cases.iter().any(|case| !case.found) {
        return Some(cases);
    }
    reader.wrong(list, "cases", "expected at least one case to block and one to pass");
    None
}

fn case(reader: &mut Reader<'_>, raw: &RawCase, field: &str) -> Option<Case> {
    let what = reader.line(&raw.what, &format!("{field}.what"));
    let words = [("block", true), ("pass", false)];
    let found = reader.choice(&raw.verdict, &format!("{field}.verdict"), &words);
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let field = format!("{field}.headers.{name}");
        if headers.len() >= MOST_HEADERS {
            reader.wrong(value, &field, format!("expected at most {MOST_HEADERS} headers"));
            break;
        }
        let parsed = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(&value.value).ok());
        let parsed = parsed.ok_or_else(|| "expected a header that can be sent".to_owned());
        if let Some((name, value)) = reader.take(value, &field, parsed) {
            headers.append(name, value);
        }
    }
    let text = |at: &Option<Text>, default: &str| {
        at.as_ref().map_or_else(|| default.to_owned(), |at| at.value.clone())
    };
    let (path, query, body) = (text(&raw.path, "/"), text(&raw.query, ""), text(&raw.body, ""));
    Some(Case { what: what?, path, query, headers, body: body.into(), found: found? })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf, sync::Arc};

    use super::*;
    use crate::domain::waf::check;

    const SOUND: &str = "
id: a-rule
title: Finds what it should
mode: enforce
engine: linear
targets: [query, 'header:user-agent']
pattern: 'evil'
cases:
  - {what: bad, query: q=evil, verdict: block}
  - {what: worse, headers: {user-agent: evil/1.0}, verdict: block}
  - {what: good, query: q=good, body: evil, verdict: pass}
";

    fn waf(folder: &str) -> Vec<Arc<Rule>> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../waf").join(folder);
        let files = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
        files
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                Arc::new(read(path.to_str().unwrap(), &text).unwrap_or_else(|wrong| panic!("{wrong}")))
            })
            .collect()
    }

    #[test]
    fn a_rule_is_what_its_file_says() {
        let rule = Arc::new(read("waf/a-rule.yaml", SOUND).unwrap());
        assert_eq!((rule.mode, rule.engine, rule.cost), (Mode::Enforce, Engine::Linear, COST));
        assert!(check(&rule).is_empty(), "{:?}", check(&rule));
    }

    #[test]
    fn every_mistake_has_its_line_and_field() {
        let wrong = SOUND
            .replace("id: a-rule", "id: another")
            .replace("enforce", "sometimes")
            .replace("query, ", "cookie, ")
            .replace("'evil'", "'ev(il'")
            .replace("what: good", "what: ''");
        let wrong = read("waf/a-rule.yaml", &wrong).expect_err("mistakes").to_string();
        for expected in [
            "waf/a-rule.yaml:2: id: expected `a-rule`",
            "waf/a-rule.yaml:4: mode: expected one of off, simulate, enforce",
            "waf/a-rule.yaml:6: targets[0]: ",
            "waf/a-rule.yaml:7: pattern: unclosed group",
            "waf/a-rule.yaml:11: cases[2].what: ",
        ] {
            assert!(wrong.contains(expected), "{expected}\n---\n{wrong}");
        }
        let unknown = read("a.yaml", &format!("{SOUND}colour: red\n")).expect_err("a mistake").to_string();
        assert!(unknown.contains("colour"), "{unknown}");
    }

    #[test]
    fn a_rule_has_to_say_what_it_finds_and_what_it_does_not() {
        let only = SOUND.replace("verdict: pass", "verdict: block");
        let wrong = read("a-rule.yaml", &only).expect_err("a mistake").to_string();
        assert!(wrong.contains("one case to block and one to pass"), "{wrong}");
        let lying = SOUND.replace("q=good", "q=evil");
        let lying = Arc::new(read("a-rule.yaml", &lying).unwrap());
        assert_eq!(check(&lying), ["a-rule: good: the verdict is block, and has to be pass"]);
    }

    #[test]
    fn every_shipped_rule_passes_its_own_cases_within_its_cost() {
        let rules = waf("");
        assert!(rules.len() >= 8, "the common attacks");
        for rule in rules {
            assert_eq!(check(&rule), Vec::<String>::new());
            assert_eq!((rule.engine, rule.mode), (Engine::Linear, Mode::Enforce), "{}", rule.id);
        }
    }

    #[test]
    fn the_rule_of_the_outage_has_the_right_verdicts_and_fails_by_its_cost_alone() {
        let rules = waf("incidents");
        let [rule] = &rules[..] else { panic!("one rule") };
        assert_eq!((rule.engine, rule.mode), (Engine::Backtracking, Mode::Simulate));
        let failures = check(rule);
        assert!(!failures.is_empty());
        assert!(failures.iter().all(|failure| failure.ends_with("steps")), "{failures:?}");
        // The remedy: the same pattern on an engine that reads the text once.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf/incidents/inline-script.yaml");
        let text = fs::read_to_string(path).unwrap().replace("engine: backtracking", "engine: linear");
        assert_eq!(check(&Arc::new(read("inline-script.yaml", &text).unwrap())), Vec::<String>::new());
    }
}
