//! What the validity suite says of one drill, and the table of many.

use drill::names::Expected;
use serde::{Deserialize, Serialize};

use super::{
    leaks::{Found, Leaks},
    replay::{Fate, Mutant},
};
use crate::{
    commands::drill::{
        verify::proof::{Proof, Seen},
        view::View,
    },
    terminal::out,
};

/// The answer to one question about a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", content = "said", rename_all = "kebab-case")]
pub(super) enum Answer {
    /// As it should be, in a word.
    Right(String),
    /// Not as it should be, with the reason.
    Wrong(String),
    /// Not asked, or no question for this drill.
    Open(String),
}

/// What is known of one drill.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Sheet {
    pub(super) drill: String,
    /// Pages of the solution, measured and stated.
    pub(super) pages: Vec<Seen>,
    pub(super) solution: Answer,
    pub(super) nothing: Answer,
    pub(super) restart_all: Answer,
    pub(super) mutations: Answer,
    pub(super) mutants: Vec<Mutant>,
    pub(super) seeds: Answer,
    pub(super) leaks: Answer,
    pub(super) found: Vec<Found>,
    /// What a person should know about how it was measured.
    pub(super) notes: Vec<String>,
    /// From the first start until the system was clean for the last time.
    pub(super) seconds: f64,
}

impl Answer {
    /// Not asked.
    pub(super) fn not_asked() -> Self {
        Self::Open("-".to_owned())
    }

    pub(super) fn word(&self) -> &str {
        match self {
            Self::Right(word) | Self::Open(word) => word,
            Self::Wrong(_) => "WRONG",
        }
    }
}

impl Sheet {
    /// Of a drill about which nothing is known.
    pub(super) fn of(drill: &str) -> Self {
        let open = Answer::not_asked;
        Self {
            drill: drill.to_owned(),
            pages: Vec::new(),
            solution: open(),
            nothing: open(),
            restart_all: open(),
            mutations: open(),
            mutants: Vec::new(),
            seeds: open(),
            leaks: open(),
            found: Vec::new(),
            notes: Vec::new(),
            seconds: 0.0,
        }
    }

