//! The file of a state, as a release writes it.

use std::fmt::{self, Write as _};

use super::{Desired, Limit, model::Drift};

impl Desired {
    /// The text of `desired.yaml`; the files of rules are files of their own.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut text = String::new();
        // Cannot fail: a String takes everything.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "services:")?;
        for (name, service) in &self.services {
            writeln!(text, "  \"{name}\":\n    version: \"{}\"", service.version)?;
            if let Some(canary) = &service.canary {
                writeln!(text, "    canary: {{version: \"{}\", weight: {}}}", canary.version, canary.weight)?;
            }
            if !service.flags.is_empty() {
                writeln!(text, "    flags:")?;
            }
            for (flag, on) in &service.flags {
                writeln!(text, "      \"{flag}\": {on}")?;
            }
        }
        if let Some(Limit { rps, burst }) = self.limit {
            writeln!(text, "limit: {{rps: {rps}, burst: {burst}}}")?;
        }
        if let Some(on) = self.firewall {
            writeln!(text, "firewall: {on}")?;
        }
        if !self.modes.is_empty() {
            writeln!(text, "modes:")?;
        }
        for (rule, mode) in &self.modes {
            writeln!(text, "  \"{rule}\": \"{mode}\"")?;
        }
        if self.drift != Drift::default() {
            writeln!(text, "drift: {}", self.drift)?;
        }
        Ok(())
    }
}
