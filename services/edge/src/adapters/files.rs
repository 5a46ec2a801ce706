//! The files of routes and rules: those that are named, or the ones that are built in.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The routes of the lab.
const ROUTES: (&str, &str) = ("routes.yaml", include_str!("../../routes.yaml"));

macro_rules! shipped {
    ($($name:literal,)+) => {
        /// The rules of the lab.
        const RULES: &[(&str, &str)] =
            &[$((concat!($name, ".yaml"), include_str!(concat!("../../../../waf/", $name, ".yaml")))),+];
    };
}

shipped![
    "command-injection",
    "cross-site-scripting",
    "header-injection",
    "metadata-access",
    "path-traversal",
    "private-files",
    "scanners",
    "sql-injection",
    "template-injection",
];

/// Largest file, in bytes: anything larger was not written by a person.
const LARGEST: u64 = 1 << 20;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Files {
    routes: Option<PathBuf>,
    rules: Option<PathBuf>,
}

/// What is in them, each with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The routes.
    pub routes: (String, String),
    /// The rules, in the order of their names.
    pub rules: Vec<(String, String)>,
}

impl Files {
    /// The file of the routes and the folder of the rules, each built in if it is not named.
    #[must_use]
    pub const fn new(routes: Option<PathBuf>, rules: Option<PathBuf>) -> Self {
        Self { routes, rules }
    }

    /// Whether there is anything that can change.
    #[must_use]
    pub const fn can_change(&self) -> bool {
        self.routes.is_some() || self.rules.is_some()
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// The first one that cannot be read, and why.
    pub fn read(&self) -> Result<Texts, String> {
        let routes = match &self.routes {
            Some(path) => text(path)?,
            None => owned(ROUTES),
        };
        let rules = match &self.rules {
            Some(folder) => yaml_files(folder)?.iter().map(|path| text(path)).collect::<Result<_, _>>()?,
            None => RULES.iter().copied().map(owned).collect(),
        };
        Ok(Texts { routes, rules })
    }
}

fn owned((name, text): (&str, &str)) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn text(path: &Path) -> Result<(String, String), String> {
    let name = path.display().to_string();
    let size = fs::metadata(path).map_err(|error| format!("{name}: {error}"))?.len();
    if size > LARGEST {
        return Err(format!("{name}: {size} bytes are more than a person writes"));
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, text))
}

/// The files of a folder whose names end in `.yaml`, in the order of their names. Folders in it are not
/// looked into. A file is the only one.
fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|kind| kind == "yaml") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_repository_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../waf");
        let read = Files::new(None, Some(folder.into())).read().unwrap();
        let built_in = Files::new(None, None).read().unwrap();
        let texts = |texts: &Texts| texts.rules.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&read), texts(&built_in));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let files = Files::new(Some("/nowhere/routes.yaml".into()), None);
        assert!(files.can_change() && !Files::new(None, None).can_change());
        assert!(files.read().unwrap_err().starts_with("/nowhere/routes.yaml: "));
    }
}