    /// All answers, by the name of their question.
    pub(super) fn answers(&self) -> [(&'static str, &Answer); 6] {
        [
            ("solution", &self.solution),
            ("nothing", &self.nothing),
            ("restart-all", &self.restart_all),
            ("mutations", &self.mutations),
            ("seeds", &self.seeds),
            ("leaks", &self.leaks),
        ]
    }

    /// Whether every question that was asked has the right answer.
    pub(super) fn is_right(&self) -> bool {
        self.answers().iter().all(|(_, answer)| !matches!(answer, Answer::Wrong(_)))
    }

    /// Takes what became of the mutations.
    pub(super) fn judge(&mut self, mutants: Vec<Mutant>) {
        let survivors = mutants.iter().filter(|mutant| mutant.fate == Fate::Survived);
        let survivors: Vec<&str> = survivors.map(|mutant| mutant.what.as_str()).collect();
        let tried = mutants.iter().filter(|mutant| mutant.fate != Fate::NotApplicable).count();
        self.mutations = if survivors.is_empty() {
            Answer::Right(format!("{tried} of {tried}"))
        } else {
            Answer::Wrong(format!("a proof would not notice: {}", survivors.join(", ")))
        };
        self.mutants = mutants;
    }

    /// Takes what gave the drill away. What does not answer any more may have said anything, and what answers everybody is
    /// not searched.
    pub(super) fn leaked(&mut self, leaks: Leaks) {
        let Leaks { found, read, notes, silent, closed } = leaks;
        self.notes.extend(notes);
        self.leaks = match found.first() {
            None if !silent.is_empty() => {
                Answer::Wrong(format!("does not answer any more: {}", silent.join(", ")))
            }
            None if !closed => Answer::Open("open".to_owned()),
            None => Answer::Right(format!("none in {} kB", read / 1000)),
            Some(first) => Answer::Wrong(format!(
                "{} places, the first: {}:{}:{}",
                found.len(),
                first.from,
                first.line,
                first.column
            )),
        };
        self.found = found;
    }

    /// Prints it: a line, and what is wrong below it.
    pub(super) fn print(&self, width: usize) {
        let words: Vec<String> =
            self.answers().iter().map(|(name, answer)| format!("{name} {}", answer.word())).collect();
        out!("{:width$}  {}  {:.0} s", self.drill, words.join(", "), self.seconds);
        for (name, answer) in self.answers() {
            if let Answer::Wrong(why) = answer {
                out!("  {name}: {why}");
            }
        }
        for found in &self.found {
            out!("  {}:{}:{}: `{}` in: {}", found.from, found.line, found.column, found.word, found.excerpt);
        }
        self.notes.iter().for_each(|note| out!("  note: {note}"));
    }

    fn row(&self) -> String {
        let pages = self.pages.iter().map(Seen::words).collect::<Vec<_>>().join(", ");
        let pages = if pages.is_empty() { "-".to_owned() } else { pages };
        let words: Vec<&str> = self.answers().iter().map(|(_, answer)| answer.word()).collect();
        format!("| {} | {pages} | {} | {:.0} s |\n", self.drill, words.join(" | "), self.seconds)
    }
}

/// The table of many, in Markdown.
pub(super) fn table(sheets: &[Sheet]) -> String {
    let mut page = String::from(
        "| drill | pages: measured of stated | solution | nothing | restart-all | mutations noticed \
         | same seed | leaks | took |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    page.extend(sheets.iter().map(Sheet::row));
    page
}

/// Whether the solution was proven.
pub(super) fn solved(proof: &Proof) -> Answer {
    if proof.passed() { Answer::Right("passes".to_owned()) } else { Answer::Wrong(proof.why()) }
}

/// Whether a run in which little is done ended as the drill states. A responder who does nothing must fail to recover,
/// and nowhere else: otherwise the run shows nothing about the response.
pub(super) fn stated(expected: Expected, proof: &Proof, run: Option<&View>) -> Answer {
    let recovers = |view: &View| view.failures.iter().any(|failure| failure.phase.starts_with("recover"));
    let failed = proof.verdict == "failed" && run.is_some_and(recovers);
    match (expected, proof.passed(), failed) {
        (Expected::Passes | Expected::Either, true, _) => Answer::Right("passes".to_owned()),
        (Expected::Fails | Expected::Either, _, true) => Answer::Right("fails".to_owned()),
        (Expected::Fails, true, _) => {
            Answer::Wrong("it passes, and the drill states that it fails".to_owned())
        }
        _ => Answer::Wrong(proof.why()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::commands::drill::view::Failure;

    fn proof(verdict: &str, phase: &str) -> (Proof, View) {
        let failure = Failure {
            phase: phase.to_owned(),
            condition: "orders are answered".to_owned(),
            ..Failure::default()
        };
        let failures = if phase.is_empty() { Vec::new() } else { vec![failure] };
        let proof = Proof {
            drill: "noon".to_owned(),
            verdict: verdict.to_owned(),
            run: Some(1),
            seed: 7,
            seconds: 60.0,
            pages: Vec::new(),
            sightings: Vec::new(),
            laps: Vec::new(),
            measures: BTreeMap::new(),
            failures: failures.clone(),
            refused: None,
            beside: None,
        };
        (proof, View { failures, ..View::default() })
    }

    #[test]
    fn to_do_nothing_is_right_only_if_it_fails_to_recover() {
        let of = |verdict: &str, phase: &str, expected| {
            let (proof, view) = proof(verdict, phase);
            stated(expected, &proof, Some(&view))
        };
        assert_eq!(of("failed", "recover", Expected::Fails), Answer::Right("fails".to_owned()));
        assert_eq!(of("passed", "", Expected::Passes), Answer::Right("passes".to_owned()));
        assert!(matches!(of("passed", "", Expected::Fails), Answer::Wrong(why) if why.contains("it passes")));
        assert!(
            matches!(of("failed", "observe", Expected::Fails), Answer::Wrong(why) if why.contains("orders"))
        );
        assert!(matches!(of("invalid", "baseline", Expected::Either), Answer::Wrong(_)));
        assert_eq!(of("failed", "recover", Expected::Either), Answer::Right("fails".to_owned()));
    }

    #[test]
    fn what_stopped_answering_or_answers_everybody_is_not_known_to_be_clean() {
        let mut sheet = Sheet::of("noon");
        let leaks = |silent: &[&str], closed| {
            let silent = silent.iter().map(|&from| from.to_owned()).collect();
            Leaks { found: Vec::new(), read: 2000, notes: Vec::new(), silent, closed }
        };
        sheet.leaked(leaks(&[], true));
        assert_eq!(sheet.leaks, Answer::Right("none in 2 kB".to_owned()));
        sheet.leaked(leaks(&[], false));
        assert_eq!((&sheet.leaks, sheet.is_right()), (&Answer::Open("open".to_owned()), true));
        sheet.leaked(leaks(&["http://127.0.0.1:9101/metrics"], false));
        let said = "does not answer any more: http://127.0.0.1:9101/metrics";
        assert_eq!((&sheet.leaks, sheet.is_right()), (&Answer::Wrong(said.to_owned()), false));
    }

    #[test]
    fn a_mutant_that_survives_makes_the_sheet_wrong() {
        let mut sheet = Sheet::of("noon");
        let mutant = |what: &str, fate| Mutant { what: what.to_owned(), fate };
        sheet.judge(vec![mutant("A deleted", Fate::Noticed), mutant("A raised", Fate::NotApplicable)]);
        assert!(sheet.is_right());
        assert_eq!(sheet.mutations, Answer::Right("1 of 1".to_owned()));
        sheet.judge(vec![mutant("A deleted", Fate::Survived)]);
        assert!(
            !sheet.is_right() && table(&[sheet]).contains("| noon | - | - | - | - | WRONG | - | - | 0 s |")
        );
    }
}
