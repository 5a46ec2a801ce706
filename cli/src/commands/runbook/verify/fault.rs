//! What the page of a runbook breaks in "Try it in the lab".

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};

use super::cause::{self, Cause};

/// What breaks the lab, as the page does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The service or the part that is broken.
    pub(super) service: String,
    /// How.
    pub(super) cause: Cause,
    /// How long it lasts if nobody ends it.
    pub(super) ttl: Duration,
    /// Whether the page forgets the spent budget afterwards: without that, its alert lasts.
    pub(super) forgets: bool,
    /// What the page gives to its runbook.
    pub(super) given: Vec<(String, String)>,
}

impl Fault {
    /// Whether it is over after its ttl without anybody's doing.
    pub(super) const fn ends_by_itself(&self) -> bool {
        matches!(self.cause, Cause::Fault { .. } | Cause::Command { restores: None, .. })
    }
}

/// Whether the alert of a page looks at a budget: what burned before has to be forgotten first.
pub(super) fn burns(name: &str, fault: &Fault) -> bool {
    fault.forgets || name.ends_with("BudgetBurn")
}

/// Whether an alert lasts longer than its cause: what was spent comes back only when it is forgotten.
pub(super) fn outlasts(name: &str) -> bool {
    name.ends_with("BudgetSpent")
}

/// The names of all pages, in order.
pub(super) fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("runbooks");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "md") && name != "README" {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The fault of a page, if it has one.
pub(super) fn of(root: &Path, name: &str) -> Result<Option<Fault>> {
    let path = root.join(format!("runbooks/{name}.md"));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(read(&text))
}

/// The section of a page that breaks the lab.
pub(super) fn section(text: &str) -> Option<&str> {
    text.split_once("\n## Try it in the lab\n").map(|(_, section)| section)
}

/// The fault of a page's text.
pub(super) fn read(text: &str) -> Option<Fault> {
    let section = section(text)?;
    let (service, cause, ttl) = cause::read(section)?;
    let (forgets, given) = (section.contains("lab slo reset"), cause::given(section));
    Some(Fault { service, cause, ttl, forgets, given })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_counts_and_it_says_whether_the_budget_is_forgotten() {
        let page = "# A\n\n## Try it in the lab\n\n```sh\nlab break order-api http-error ttl=5m\nlab slo reset\n```\n";
        let fault = read(page).unwrap();
        assert_eq!((fault.service.as_str(), fault.ttl.as_secs(), fault.forgets), ("order-api", 300, true));
        assert!(fault.ends_by_itself());
        assert_eq!(read("# A\n\nlab break order-api http-error\n"), None);
        let frozen = "\n## Try it in the lab\n\nselect(.name == \"redis\").pid\nkill -STOP $pid\n";
        assert!(!read(frozen).unwrap().ends_by_itself());
    }
}
