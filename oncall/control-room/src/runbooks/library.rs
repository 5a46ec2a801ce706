//! The files: runbooks and guardrails, read when they are asked for, so that an edit is seen at once. What
//! has not changed is not read again.
//!
//! Guardrails that cannot be used do not count: the last good ones stay in force. Rules that deny, from beside the file,
//! count whatever the file says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use parking_lot::Mutex;
use runbook::{
    Guardrails, Problems, Runbook,
    guardrails::{Breaker, Limit},
    run::Refused,
};

use super::denials::Denial;
use crate::{
    content::Content,
    error::{Error, Result},
};

const GUARDRAILS: &str = "guardrails.yaml";

/// The files.
pub(super) struct Library {
    content: Content,
    known: Mutex<BTreeMap<String, Known>>,
    rails: Mutex<Rails>,
}

/// A file as it was last seen.
struct Known {
    text: String,
    read: std::result::Result<Arc<Runbook>, Problems>,
}

/// The guardrails that are in force, and what they are made from.
struct Rails {
    /// The text that was last seen, good or not.
    seen: String,
    /// The last good one.
    good: Guardrails,
    /// What is denied beside it.
    denials: Vec<Denial>,
    /// Both.
    whole: Arc<Guardrails>,
}

impl Rails {
    fn join(&mut self) {
        let mut whole = self.good.clone();
        for denial in &self.denials {
            match denial.rule() {
                Ok(rule) => whole.rules.push(rule),
                // It was checked when it came; a newer version may know fewer verbs.
                Err(problems) => tracing::error!(rule = denial.name, %problems, "a guardrail does not hold"),
            }
        }
        self.whole = Arc::new(whole);
    }
}

/// A runbook with its file, as a run keeps it.
pub(super) struct Source {
    /// The name of the file, in messages.
    pub(super) file: String,
    /// Its text.
    pub(super) text: String,
    /// What it says.
    pub(super) runbook: Arc<Runbook>,
}

impl Library {
    /// # Errors
    /// When the guardrails are wrong: with file, line and field.
    pub(super) fn open(content: &Content) -> anyhow::Result<Self> {
        let seen = content.guardrails();
        let good = match &seen {
            Some(text) => runbook::read_guardrails(GUARDRAILS, text)
                .map_err(|problems| anyhow::anyhow!("{problems}"))
                .context("automation has no guardrails")?,
            None => strictest(),
        };
        let (seen, whole) = (seen.unwrap_or_default(), Arc::new(good.clone()));
        let rails = Mutex::new(Rails { seen, good, denials: Vec::new(), whole });
        Ok(Self { content: content.clone(), known: Mutex::default(), rails })
    }

    /// The guardrails that are in force.
    pub(super) fn rails(&self) -> Arc<Guardrails> {
        let text = self.content.guardrails();
        let mut rails = self.rails.lock();
        if let Some(text) = text.filter(|text| *text != rails.seen) {
            match runbook::read_guardrails(GUARDRAILS, &text) {
                Ok(good) => {
                    rails.good = good;
                    rails.join();
                }
                Err(problems) => tracing::error!(%problems, "the guardrails before stay in force"),
            }
            rails.seen = text;
        }
        Arc::clone(&rails.whole)
    }

    /// What is denied beside the file, by name.
    pub(super) fn denials(&self) -> Vec<Denial> {
        self.rails.lock().denials.clone()
    }

    /// Denies this beside the file, and nothing else.
    pub(super) fn set_denials(&self, denials: Vec<Denial>) {
        let mut rails = self.rails.lock();
        rails.denials = denials;
        rails.join();
    }

    /// Whether the file has a rule of this name.
    pub(super) fn file_has(&self, name: &str) -> bool {
        // Reads the newest one.
        drop(self.rails());
        self.rails.lock().good.rules.iter().any(|rule| rule.name == name)
    }

    /// All runbooks that can be used, by name.
    pub(super) fn all(&self) -> Vec<Arc<Runbook>> {
        let texts = self.content.runnable();
        let sources = texts.into_iter().filter_map(|(name, text)| self.read(&name, text).ok());
        sources.map(|source| source.runbook).collect()
    }

    /// A runbook.
    pub(super) fn get(&self, name: &str) -> Result<Source> {
        match self.content.runnable_of(name) {
            Some(text) => self.read(name, text),
            None => {
                let known: Vec<String> = self.content.runnable().into_iter().map(|(name, _)| name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Error::NoSuch { what: "runbook that runs", name: name.to_owned(), known })
            }
        }
    }

    fn read(&self, name: &str, text: String) -> Result<Source> {
        let file = format!("runbooks/{name}.yaml");
        let mut known = self.known.lock();
        let same = known.get(name).filter(|known| known.text == text).map(|known| known.read.clone());
        let read = same.unwrap_or_else(|| {
            let read = runbook::read_runbook(&file, &text).map(Arc::new);
            if let Err(problems) = &read {
                tracing::warn!(runbook = name, %problems, "a runbook cannot be used");
            }
            known.insert(name.to_owned(), Known { text: text.clone(), read: read.clone() });
            read
        });
        let runbook = read.map_err(|problems| Error::Runbook(Refused::File(problems)))?;
        Ok(Source { file, text, runbook })
    }
}

/// Without a file nothing is covered, so automation only recommends.
fn strictest() -> Guardrails {
    let hour = Duration::from_secs(3600);
    Guardrails {
        rules: Vec::new(),
        per_target: Limit { most: 1, within: hour },
        global: Limit { most: 1, within: hour },
        minimum_healthy: BTreeMap::new(),
        breaker: Breaker { failed_verifies: 1, within: hour },
        quiet_hours: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNBOOK: &str = "title: Look\nservices: [order-api]\nsteps:\n  - name: look\n    what: Look.\n    \
                           check: {promql: up, is: \"== 1\"}\n";

    fn checkout() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in ["dashboards/grafana", "dashboards/slos", "docs/playbooks", "drills", "runbooks"] {
            std::fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        folder
    }

    #[test]
    fn an_edit_is_seen_and_guardrails_that_are_wrong_change_nothing() {
        let folder = checkout();
        let rails = folder.path().join(GUARDRAILS);
        let file = folder.path().join("runbooks/Look.yaml");
        std::fs::write(&file, RUNBOOK).unwrap();
        let content = Content::open(Some(folder.path())).unwrap();
        let library = Library::open(&content).unwrap();
        assert!(library.rails().rules.is_empty(), "without a file nothing is covered");
        let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guardrails.yaml");
        std::fs::copy(committed, &rails).unwrap();
        let count = library.rails().rules.len();
        assert!(count > 5);
        std::fs::write(&rails, "rules: {}").unwrap();
        assert_eq!(library.rails().rules.len(), count);
        assert!(Library::open(&content).err().unwrap().to_string().contains("no guardrails"));

        assert_eq!(library.get("Look").unwrap().runbook.title, "Look");
        std::fs::write(&file, RUNBOOK.replace("Look.", "")).unwrap();
        let refused = library.get("Look").err().unwrap().to_string();
        assert!(refused.contains("runbooks/Look.yaml") && library.all().is_empty(), "{refused}");
        let unknown = library.get("Nothing").err().unwrap().to_string();
        assert!(unknown.contains("there are: Look"), "{unknown}");
    }
}
