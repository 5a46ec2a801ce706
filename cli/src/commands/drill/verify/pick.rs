//! Which drills are proven: those that are named, all, or those that a change is about and some others,
//! chosen by the day.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use clap::Args;
use drill::{Drill, names::Need};
use rand::{SeedableRng as _, rngs::ChaCha8Rng, seq::SliceRandom as _};

use super::{
    kit::{Kit, Stock},
    measured,
};

/// Changes of these are about every drill: one of each layer is proven.
const MACHINERY: [&str; 5] = [
    "chassis/faults/",
    "oncall/drill/",
    "oncall/switchboard/",
    "oncall/control-room/src/drills/",
    "cli/src/commands/drill/",
];
/// How an alert begins in a file of rules.
const ALERT: &str = "alert: ";

/// Which drills.
#[derive(Debug, Clone, Args)]
pub(crate) struct Pick {
    /// Drills, such as first-page.
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "changed", "sample"])]
    names: Vec<String>,
    /// Every drill that this lab can run, or one that `--lanes` starts.
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Only those that the changes since this commit affect: the drill itself, its services, its alerts.
    #[arg(long, value_name = "REV")]
    changed: Option<String>,
    /// Also this number of others that this lab can run; the choice changes every day.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Chooses the others instead of the day.
    #[arg(long, value_name = "N", requires = "sample")]
    rotation: Option<u64>,
    /// Only drills with times in this file (see `--measured`), and those whose own file changed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["names", "all"])]
    among: Option<PathBuf>,
}

impl Pick {
    /// Whether drills were asked for by their names.
    pub(crate) fn is_named(&self) -> bool {
        !self.names.is_empty()
    }

    /// The names, in the order in which they are run. Others are chosen from what fits the `stock`, if there is one.
    ///
    /// # Errors
    /// When a name is unknown, or the changes cannot be listed.
    pub(crate) fn of(
        &self,
        drills: &BTreeMap<String, Drill>,
        root: &Path,
        here: bool,
        stock: Option<&Stock>,
    ) -> Result<Vec<String>> {
        if let Some(unknown) = self.names.iter().find(|name| !drills.contains_key(*name)) {
            let known: Vec<&str> = drills.keys().map(String::as_str).collect();
            bail!("there is no drill `{unknown}`; there are: {}", known.join(", "));
        }
        if !self.names.is_empty() {
            return Ok(self.names.clone());
        }
        let able = |drill: &&Drill| !here || runs_here(drill);
        let able: BTreeSet<String> = drills.values().filter(able).map(|drill| drill.id.clone()).collect();
        if self.changed.is_none() && self.sample.is_none() {
            return Ok(in_order(able, drills));
        }
        let paths =
            self.changed.as_ref().map(|revision| changed(root, revision)).transpose()?.unwrap_or_default();
        let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
        let mut chosen = about(&paths, drills, text);
        chosen.retain(|name| able.contains(name));
        let mut others: Vec<String> = able.difference(&chosen).cloned().collect();
        others.retain(|name| stock.is_none_or(|stock| Kit::of(&drills[name]).is_in(stock)));
        if let Some(file) = &self.among {
            let measured = measured::names(file)?;
            chosen.retain(|name| measured.contains(name) || paths.contains(&format!("drills/{name}.yaml")));
            others.retain(|name| measured.contains(name));
        }
        let day = u64::try_from(Utc::now().timestamp() / 86_400).unwrap_or_default();
        others.shuffle(&mut ChaCha8Rng::seed_from_u64(self.rotation.unwrap_or(day)));
        let others = others.into_iter().take(self.sample.unwrap_or_default()).collect();
        // Those that a change is about come first: the time may be over before the others have their turn.
        let mut names = in_order(chosen, drills);
        names.extend(in_order(others, drills));
        if names.is_empty() {
            bail!("no drill is about these changes: add --sample N");
        }
        Ok(names)
    }
}

/// Those that page nobody come first: as long as no budget was spent, Prometheus has nothing to forget between two, and
/// need not restart. Those with the same load follow one another: then what one has proven counts for the next.
fn in_order(names: BTreeSet<String>, drills: &BTreeMap<String, Drill>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    // By name among those that are alike: the sort is stable.
    names.sort_by_key(|name| {
        let drill = drills.get(name);
        let pages = drill.is_some_and(|drill| !drill.pages.expected.is_empty());
        (pages, drill.map_or(0, |drill| drill.load.rps))
    });
    names
}

/// Whether a lab on one machine has what the drill needs.
fn runs_here(drill: &Drill) -> bool {
    !drill.needs.iter().any(|need| matches!(need, Need::Replicas | Need::Kubernetes))
}

