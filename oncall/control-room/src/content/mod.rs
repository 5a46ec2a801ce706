//! Files that pages show, and drills. From a checkout, read again each time, so that an edit is seen at once; or those that
//! were compiled in.
//!
//! A name that somebody asks for is never used as a path: only names of files that exist are found.

mod runnable;

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use slo::{Catalogue, Slo};

/// Folder, name without ending, text.
static COMPILED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/content.rs"));

/// Services and their golden scrapes, as this program was built with.
static SCRAPES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scrapes.rs"));

const BOARDS: Folder = Folder { path: "dashboards/grafana", ending: "json" };
const SLOS: Folder = Folder { path: "dashboards/slos", ending: "yaml" };
const PLAYBOOKS: Folder = Folder { path: "docs/playbooks", ending: "md" };
const DRILLS: Folder = Folder { path: "drills", ending: "yaml" };
const RUNBOOKS: Folder = Folder { path: "runbooks", ending: "md" };
const INCIDENTS: Folder = Folder { path: "waf/incidents", ending: "yaml" };

/// The table of contents of a folder, which is no page of its own.
const CONTENTS: &str = "README";

/// Where the files are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Content {
    checkout: Option<Arc<Path>>,
    slos: Arc<[Slo]>,
}

/// A folder of the checkout, and which files of it.
#[derive(Debug, Clone, Copy)]
struct Folder {
    path: &'static str,
    ending: &'static str,
}

impl Content {
    /// The files of a checkout, or those that were compiled in.
    ///
    /// # Errors
    /// When the checkout lacks a folder, or an objective is wrong: with file, line and field.
    pub fn open(checkout: Option<&Path>) -> anyhow::Result<Self> {
        let mut content = Self { checkout: checkout.map(Arc::from), slos: Arc::from([]) };
        if let Some(root) = checkout {
            for folder in [BOARDS, SLOS, PLAYBOOKS, DRILLS, RUNBOOKS] {
                let path = root.join(folder.path);
                fs::read_dir(&path).with_context(|| {
                    format!("CHECKOUT: {}: expected the root of a checkout of SRE Lab", path.display())
                })?;
            }
        }
        let specs: Vec<(String, Cow<'static, str>)> = content.all(SLOS);
        let specs: Vec<(String, &str)> = specs
            .iter()
            .map(|(name, text)| (format!("{}/{name}.{}", SLOS.path, SLOS.ending), &**text))
            .collect();
        let read = slo::spec::read_all(specs.iter().map(|(file, text)| (file.as_str(), *text)));
        content.slos = read.map_err(|problems| anyhow::anyhow!("{problems}"))?.into();
        Ok(content)
    }

    /// Names and texts of the boards, as Grafana reads them, by name, one at a time: together they are large.
    pub fn boards(&self) -> impl Iterator<Item = (String, Cow<'static, str>)> {
        self.each(BOARDS)
    }

    /// Names of all boards, which are their uids.
    #[must_use]
    pub fn board_names(&self) -> Vec<String> {
        self.names(BOARDS)
    }

    /// A board, as Grafana reads it.
    #[must_use]
    pub fn board(&self, name: &str) -> Option<Cow<'static, str>> {
        self.names(BOARDS).into_iter().find(|known| known == name)?;
        self.read(BOARDS, name)
    }

    /// The runbook of an alert, Markdown.
    #[must_use]
    pub fn runbook(&self, alert: &str) -> Option<String> {
        self.text(RUNBOOKS, alert)
    }

    /// Names of all runbooks, which are those of alerts.
    #[must_use]
    pub fn runbooks(&self) -> Vec<String> {
        self.names(RUNBOOKS)
    }

    /// A playbook, Markdown.
    #[must_use]
    pub fn playbook(&self, name: &str) -> Option<String> {
        self.text(PLAYBOOKS, name)
    }

    /// Names of all playbooks.
    #[must_use]
    pub fn playbooks(&self) -> Vec<String> {
        self.names(PLAYBOOKS)
    }

    /// Names of all drills.
    #[must_use]
    pub fn drills(&self) -> Vec<String> {
        self.names(DRILLS)
    }

