//! Data of the lab's server that a drill has put away: beside where they belong, until the drill or the next start of the lab
//! takes them back. Nothing is deleted before others were restored in their place.

use std::fs;

use anyhow::{Context as _, Result};
use recovery::failover::Replica;

use crate::{failover::Failover, home::Home, parts::postgres::Local};

/// Name of the folder, beside the lab's data.
const LOST: &str = "cluster.lost";

/// Puts the data away; it is well if they are.
///
/// # Errors
/// When the folder cannot be renamed.
pub(crate) fn lose(home: &Home) -> Result<()> {
    let local = Local::of(home)?;
    let (cluster, lost) = (local.cluster(), local.beside(LOST));
    if lost.exists() {
        return Ok(());
    }
    fs::rename(&cluster, &lost).with_context(|| format!("cannot put {} away", cluster.display()))
}

/// Takes them back, and returns whether nothing is put away any more. If others were restored meanwhile, or those of the replica
/// took their place, these are no longer needed. If a replica was promoted and has not moved yet, they stay where they are: two
/// servers would take writes. It is well if nothing was put away.
///
/// # Errors
/// When the folder can be neither renamed nor removed.
pub(crate) fn find(home: &Home) -> Result<bool> {
    let local = Local::of(home)?;
    let (cluster, lost) = (local.cluster(), local.beside(LOST));
    if !lost.exists() {
        return Ok(true);
    }
    if cluster.exists() {
        fs::remove_dir_all(&lost).with_context(|| format!("cannot remove {}", lost.display()))?;
        return Ok(true);
    }
    if Failover::new(&local, None).facts()?.replica == Replica::Promoted {
        return Ok(false);
    }
    fs::rename(&lost, &cluster).with_context(|| format!("cannot take {} back", lost.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use testkit::{Need, available};

    use super::*;

    #[test]
    fn what_was_put_away_comes_back_unless_others_were_restored() {
        if !available(&[Need::Postgres]) {
            return;
        }
        let folder = tempfile::Builder::new().prefix("lab-lost-").tempdir().unwrap();
        let home =
            Home { root: folder.path().into(), dir: supervisor::Folder::at(folder.path()), token: None };
        let local = Local::of(&home).unwrap();
        let (cluster, lost) = (local.cluster(), local.beside(LOST));
        let text = || fs::read_to_string(cluster.join("rows")).unwrap();
        find(&home).unwrap();
        assert!(lose(&home).is_err(), "there are no data");
        fs::create_dir(&cluster).unwrap();
        fs::write(cluster.join("rows"), "old").unwrap();
        for _ in 0..2 {
            lose(&home).unwrap();
            assert!(!cluster.exists() && lost.exists(), "even if it is done twice");
        }
        find(&home).unwrap();
        assert_eq!((text(), lost.exists()), ("old".to_owned(), false));
        lose(&home).unwrap();
        fs::create_dir(&cluster).unwrap();
        fs::write(cluster.join("rows"), "restored").unwrap();
        find(&home).unwrap();
        assert_eq!((text(), lost.exists()), ("restored".to_owned(), false));

        // Never beside a replica that was promoted: there would be two primaries.
        lose(&home).unwrap();
        let replica = local.beside(crate::failover::REPLICA_FOLDER);
        fs::create_dir(&replica).unwrap();
        assert!(!find(&home).unwrap(), "they stay away");
        assert!(!cluster.exists() && lost.exists());
        fs::write(replica.join("standby.signal"), "").unwrap();
        assert!(find(&home).unwrap());
        assert_eq!((text(), lost.exists()), ("restored".to_owned(), false), "a standby takes no writes");
        // It may be outside of the lab's folder.
        if let Some(outside) = crate::parts::postgres::outside(&home) {
            fs::remove_dir_all(outside).unwrap();
        }
    }
}
