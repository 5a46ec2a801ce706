//! Reads `drills/<name>.yaml`. A file is either refused, with every problem and its place, or it is a drill that can be
//! run, solved and scored. Nothing is guessed and nothing is ignored.

mod act;
mod fresh;
mod load;
mod proof;
pub(crate) mod raw;
mod response;
mod story;
mod values;
mod variant;

use std::{collections::BTreeSet, time::Duration};

use serde_saphyr::Spanned;
use yaml::{Problems, Reader, all};

use crate::{
    Drill,
    model::{Brief, Check},
    shape::Time,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// A plan of a fault lasts at most an hour: the longest drill leaves room for its end.
const LONGEST: Duration = Duration::from_secs(50 * 60);

/// Reads a file; `file` is its name in messages, and has to be the drill's.
///
/// # Errors
/// All problems, each with file, line and field.
pub fn read(file: &str, text: &str) -> Result<Drill, Problems> {
    let document = yaml::parse::<raw::Document>(file, text)?;
    let mut reader = Reader::of(file);
    let drill = drill(&mut reader, &document);
    reader.finish(drill)
}

/// Values of drills.
trait Values {
    /// A name.
    fn name(&mut self, at: &raw::Text, field: &str) -> Option<String>;

    /// A name that no entry before it has.
    fn unique(&mut self, at: &raw::Text, field: &str, before: &mut BTreeSet<String>) -> Option<String>;

    /// A name that is in a list; `list` is what the message calls it, in backticks if it is a field.
    fn known(&mut self, at: &raw::Text, field: &str, list: &str, known: &[String]) -> Option<String>;

    /// One line of at most 200 characters.
    fn line(&mut self, at: &raw::Text, field: &str) -> Option<String>;

    /// A text that is not empty.
    fn text(&mut self, at: &raw::Text, field: &str) -> Option<String>;

    /// A duration within bounds.
    fn time(&mut self, at: &Spanned<Time>, field: &str, least: Duration, most: Duration) -> Option<Duration>;

    /// The same, with a default.
    fn time_or(&mut self, at: Option<&Spanned<Time>>, field: &str, default: Duration) -> Option<Duration>;

    /// Names, each once.
    fn names(&mut self, list: Option<&Vec<raw::Text>>, field: &str) -> Option<Vec<String>>;

    /// Alerts or other words that only the world knows, each once.
    fn words(&mut self, list: Option<&Vec<raw::Text>>, field: &str) -> Option<Vec<String>>;

    /// A query and its name.
    fn check(&mut self, raw: &raw::Check, field: &str) -> Option<Check>;

    /// The same for each of a list.
    fn checks(&mut self, list: Option<&Vec<Spanned<raw::Check>>>, field: &str) -> Option<Vec<Check>>;
}

impl Values for Reader<'_> {
    fn name(&mut self, at: &raw::Text, field: &str) -> Option<String> {
        self.take(at, field, values::name(&at.value))
    }

    fn unique(&mut self, at: &raw::Text, field: &str, before: &mut BTreeSet<String>) -> Option<String> {
        let name = self.name(at, field)?;
        if before.insert(name.clone()) {
            return Some(name);
        }
        self.wrong(at, field, format!("`{name}` is already taken: expected a different name"));
        None
    }

    fn known(&mut self, at: &raw::Text, field: &str, list: &str, known: &[String]) -> Option<String> {
        if known.contains(&at.value) {
            return Some(at.value.clone());
        }
        let expected = if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("expected one of {}", known.join(", "))
        };
        self.wrong(at, field, format!("`{}` is not in {list}: {expected}", at.value));
        None
    }

    fn line(&mut self, at: &raw::Text, field: &str) -> Option<String> {
        self.take(at, field, values::line(&at.value, 200))
    }

    fn text(&mut self, at: &raw::Text, field: &str) -> Option<String> {
        self.take(at, field, values::text(&at.value))
    }

    fn time(&mut self, at: &Spanned<Time>, field: &str, least: Duration, most: Duration) -> Option<Duration> {
        self.take(at, field, values::duration(&at.value.0, least, most))
    }

    fn time_or(&mut self, at: Option<&Spanned<Time>>, field: &str, default: Duration) -> Option<Duration> {
        match at {
            None => Some(default),
            Some(at) => self.time(at, field, SECOND, LONGEST),
        }
    }

    fn names(&mut self, list: Option<&Vec<raw::Text>>, field: &str) -> Option<Vec<String>> {
        let mut before = BTreeSet::new();
        let list = list.into_iter().flatten().enumerate();
        let names = list.map(|(index, text)| self.unique(text, &format!("{field}[{index}]"), &mut before));
        all(names)
    }

    fn words(&mut self, list: Option<&Vec<raw::Text>>, field: &str) -> Option<Vec<String>> {
        let mut words: Vec<String> = Vec::new();
        for (index, text) in list.into_iter().flatten().enumerate() {
            let field = format!("{field}[{index}]");
            let word = self.take(text, &field, values::line(&text.value, 100))?;
            if words.contains(&word) {
                self.wrong(text, &field, format!("`{word}` is listed twice: expected it once"));
            }
            words.push(word);
        }
        Some(words)
    }

    fn check(&mut self, raw: &raw::Check, field: &str) -> Option<Check> {
        let name = self.line(&raw.name, &format!("{field}.name"));
        let query = self.text(&raw.query, &format!("{field}.query"));
        Some(Check { name: name?, query: query? })
    }

    fn checks(&mut self, list: Option<&Vec<Spanned<raw::Check>>>, field: &str) -> Option<Vec<Check>> {
        let list = list.into_iter().flatten().enumerate();
        all(list.map(|(index, raw)| self.check(&raw.value, &format!("{field}[{index}]"))))
    }
}