    /// The file of a drill, YAML. The truth is in it.
    #[must_use]
    pub fn drill(&self, name: &str) -> Option<Cow<'static, str>> {
        self.names(DRILLS).into_iter().find(|known| known == name)?;
        self.read(DRILLS, name)
    }

    /// The file of a rule of the firewall that drills push, YAML.
    #[must_use]
    pub fn incident_rule(&self, name: &str) -> Option<String> {
        self.text(INCIDENTS, name)
    }

    /// The objectives, as they were at the start.
    #[must_use]
    pub fn slos(&self) -> &[Slo] {
        &self.slos
    }

    /// The objective of this name.
    #[must_use]
    pub fn slo(&self, name: &str) -> Option<&Slo> {
        self.slos.iter().find(|slo| slo.name == name)
    }

    /// Which metrics the services export.
    #[must_use]
    pub fn metrics() -> Catalogue {
        let mut catalogue = Catalogue::default();
        for (service, scrape) in SCRAPES {
            // A test of each service keeps its golden scrape in this format.
            if let Err(why) = catalogue.add(service, scrape) {
                tracing::error!(service, why, "a golden scrape cannot be read");
            }
        }
        catalogue
    }

    /// Names of the files of a folder, in order.
    fn names(&self, folder: Folder) -> Vec<String> {
        let mut names = match &self.checkout {
            None => compiled(folder).map(|(name, _)| name.to_owned()).collect(),
            Some(root) => listed(&root.join(folder.path), folder.ending),
        };
        names.retain(|name| name != CONTENTS);
        names.sort();
        names
    }

    fn text(&self, folder: Folder, name: &str) -> Option<String> {
        self.names(folder).into_iter().find(|known| known == name)?;
        self.read(folder, name).map(Cow::into_owned)
    }

    fn all(&self, folder: Folder) -> Vec<(String, Cow<'static, str>)> {
        self.each(folder).collect()
    }

    fn each(&self, folder: Folder) -> impl Iterator<Item = (String, Cow<'static, str>)> {
        let names = self.names(folder).into_iter();
        names.filter_map(move |name| self.read(folder, &name).map(|text| (name, text)))
    }

    fn read(&self, folder: Folder, name: &str) -> Option<Cow<'static, str>> {
        match &self.checkout {
            None => compiled(folder).find(|(known, _)| *known == name).map(|(_, text)| Cow::Borrowed(text)),
            Some(root) => {
                let file: PathBuf = root.join(folder.path).join(format!("{name}.{}", folder.ending));
                fs::read_to_string(file).ok().map(Cow::Owned)
            }
        }
    }
}

fn compiled(folder: Folder) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = COMPILED.iter().filter(move |(of, _, _)| *of == folder.path);
    files.map(|(_, name, text)| (*name, *text))
}

/// Names of files without their ending; none of a folder that is gone meanwhile.
fn listed(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        path.extension().is_some_and(|found| found == ending).then_some(name)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn what_was_compiled_in_is_what_the_checkout_has() {
        let (compiled, read) = (Content::open(None).unwrap(), Content::open(Some(&checkout())).unwrap());
        assert!(compiled.boards().eq(read.boards()));
        assert_eq!(compiled.board("overview"), read.board("overview"));
        assert!(compiled.board_names().contains(&"overview".to_owned()));
        assert_eq!(compiled.runbooks(), read.runbooks());
        assert_eq!(compiled.playbooks(), read.playbooks());
        assert_eq!(compiled.drills(), read.drills());
        assert!(compiled.drills().contains(&"first-page".to_owned()));
        assert_eq!(compiled.drill("first-page"), read.drill("first-page"));
        assert!(compiled.runbooks().contains(&"OrderAvailabilityBudgetBurn".to_owned()));
        for name in compiled.runbooks() {
            assert_eq!(compiled.runbook(&name), read.runbook(&name), "{name}");
        }
        let rule = compiled.incident_rule("inline-script");
        assert!(rule.is_some() && rule == read.incident_rule("inline-script"));
        let names = |content: &Content| content.slos().iter().map(|slo| slo.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&compiled), names(&read));
        assert!(names(&read).contains(&"order-availability".to_owned()));
    }

    #[test]
    fn a_name_is_never_a_path() {
        for content in [Content::open(None).unwrap(), Content::open(Some(&checkout())).unwrap()] {
            for name in ["../README", "README", "", ".", "..", "/etc/passwd", "CacheFailing.md", "nothing"] {
                assert_eq!(content.runbook(name), None, "{name}");
                assert_eq!(content.board(name), None, "{name}");
                assert_eq!(content.drill(name), None, "{name}");
                assert_eq!(content.incident_rule(name), None, "{name}");
            }
        }
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Content::open(Some(folder.path())).unwrap_err().to_string();
        assert!(error.starts_with("CHECKOUT: ") && error.contains("dashboards/grafana"), "{error}");
    }
}
