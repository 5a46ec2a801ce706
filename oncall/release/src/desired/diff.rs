//! What differs between two states.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Setting, Settings};

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What.
    pub setting: Setting,
    /// Before; nothing if it was not decided.
    pub from: Option<String>,
    /// After; nothing if it is not decided.
    pub to: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |value: &Option<String>| match value {
            None => "nothing".to_owned(),
            Some(text) if text.contains('\n') => format!("a file of {} lines", text.lines().count()),
            Some(text) => text.clone(),
        };
        write!(f, "{}: {} -> {}", self.setting, short(&self.from), short(&self.to))
    }
}

/// Everything that differs, in the order of the settings.
#[must_use]
pub fn diff(before: &Settings, after: &Settings) -> Vec<Difference> {
    let all: BTreeSet<&Setting> = before.keys().chain(after.keys()).collect();
    let differ = all.into_iter().filter(|setting| before.get(setting) != after.get(setting));
    let difference = |setting: &Setting| Difference {
        setting: setting.clone(),
        from: before.get(setting).cloned(),
        to: after.get(setting).cloned(),
    };
    differ.map(difference).collect()
}
