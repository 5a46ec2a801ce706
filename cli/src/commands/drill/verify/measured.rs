//! When each drill was detected, for `docs/failure-modes.md`: seconds by the name of an alert or a signal, by drill.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context as _, Result};

use super::proof::Proof;
use crate::commands::kept;

type Measured = BTreeMap<String, BTreeMap<String, f64>>;

/// Adds what was measured to what the file has: a run of some drills does not delete the others.
///
/// # Errors
/// When the file is of another kind, or cannot be written.
pub(super) fn write(path: &Path, proofs: &[Proof]) -> Result<()> {
    kept::change(path, |all| add(all, proofs))
}

/// The drills that a file has times of.
///
/// # Errors
/// When the file cannot be read, or is of another kind.
pub(super) fn names(path: &Path) -> Result<BTreeSet<String>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let all: Measured =
        serde_json::from_str(&text).with_context(|| format!("{} has no times of drills", path.display()))?;
    Ok(all.into_keys().collect())
}

/// The same, of a file that need not exist yet.
///
/// # Errors
/// When it is of another kind.
pub(super) fn known(path: &Path) -> Result<BTreeSet<String>> {
    let all: Measured = kept::read(path)?;
    Ok(all.into_keys().collect())
}

fn add(all: &mut Measured, proofs: &[Proof]) {
    // One with an action item shows something else under the same names.
    let plain = proofs.iter().filter(|proof| proof.passed() && !proof.drill.contains(' '));
    all.extend(plain.map(|proof| (proof.drill.clone(), times(proof))));
}

/// To a tenth of a second, as the page shows them: smaller differences are no news.
fn times(proof: &Proof) -> BTreeMap<String, f64> {
    // Of those with one name, the first counts: a page, then a signal, then a node of the causal path.
    let seen = proof.pages.iter().chain(&proof.sightings).rev();
    seen.filter_map(|one| Some((one.name.clone(), (one.after? * 10.0).round() / 10.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::proof::{Seen, tests::proof},
        *,
    };

    fn seen(name: &str, after: Option<f64>) -> Seen {
        Seen { name: name.to_owned(), within: 20.0, after }
    }

    #[test]
    fn times_are_added_to_those_of_drills_that_did_not_run() {
        let page = vec![seen("OrderAvailabilityBudgetBurn", Some(2.34))];
        let signals = vec![seen("errors", Some(1.0)), seen("never", None), seen("errors", Some(3.0))];
        let proofs = [
            Proof { sightings: signals, ..proof(page) },
            Proof { drill: "noon with canary".to_owned(), ..proof(Vec::new()) },
            Proof { drill: "old-song".to_owned(), verdict: "failed".to_owned(), ..proof(Vec::new()) },
        ];
        let known = r#"{ "first-page": { "errors": 9.0, "gone": 1.0 }, "old-song": { "copies": 4.0 } }"#;
        let mut all: Measured = serde_json::from_str(known).unwrap();
        add(&mut all, &proofs);
        assert_eq!(all.keys().collect::<Vec<_>>(), ["first-page", "old-song"]);
        let of = |name: &str, after| (name.to_owned(), after);
        assert_eq!(
            all["first-page"],
            BTreeMap::from([of("OrderAvailabilityBudgetBurn", 2.3), of("errors", 1.0)])
        );
        assert_eq!(
            all["old-song"],
            BTreeMap::from([of("copies", 4.0)]),
            "it did not pass, so nothing is known"
        );
    }

    #[test]
    fn each_proof_is_added_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("measured.json");
        let of = |drill: &str| Proof { drill: drill.to_owned(), ..proof(Vec::new()) };
        assert!(known(&path).unwrap().is_empty() && names(&path).is_err(), "it does not exist yet");
        for drill in ["noon", "first-page"] {
            write(&path, &[of(drill)]).unwrap();
        }
        assert_eq!(names(&path).unwrap(), ["first-page", "noon"].map(str::to_owned).into());
        assert_eq!(known(&path).unwrap(), names(&path).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        fs::write(&path, "[]").unwrap();
        assert!(write(&path, &[of("noon")]).is_err(), "the file of somebody else is not overwritten");
    }
}