/// What a responder is told about a drill: the parts that have no truth in them.
fn brief(reader: &mut Reader, document: &raw::Document) -> Option<Brief> {
    let id = reader.name(&document.id, "id");
    let stem = reader.file().rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    if let (Some(id), Some(stem)) = (&id, stem)
        && id != stem
    {
        let message = format!("expected `{stem}`, as the file is named, found `{id}`");
        reader.wrong(&document.id, "id", message);
    }
    let title = reader.take(&document.title, "title", values::line(&document.title.value, 80));
    let difficulty = reader.take(&document.difficulty, "difficulty", document.difficulty.value.read());
    let time_box = reader.time(&document.time_box, "time_box", MINUTE, LONGEST);
    let prerequisites = reader.names(document.prerequisites.as_ref(), "prerequisites");
    let briefing = reader.text(&document.briefing, "briefing");
    Some(Brief {
        id: id?,
        title: title?,
        difficulty: difficulty?,
        time_box_seconds: time_box?.as_secs(),
        prerequisites: prerequisites?,
        briefing: briefing?,
        hints: Vec::new(),
        mechanisms: Vec::new(),
        asks_change: false,
        asks_onset: false,
        evidence: 0,
    })
}

fn drill(reader: &mut Reader, document: &raw::Document) -> Option<Drill> {
    let brief = brief(reader, document);
    let story = story::story(reader, document);
    let proof = proof::proof(reader, document);
    let response = response::response(reader, document);
    let (measures, variants) = (variant::measures(reader, document), variant::variants(reader, document));
    let debrief = reader.text(&document.debrief, "debrief");
    let (brief, mut story, proof, response) = (brief?, story?, proof?, response?);
    for surge in &mut story.load.surges {
        let ends = |name| response.mitigations.accepted.iter().any(|accepted| accepted.ends.contains(name));
        surge.lasting = surge.name.as_ref().is_some_and(ends);
    }
    let drill = Drill {
        id: brief.id,
        title: brief.title,
        difficulty: brief.difficulty,
        time_box: Duration::from_secs(brief.time_box_seconds),
        prerequisites: brief.prerequisites,
        tags: story.tags,
        needs: story.needs,
        replicas: story.replicas,
        seed: document.seed.value,
        briefing: brief.briefing,
        runbooks: response.runbooks,
        load: story.load,
        noise: story.noise,
        changes: story.changes,
        weakened: story.weakened,
        faults: story.faults,
        baseline: story.baseline,
        observe: proof.observe,
        signals: proof.signals,
        pages: proof.pages,
        path: proof.path,
        questions: response.questions,
        mitigations: response.mitigations,
        oracle: proof.oracle,
        abort: proof.abort,
        hints: response.hints,
        weights: response.weights,
        validity: response.validity,
        solve: response.solve,
        measures: measures?,
        variants: variants?,
        debrief: debrief?,
    };
    response::together(reader, document, &drill);
    variant::together(reader, document, &drill);
    Some(drill)
}
