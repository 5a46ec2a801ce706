//! Secrets by name: `NAME=SECRET,…`.

use std::collections::BTreeMap;

use chassis_core::config::Invalid;
use secrecy::{ExposeSecret as _, SecretString};

/// Reads the `NAME=SECRET` entries of a variable; `example` is one that is right.
///
/// # Errors
/// The number of the entry that is wrong; never part of its secret.
pub fn named(
    variable: &'static str,
    example: &str,
    entries: &[SecretString],
) -> Result<BTreeMap<String, SecretString>, Invalid> {
    let mut all = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        let pair = entry.expose_secret().split_once('=').map(|(name, key)| (name.trim(), key.trim()));
        let Some((name, key)) = pair.filter(|(name, key)| !name.is_empty() && !key.is_empty()) else {
            return Err(Invalid::new(variable, format!("entry {} is not {example}", index + 1)));
        };
        if all.insert(name.to_owned(), SecretString::from(key)).is_some() {
            let expected = format!("entry {}: the name `{name}` is there twice", index + 1);
            return Err(Invalid::new(variable, expected));
        }
    }
    Ok(all)
}
