//! The files: runbooks and guardrails, read when they are asked for, so that an edit is seen at once. What
//! has not changed is not read again.
//!
//! Guardrails that cannot be used do not count: the last good ones stay in force.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use parking_lot::Mutex;
use runbook::{
    Guardrails, Problems, Runbook,
    guardrails::{Breaker, Limit},
    run::Refused,
};

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

/// The guardrails that are in force, and the text that was last seen, good or not.
struct Rails {
    seen: String,
    good: Arc<Guardrails>,
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
        let rails = Mutex::new(Rails { seen: seen.unwrap_or_default(), good: Arc::new(good) });
        Ok(Self { content: content.clone(), known: Mutex::default(), rails })
    }

    /// The guardrails that are in force.
    pub(super) fn rails(&self) -> Arc<Guardrails> {
        let text = self.content.guardrails();
        let mut rails = self.rails.lock();
        if let Some(text) = text.filter(|text| *text != rails.seen) {
            match runbook::read_guardrails(GUARDRAILS, &text) {
                Ok(good) => rails.good = Arc::new(good),
                Err(problems) => tracing::error!(%problems, "the guardrails before stay in force"),
            }
            rails.seen = text;
        }
        Arc::clone(&rails.good)
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