/// Paths that differ from a commit, those that are not committed yet included.
fn changed(root: &Path, revision: &str) -> Result<Vec<String>> {
    let git = |arguments: &[&str]| -> Result<String> {
        let output = Command::new("git").arg("-C").arg(root).args(arguments).output().context("git")?;
        if !output.status.success() {
            bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    // A name that begins with `-` would be an option.
    let tracked = git(&["diff", "--name-only", "--end-of-options", revision])?;
    let new = git(&["ls-files", "--others", "--exclude-standard"])?;
    Ok(tracked.lines().chain(new.lines()).map(str::to_owned).collect())
}

/// The drills that changed files are about. `text` reads a file of rules.
fn about(
    paths: &[String],
    drills: &BTreeMap<String, Drill>,
    text: impl Fn(&str) -> String,
) -> BTreeSet<String> {
    let mut chosen = BTreeSet::new();
    let mut add = |is: &dyn Fn(&Drill) -> bool| {
        chosen.extend(drills.values().filter(|drill| is(drill)).map(|drill| drill.id.clone()));
    };
    for path in paths {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["drills", file] => add(&|drill| file.strip_suffix(".yaml") == Some(drill.id.as_str())),
            ["services", service, ..] => {
                add(&|drill| drill.faults.iter().any(|fault| fault.service == *service));
            }
            ["dashboards", "rules", ..] => {
                let text = text(path);
                let alerts: BTreeSet<&str> =
                    text.lines().filter_map(|line| Some(line.split_once(ALERT)?.1.trim())).collect();
                add(&|drill| alerts.iter().any(|alert| names(drill, alert)));
            }
            _ => {}
        }
    }
    if paths.iter().any(|path| MACHINERY.iter().any(|folder| path.starts_with(folder))) {
        let mut layers = BTreeSet::new();
        let first = |drill: &&Drill| drill.tags.layers.first().is_some_and(|layer| layers.insert(*layer));
        chosen.extend(drills.values().filter(first).map(|drill| drill.id.clone()));
    }
    chosen
}

/// Whether an alert is part of what a drill promises.
fn names(drill: &Drill, alert: &str) -> bool {
    let quoted = format!("\"{alert}\"");
    drill.pages.expected.iter().any(|page| page.alert == alert)
        || drill.signals.iter().any(|signal| signal.query.contains(&quoted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::drill::files;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn pick() -> Pick {
        Pick { names: Vec::new(), all: true, changed: None, sample: None, rotation: None, among: None }
    }

    #[test]
    fn a_change_is_about_its_drill_its_service_and_its_alert() {
        let drills = files::all(&root()).unwrap();
        let of =
            |path: &str| about(&[path.to_owned()], &drills, |_| "  - alert: DataFolderFilling\n".to_owned());
        assert_eq!(of("drills/noon.yaml"), BTreeSet::from(["noon".to_owned()]));
        let rules = of("dashboards/rules/disks.yml");
        assert!(rules.contains("full-house") && !rules.contains("noon"), "{rules:?}");
        let worker = of("services/order-worker/src/main.rs");
        assert!(worker.contains("full-house") && !worker.contains("first-page"), "{worker:?}");
        let machinery = of("oncall/drill/src/lib.rs");
        assert!((6..=9).contains(&machinery.len()), "one of each layer: {machinery:?}");
        assert!(of("README.md").is_empty());
    }

    #[test]
    fn others_take_turns_and_the_same_turn_chooses_the_same() {
        let drills = files::all(&root()).unwrap();
        let of = |rotation| {
            let pick = Pick { sample: Some(3), rotation: Some(rotation), ..pick() };
            pick.of(&drills, &root(), true, None).unwrap()
        };
        assert_eq!((of(1), of(1).len()), (of(1), 3));
        assert_ne!(of(1), of(2));
        let all = pick().of(&drills, &root(), true, None).unwrap();
        assert!(all.len() >= 40, "{}", all.len());
        let some = Pick { sample: Some(12), rotation: Some(1), ..pick() };
        for names in [&all, &some.of(&drills, &root(), true, None).unwrap()] {
            let pages: Vec<bool> = names.iter().map(|name| !drills[name].pages.expected.is_empty()).collect();
            assert!(pages.is_sorted(), "those that page nobody first: {names:?}");
            assert!(pages.contains(&true) && pages.contains(&false));
        }
        let loads: Vec<u32> = all.iter().map(|name| drills[name].load.rps).collect();
        let changes = loads.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 5, "each change of the load costs a whole baseline: {loads:?}");
    }

    #[test]
    fn others_fit_what_the_lab_has() {
        let drills = files::all(&root()).unwrap();
        let pick = Pick { sample: Some(200), rotation: Some(1), ..pick() };
        let anywhere = pick.of(&drills, &root(), true, None).unwrap();
        let plain = pick.of(&drills, &root(), true, Some(&Stock::default())).unwrap();
        assert!(anywhere.iter().any(|name| name == "locked-box"), "it needs backups: {anywhere:?}");
        assert!(plain.len() >= 40 && plain.iter().all(|name| Kit::of(&drills[name]).is_empty()), "{plain:?}");
    }

    #[test]
    fn others_can_be_limited_to_those_that_were_measured() {
        let drills = files::all(&root()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("measured.json");
        fs::write(&file, r#"{ "first-page": { "errors": 2.0 }, "noon": {} }"#).unwrap();
        let of = |sample| {
            let pick = Pick { sample: Some(sample), rotation: Some(1), among: Some(file.clone()), ..pick() };
            pick.of(&drills, &root(), true, None).unwrap()
        };
        assert_eq!(
            of(9).into_iter().collect::<BTreeSet<_>>(),
            ["first-page", "noon"].map(str::to_owned).into()
        );
        assert_eq!(of(1).len(), 1);
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_exist() {
        let drills = files::all(&root()).unwrap();
        let pick = Pick { names: vec!["midnight".to_owned()], all: false, ..pick() };
        let error = pick.of(&drills, &root(), true, None).unwrap_err().to_string();
        assert!(error.contains("midnight") && error.contains("first-page, full-house"), "{error}");
    }
}
