//! Whether what is declared fits with the file and with what else is declared.

use std::path::Path;

use rota::Problem;

use super::{Declared, Part};
use crate::{
    duty::{Duty, Held, file},
    error::{Error, Result},
};

impl Duty {
    /// What was declared of this name, and everything that is declared once this one is, this one last: whatever
    /// collides is found at it.
    pub(super) fn with(&self, one: &Declared) -> Result<(Option<Declared>, Vec<Declared>)> {
        let Some(path) = self.0.file.as_deref() else {
            return Err(Error::NotHere {
                what: "there is no oncall.yaml, so there is nobody who could be on call".to_owned(),
                next: "write one and name it with ONCALL_FILE".to_owned(),
            });
        };
        let held = self.0.held.read();
        if held.is_of_file(one.part, &one.name) {
            return Err(owned(one.part, &one.name));
        }
        let mut after = held.others(one.part, &one.name);
        after.push(one.clone());
        held.check(path, &after, Some(one))?;
        Ok((held.declared(one.part, &one.name).cloned(), after))
    }

    /// Everything that is declared once this one is not.
    pub(super) fn without(&self, part: Part, name: &str) -> Result<Vec<Declared>> {
        let held = self.0.held.read();
        if held.declared(part, name).is_none() {
            let of_file = held.is_of_file(part, name);
            return Err(if of_file { owned(part, name) } else { part.unknown(&held.base, name) });
        }
        let after = held.others(part, name);
        if let Some(path) = self.0.file.as_deref() {
            held.check(path, &after, None)?;
        }
        Ok(after)
    }
}

impl Held {
    pub(super) fn declared(&self, part: Part, name: &str) -> Option<&Declared> {
        self.declared.iter().find(|one| one.is(part, name))
    }

    fn others(&self, part: Part, name: &str) -> Vec<Declared> {
        self.declared.iter().filter(|one| !one.is(part, name)).cloned().collect()
    }

    /// Whether the file that is in force has the name, or the newest one, which may be waiting for it to be free.
    fn is_of_file(&self, part: Part, name: &str) -> bool {
        let texts = [Some(&self.good), self.seen.as_ref().ok()];
        texts.into_iter().flatten().any(|text| part.entry(text, name).is_some())
    }

    /// Refuses what would make the whole invalid. Where it is that already, because the file has changed, only mistakes
    /// in what changes now count.
    fn check(&self, path: &Path, after: &[Declared], changed: Option<&Declared>) -> Result<()> {
        let Err(problems) = file::parse(path, &self.good, after) else { return Ok(()) };
        if let Some(changed) = changed {
            let place = changed.place();
            let own = problems.0.iter().filter(|problem| problem.file == place);
            let wrong = |problem: &Problem| (changed.part.field(&problem.field), problem.message.clone());
            let own: Vec<(String, String)> = own.map(wrong).collect();
            if !own.is_empty() {
                return Err(Error::Fields(own));
            }
        }
        if file::parse(path, &self.good, &self.declared).is_err() {
            return Ok(());
        }
        let what = file::sentences(path, &problems).join("; ");
        Err(Error::NotHere { what, next: "change that first".to_owned() })
    }
}

fn owned(part: Part, name: &str) -> Error {
    Error::NotHere {
        what: format!("oncall.yaml has the {part} `{name}`, and owns it"),
        next: "change the file, or take another name".to_owned(),
    }
}
