//! Runbooks that run, and the guardrails of automation: files that are read, and not only shown.

use std::{fs, path::Path};

use super::{Content, listed};

/// Name without ending, text.
static COMPILED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// The guardrails that were compiled in.
const GUARDRAILS: &str = include_str!("../../../../guardrails.yaml");

const FOLDER: &str = "runbooks";
const ENDING: &str = "yaml";

impl Content {
    /// Names and texts of all runbooks that run, by name.
    #[must_use]
    pub fn runnable(&self) -> Vec<(String, String)> {
        let Some(root) = &self.checkout else {
            return COMPILED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        };
        let mut names = listed(&root.join(FOLDER), ENDING);
        names.sort();
        names.into_iter().filter_map(|name| Some((name.clone(), read(root, &name)?))).collect()
    }

    /// The text of one of them.
    #[must_use]
    pub fn runnable_of(&self, name: &str) -> Option<String> {
        match &self.checkout {
            None => COMPILED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()),
            Some(root) => {
                let known = listed(&root.join(FOLDER), ENDING).into_iter().find(|known| known == name)?;
                read(root, &known)
            }
        }
    }

    /// The text of `guardrails.yaml`; nothing if the checkout has none.
    #[must_use]
    pub fn guardrails(&self) -> Option<String> {
        match &self.checkout {
            None => Some(GUARDRAILS.to_owned()),
            Some(root) => fs::read_to_string(root.join("guardrails.yaml")).ok(),
        }
    }
}

fn read(root: &Path, name: &str) -> Option<String> {
    fs::read_to_string(root.join(FOLDER).join(format!("{name}.{ENDING}"))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compiled_in_is_what_the_checkout_has_and_a_name_is_never_a_path() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (compiled, checkout) = (Content::open(None).unwrap(), Content::open(Some(&root)).unwrap());
        assert_eq!(compiled.runnable(), checkout.runnable());
        assert_eq!(compiled.guardrails(), checkout.guardrails());
        assert!(compiled.runnable().iter().any(|(name, _)| name == "TargetDown"));
        for content in [compiled, checkout] {
            assert!(content.runnable_of("TargetDown").unwrap().contains("alert: TargetDown"));
            for name in ["../guardrails", "", ".", "TargetDown.yaml", "nothing"] {
                assert_eq!(content.runnable_of(name), None, "{name}");
            }
        }
    }
}
