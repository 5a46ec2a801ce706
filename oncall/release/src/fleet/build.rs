//! A version: its name, and how its program is started. No version may move the addresses that the lab has given to an instance.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Longest name of a version.
const LONGEST: usize = 63;
/// Variables that the lab sets for each instance.
const OURS: [&str; 4] = ["PUBLIC_ADDR", "ADMIN_ADDR", "DATA_DIR", "SRE_LAB_DIR"];

/// How a version differs from what `lab up` started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Absolute path of another binary; none: the same one.
    #[serde(default)]
    pub binary: Option<String>,
    /// Flags of its command line, without the two dashes.
    #[serde(default)]
    pub flags: BTreeMap<String, String>,
    /// Variables on top of those that it has.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// A version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its name, such as `v2`.
    pub name: String,
    /// How it is started.
    pub build: Build,
}

/// Whether a version may have this name: 1 to 63 letters, digits, dots, dashes and underscores, the first one a letter or a digit.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let word = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let begins = name.chars().next().is_some_and(|first| first.is_ascii_alphanumeric());
    begins && name.len() <= LONGEST && name.chars().all(word) && name != "none"
}

impl Version {
    /// What `lab up` started.
    #[must_use]
    pub fn built(name: &str) -> Self {
        Self { name: name.to_owned(), build: Build::default() }
    }
}

impl Build {
    /// Whether it can be started.
    ///
    /// # Errors
    /// A sentence that names what is wrong and what would be right.
    pub fn check(&self) -> Result<(), String> {
        if self.binary.is_none() && self.flags.is_empty() && self.env.is_empty() {
            return Err(
                "it differs in nothing from what runs: name a --binary, a --flag or an --env".to_owned()
            );
        }
        if let Some(path) = self.binary.as_ref().filter(|path| !path.starts_with('/')) {
            return Err(format!("expected the absolute path of a binary, found `{path}`"));
        }
        for name in self.env.keys() {
            let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
            if !begins || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
                return Err(format!("expected the name of a variable such as ORDER_TIMEOUT, found `{name}`"));
            }
            if OURS.contains(&name.as_str()) {
                return Err(format!(
                    "{name} is set by the lab for each instance, and cannot be part of a version"
                ));
            }
        }
        for flag in self.flags.keys() {
            let begins = flag.starts_with(|first: char| first.is_ascii_lowercase());
            let sound =
                |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            if !begins || !flag.chars().all(sound) {
                return Err(format!("expected a flag such as user-service-timeout, found `{flag}`"));
            }
            let variable = flag.to_ascii_uppercase().replace('-', "_");
            if OURS.contains(&variable.as_str()) {
                return Err(format!(
                    "--{flag} is set by the lab for each instance, and cannot be part of a version"
                ));
            }
        }
        match self.flags.iter().chain(&self.env).find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => Err(format!("the value of {name} has a zero byte")),
            None => Ok(()),
        }
    }
}

/// What differs, in a line; values are left out, because they may be secrets.
impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = self.binary.iter().map(|path| format!("binary {path}"));
        let flags = self.flags.keys().map(|flag| format!("--{flag}"));
        let env = self.env.keys().cloned();
        let all: Vec<String> = binary.chain(flags).chain(env).collect();
        if all.is_empty() { f.write_str("as `lab up` started it") } else { f.write_str(&all.join(", ")) }
    }
}
