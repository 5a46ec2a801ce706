//! What drills need that a lab only has if `lab up` is told so, and the options that tell it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use drill::{Drill, names::Need};
use supervisor::state::LabState;

use crate::{
    commands::twin::More,
    installation::Installation,
    parts::{backup::BACKUP, postgres::REPLICA},
};

/// The variable that says where backups are, and the bucket of a lab with `--objects`.
const BUCKET: (&str, &str) = ("LAB_BACKUPS", "s3://backups/lab");
/// The part that runs only with an emulator of a cloud.
const NOTIFIER: &str = "notifier";

/// What a drill needs that options of `lab up` start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::commands) struct Kit {
    needs: BTreeSet<Need>,
    /// Exact numbers, by service.
    replicas: BTreeMap<String, u32>,
}

/// What a lab has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stock {
    parts: BTreeSet<String>,
    /// Number of processes, by service.
    replicas: BTreeMap<String, u32>,
}

impl Stock {
    /// That of the only lab on which drills are proven; none for a cluster, or a lab of which only parts are here.
    pub(crate) fn here(place: &Installation) -> Result<Option<Self>> {
        let here = place.is_here().then(|| place.all_here("drill verify").ok()).flatten();
        here.map(|here| here.lab().map(|lab| Self::of(&lab))).transpose()
    }

    pub(super) fn of(lab: &LabState) -> Self {
        let mut stock = Self::default();
        for part in &lab.parts {
            stock.parts.insert(part.name.clone());
            *stock.replicas.entry(part.service().to_owned()).or_insert(0) += 1;
        }
        stock
    }

    fn has(&self, need: Need) -> bool {
        match need {
            Need::PostgresReplica => self.parts.contains(REPLICA),
            Need::Backups => self.parts.contains(BACKUP),
            Need::Cloud => self.parts.contains(NOTIFIER),
            // The parts of a lab do not say where its backups are.
            Need::BackupsInBucket => false,
            // No option starts it: the control room says whether it is here.
            Need::PostgresExporter | Need::RedisExporter | Need::Replicas | Need::Kubernetes | Need::Lab => {
                true
            }
        }
    }
}

/// The option that starts it.
const fn option(need: Need) -> Option<&'static str> {
    match need {
        Need::PostgresReplica => Some("--replica"),
        Need::Backups => Some("--backups"),
        Need::BackupsInBucket => Some("--objects"),
        Need::Cloud => Some("--cloud=ministack"),
        Need::PostgresExporter | Need::RedisExporter | Need::Replicas | Need::Kubernetes | Need::Lab => None,
    }
}

impl Kit {
    pub(in crate::commands) fn of(drill: &Drill) -> Self {
        let needs = drill.needs.iter().copied().filter(|need| option(*need).is_some());
        Self { needs: needs.collect(), replicas: drill.replicas.clone() }
    }

    /// Whether every lab has it.
    pub(super) fn is_empty(&self) -> bool {
        self.needs.is_empty() && self.replicas.is_empty()
    }

    /// Whether a lab has all of it.
    pub(super) fn is_in(&self, stock: &Stock) -> bool {
        let counts = |(service, count): (&String, &u32)| stock.replicas.get(service) == Some(count);
        self.needs.iter().all(|need| stock.has(*need)) && self.replicas.iter().all(counts)
    }

    /// How a lab that has it is started.
    pub(in crate::commands) fn more(&self) -> More {
        let options = self.needs.iter().filter_map(|need| option(*need)).map(str::to_owned);
        let replicas = self.replicas.iter().map(|(service, count)| format!("--replicas={service}={count}"));
        let variables = self.needs.contains(&Need::BackupsInBucket).then_some(BUCKET);
        More { options: options.chain(replicas).collect(), variables: variables.into_iter().collect() }
    }
}

/// Drills by where they can be proven.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// In any lab.
    pub(super) shared: Vec<String>,
    /// In the first lab, which was started with what they need.
    pub(super) own: Vec<String>,
    /// In a lab that is started with what they need.
    pub(super) special: Vec<(Kit, Vec<String>)>,
}

impl Sorted {
    pub(super) fn of(names: &[String], drills: &BTreeMap<String, Drill>, stock: &Stock) -> Self {
        let mut sorted = Self::default();
        for name in names {
            let kit = drills.get(name).map(Kit::of).unwrap_or_default();
            if kit.is_empty() {
                sorted.shared.push(name.clone());
            } else if kit.is_in(stock) {
                sorted.own.push(name.clone());
            } else {
                match sorted.special.iter_mut().find(|(known, _)| *known == kit) {
                    Some((_, names)) => names.push(name.clone()),
                    None => sorted.special.push((kit, vec![name.clone()])),
                }
            }
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::commands::drill::files;

    #[test]
    fn a_lab_is_started_with_what_a_drill_needs_and_nothing_else() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let more = |name: &str| Kit::of(&drills[name]).more();
        for (name, options) in [
            ("first-page", Vec::new()),
            ("closed-shutters", Vec::new()),
            ("boxes-in-the-attic", Vec::new()),
            ("a-third-less", vec!["--replicas=order-api=3"]),
            ("cdn-waf-outage", vec!["--replicas=edge=2"]),
            ("old-news", vec!["--replica"]),
            ("bare-walls", vec!["--backups"]),
            ("unsent-letters", vec!["--cloud=ministack"]),
        ] {
            assert_eq!(more(name).options, options, "{name}");
            assert_eq!(Kit::of(&drills[name]).is_empty(), options.is_empty(), "{name}");
            assert!(more(name).variables.is_empty(), "{name}");
        }
        let bucket = more("no-more-shelves");
        assert_eq!(bucket.options, ["--backups", "--objects"]);
        assert_eq!(bucket.variables, [("LAB_BACKUPS", "s3://backups/lab")]);
    }

    #[test]
    fn a_lab_has_a_kit_with_the_very_number_of_replicas() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let stock = |parts: &[&str], replicas: u32| Stock {
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
            replicas: BTreeMap::from([("order-api".to_owned(), replicas)]),
        };
        let is_in = |name: &str, stock: &Stock| Kit::of(&drills[name]).is_in(stock);
        assert!(is_in("first-page", &stock(&[], 1)));
        assert!(is_in("a-third-less", &stock(&[], 3)) && !is_in("a-third-less", &stock(&[], 2)));
        assert!(is_in("old-news", &stock(&[REPLICA], 1)) && !is_in("old-news", &stock(&[BACKUP], 1)));
        assert!(!is_in("no-more-shelves", &stock(&[BACKUP, "lab-objects"], 1)), "it may be elsewhere");
    }

    #[test]
    fn what_the_first_lab_lacks_is_proven_in_one_lab_for_each_kit() {
        let drills = files::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let names = ["first-page", "old-news", "a-third-less", "next-in-line", "noon"].map(str::to_owned);
        let sorted = Sorted::of(&names, &drills, &Stock::default());
        assert_eq!(sorted.shared, ["first-page", "noon"]);
        assert!(sorted.own.is_empty());
        let special: Vec<Vec<String>> = sorted.special.into_iter().map(|(_, names)| names).collect();
        assert_eq!(special, [vec!["old-news", "next-in-line"], vec!["a-third-less"]]);
        let parts = ["postgres-replica".to_owned()].into();
        let sorted = Sorted::of(&names, &drills, &Stock { parts, ..Stock::default() });
        assert_eq!(sorted.own, ["old-news", "next-in-line"]);
    }
}
