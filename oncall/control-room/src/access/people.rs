//! Tokens that say who somebody is. Where there are any, a name is proven or nobody's: nobody acts under a name that they only
//! say.

use std::collections::{BTreeMap, BTreeSet};

use chassis_core::config::Invalid;
use secrecy::{ExposeSecret as _, SecretString};

use super::{SOMEBODY, legal, same};
use crate::config::named;

const VARIABLE: &str = "PERSON_TOKENS";

/// A token of each person, by name.
pub(super) struct People(BTreeMap<String, SecretString>);

impl People {
    /// Reads `NAME=TOKEN` entries.
    ///
    /// # Errors
    /// When one cannot be read, nobody can have its name, or two people have the same token.
    pub(super) fn new(entries: &[SecretString]) -> Result<Self, Invalid> {
        let people = named(VARIABLE, "NAME=TOKEN such as ada=0123456789abcdef", entries)?;
        if let Some(name) = people.keys().find(|name| !legal(name) || *name == SOMEBODY) {
            let expected = format!("`{name}` is not a name of oncall.yaml, such as ada");
            return Err(Invalid::new(VARIABLE, expected));
        }
        let different: BTreeSet<&str> = people.values().map(|token| token.expose_secret()).collect();
        if different.len() < people.len() {
            return Err(Invalid::new(VARIABLE, "two people have the same token: give each their own"));
        }
        Ok(Self(people))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is.
    pub(super) fn holder(&self, token: &str) -> Option<&str> {
        // All of them are compared: time does not tell whose is the right one.
        let is_of = |own: &SecretString| same(own, token);
        self.0.iter().fold(None, |found, (name, own)| if is_of(own) { Some(name.as_str()) } else { found })
    }

    /// Names and tokens in order, for the key that signs sessions.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(name, token)| [name.as_str(), token.expose_secret()])
    }
}
