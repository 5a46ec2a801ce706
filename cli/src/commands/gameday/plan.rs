//! The plan of a game day: which drills, when, and who has which role.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_saphyr::Spanned;
use yaml::{Problems, Reader, all};

use crate::commands::written::{Text, Values as _};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// Roles of an incident.
const ROLES: [&str; 4] = ["commander", "operations", "communications", "scribe"];
/// How hard a mystery may be; `any` for what the control room suggests.
const DIFFICULTIES: [&str; 6] = ["any", "first-day", "easy", "medium", "hard", "brutal"];

/// A game day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) title: String,
    /// After this, no further drill begins.
    pub(super) length: Duration,
    /// Between two drills.
    pub(super) rest: Duration,
    /// Person by role. The commander responds to every drill that names nobody else.
    pub(super) roles: BTreeMap<String, String>,
    pub(super) slots: Vec<Slot>,
}

/// One drill of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// Absent for a mystery.
    pub(super) drill: Option<String>,
    /// How hard a mystery may be.
    pub(super) difficulty: Option<String>,
    /// After the start of the day; absent: after the one before.
    pub(super) at: Option<Duration>,
    /// Who responds.
    pub(super) responder: Option<String>,
    /// For the instructor.
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    title: Text,
    length: Option<Text>,
    rest: Option<Text>,
    #[serde(default)]
    roles: BTreeMap<String, Text>,
    drills: Spanned<Vec<Spanned<Entry>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    drill: Option<Text>,
    mystery: Option<Text>,
    at: Option<Text>,
    responder: Option<Text>,
    note: Option<Text>,
}

/// Reads a plan. `known` are the names of all drills.
///
/// # Errors
/// All problems, each with file, line and field.
pub(super) fn read(file: &str, text: &str, known: &[&str]) -> Result<Plan, Problems> {
    let document = yaml::parse::<Document>(file, text)?;
    let mut reader = Reader::of(file);
    let plan = plan(&mut reader, &document, known);
    reader.finish(plan)
}

fn plan(reader: &mut Reader<'_>, document: &Document, known: &[&str]) -> Option<Plan> {
    let title = reader.line(&document.title, "title");
    let length = reader.time_or(document.length.as_ref(), "length", (MINUTE, 60 * MINUTE, DAY));
    let rest = reader.time_or(document.rest.as_ref(), "rest", (Duration::ZERO, MINUTE, 60 * MINUTE));
    let mut roles = BTreeMap::new();
    for (role, person) in &document.roles {
        let field = format!("roles.{role}");
        if !ROLES.contains(&role.as_str()) {
            reader.wrong(person, &field, format!("expected one of {}", ROLES.join(", ")));
        }
        roles.extend(reader.line(person, &field).map(|person| (role.clone(), person)));
    }
    let list = &document.drills.value;
    if list.is_empty() {
        reader.wrong(&document.drills, "drills", "empty: expected at least one drill");
    }
    let entries = list.iter().enumerate();
    let slots = all(entries.map(|(index, entry)| slot(reader, entry, &format!("drills[{index}]"), known)))?;
    let times: Vec<Duration> = slots.iter().filter_map(|slot| slot.at).collect();
    if !times.is_sorted() {
        reader.wrong(&document.drills, "drills", "expected them in the order of `at`");
    }
    Some(Plan { title: title?, length: length?, rest: rest?, roles, slots })
}

fn slot(reader: &mut Reader<'_>, entry: &Spanned<Entry>, field: &str, known: &[&str]) -> Option<Slot> {
    let Entry { drill, mystery, at, responder, note } = &entry.value;
    if drill.is_some() == mystery.is_some() {
        reader.wrong(entry, field, "expected either `drill` or `mystery`");
        return None;
    }
    let drill = match drill {
        None => Some(None),
        Some(drill) => reader.word(drill, &format!("{field}.drill"), known).map(Some),
    };
    let difficulty = match mystery {
        None => Some(None),
        Some(word) => reader.word(word, &format!("{field}.mystery"), &DIFFICULTIES).map(Some),
    };
    let at = match at {
        None => Some(None),
        Some(at) => reader.time(at, &format!("{field}.at"), Duration::ZERO, DAY).map(Some),
    };
    let responder = match responder {
        None => Some(None),
        Some(person) => reader.line(person, &format!("{field}.responder")).map(Some),
    };
    let note = match note {
        None => Some(None),
        Some(note) => reader.line(note, &format!("{field}.note")).map(Some),
    };
    Some(Slot {
        drill: drill?,
        difficulty: difficulty?.filter(|word| word != "any"),
        at: at?,
        responder: responder?,
        note: note?,
    })
}

impl Plan {
    /// Who responds to a drill, if the plan says so.
    pub(super) fn responder(&self, slot: &Slot) -> Option<String> {
        slot.responder.clone().or_else(|| self.roles.get("commander").cloned())
    }
}

impl Slot {
    /// What it is called before anybody may know more.
    pub(super) fn name(&self) -> String {
        match (&self.drill, &self.difficulty) {
            (Some(drill), _) => drill.clone(),
            (None, Some(difficulty)) => format!("a mystery ({difficulty})"),
            (None, None) => "a mystery".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["first-page", "noon"];
    const EXAMPLE: &str = "title: Friday\nlength: 1h\nroles: {commander: ada, scribe: dan}\ndrills:\n  \
                           - {drill: first-page, at: 0s}\n  - {mystery: easy, at: 20m, responder: ben}\n";

    #[test]
    fn a_plan_has_its_drills_in_order_and_who_responds() {
        let plan = read("day.yaml", EXAMPLE, &KNOWN).unwrap();
        assert_eq!((plan.length, plan.rest), (60 * MINUTE, MINUTE));
        let who: Vec<_> = plan.slots.iter().map(|slot| (slot.name(), plan.responder(slot))).collect();
        let person = |name: &str| Some(name.to_owned());
        assert_eq!(
            who,
            [("first-page".to_owned(), person("ada")), ("a mystery (easy)".to_owned(), person("ben"))]
        );
    }

    #[test]
    fn every_plan_of_the_checkout_can_be_read() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let drills = crate::commands::drill::files::all(&root).unwrap();
        let known: Vec<&str> = drills.keys().map(String::as_str).collect();
        let mut count = 0;
        for entry in std::fs::read_dir(root.join("drills/gamedays")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let plan = read(&path.to_string_lossy(), &text, &known);
            assert!(plan.is_ok(), "{}", plan.unwrap_err());
            count += 1;
        }
        assert!(count >= 1);
    }

    #[test]
    fn a_mistake_has_its_file_line_and_field() {
        for (from, to, said) in [
            (
                "drill: first-page",
                "drill: last-page",
                "day.yaml:5: drills[0].drill: expected one of first-page, noon",
            ),
            (
                "mystery: easy",
                "mystery: mean",
                "day.yaml:6: drills[1].mystery: expected one of any, first-day",
            ),
            ("at: 20m", "at: soon", "day.yaml:6: drills[1].at: expected 0s to 1day"),
            ("scribe: dan", "cook: dan", "day.yaml:3: roles.cook: expected one of commander"),
            (
                "at: 20m",
                "at: 0s, responder: eve}\n  - {drill: noon, at: 5m}\n  - {drill: noon, at: 1m",
                ": drills: expected them in the order",
            ),
            ("length: 1h", "lenght: 1h", "day.yaml:2: "),
        ] {
            let text = EXAMPLE.replace(from, to);
            let problems = read("day.yaml", &text, &KNOWN).unwrap_err().to_string();
            assert!(problems.contains(said), "{to}: {problems}");
        }
    }
}
