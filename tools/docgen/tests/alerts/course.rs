//! The course: twelve evenings in order, each with drills that exist, queries that can be pasted and faults that can be
//! set; the classic exercises and the interview questions have their place in it.

use std::collections::BTreeSet;

use crate::{
    files,
    names::Names,
    nothing_is, read, root,
    runbooks::{Runbook, plan, set},
};

const EVENINGS: usize = 12;
const EXERCISES: usize = 6;
const QUESTIONS: usize = 5;

/// An evening: the name of its file, and its text.
struct Evening {
    name: String,
    text: String,
}

impl Evening {
    /// Drills that it links to.
    fn drills(&self) -> BTreeSet<&str> {
        let links = self.text.split("](../../drills/").skip(1);
        links.filter_map(|rest| rest.split(".yaml)").next()).collect()
    }

    /// Drills that its commands start.
    fn started(&self) -> BTreeSet<&str> {
        let lines = Runbook::fenced(&self.text, "sh").into_iter();
        let starts = lines.filter_map(|line| line.trim().strip_prefix("./lab drill start "));
        starts.filter(|rest| !rest.starts_with("--")).filter_map(|rest| rest.split(' ').next()).collect()
    }
}

fn contents() -> String {
    read(&root().join("docs/course/README.md"))
}

/// In their order.
fn evenings() -> Vec<Evening> {
    let paths = files(&root().join("docs/course"), ".md");
    let name = |path: &std::path::Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let all = paths.iter().map(|path| Evening { name: name(path), text: read(path) });
    all.filter(|page| page.name != "README.md").collect()
}

fn known() -> BTreeSet<String> {
    let paths = files(&root().join("drills"), ".yaml");
    paths.iter().map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

#[test]
fn twelve_evenings_are_in_order_and_listed_with_their_titles() {
    let (evenings, contents) = (evenings(), contents());
    assert_eq!(evenings.len(), EVENINGS);
    let mut wrong = Vec::new();
    for (at, Evening { name, text }) in evenings.iter().enumerate() {
        let number = at + 1;
        let title = text.lines().next().unwrap_or_default().trim_start_matches("# ");
        if !name.starts_with(&format!("{number:02}-")) || !title.starts_with(&format!("{number}. ")) {
            wrong.push(format!("{name}: `{title}` is not evening {number}"));
        }
        if !contents.contains(&format!("[{title}]({name})")) {
            wrong.push(format!("README.md: no [{title}]({name})"));
        }
        let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if !headings.ends_with(&["Drill", "Questions"]) {
            wrong.push(format!("{name}: ends with {headings:?}, not with its drill and its questions"));
        }
        let words = text.split_whitespace().count();
        if !(400..=1000).contains(&words) {
            wrong.push(format!("{name}: {words} words are not a page"));
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_drill_of_the_course_exists_and_is_started_where_it_is_named() {
    let (known, contents, mut wrong) = (known(), contents(), Vec::new());
    for evening in evenings() {
        let (drills, started, name) = (evening.drills(), evening.started(), &evening.name);
        if drills.is_empty() || drills.len() > 2 {
            wrong.push(format!("{name}: {} drills", drills.len()));
        }
        if started != drills {
            wrong.push(format!("{name}: names {drills:?} and starts {started:?}"));
        }
        for drill in drills {
            if !known.contains(drill) {
                wrong.push(format!("{name}: there is no drill `{drill}`"));
            }
            if !contents.contains(&format!("(../../drills/{drill}.yaml)")) {
                wrong.push(format!("README.md: `{drill}` of {name} is missing"));
            }
        }
    }
    nothing_is(&wrong);
}

#[test]
fn every_query_of_the_course_can_be_pasted_and_every_fault_can_be_set() {
    let (names, mut wrong, mut queries) = (Names::known(), Vec::new(), 0);
    for Evening { name, text } in evenings() {
        for query in Runbook::fenced(&text, "promql") {
            queries += 1;
            wrong.extend(names.check(query).err().map(|error| format!("{name}: {error}")));
        }
        let lines = Runbook::fenced(&text, "sh").into_iter().map(|line| line.trim().trim_start_matches("./"));
        let failed = lines.filter_map(plan).filter_map(|plan| set(&plan).err());
        wrong.extend(failed.map(|error| format!("{name}: {error}")));
    }
    assert!(queries > 40, "too few queries found: {queries}");
    nothing_is(&wrong);
}

#[test]
fn every_classic_exercise_and_every_interview_question_has_its_place() {
    let evenings = evenings();
    let contents = contents();
    let places = |word: &str, number: usize| {
        let heading = format!("\n## {word} {number}: ");
        evenings.iter().filter(|page| page.text.contains(&heading)).count()
    };
    for (word, most) in [("Exercise", EXERCISES), ("Question", QUESTIONS)] {
        for number in 1..=most {
            assert_eq!(places(word, number), 1, "{word} {number}");
            assert!(contents.contains(&format!("#{}-{number}-", word.to_lowercase())), "{word} {number}");
        }
    }
}
