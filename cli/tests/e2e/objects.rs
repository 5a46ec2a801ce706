//! The lab's own object store: backups are kept in it and verified from it, it is scraped, it can be broken, and it goes with
//! the lab.

use std::time::Duration;

use crate::lab::{Lab, eventually};

/// Time for a backup, a restore and its checks.
const SOON: Duration = Duration::from_secs(120);

#[tokio::test]
async fn backups_are_kept_in_the_labs_object_store_and_verified_from_it() {
    let place = vec![("LAB_BACKUPS", "s3://backups/lab".to_owned())];
    let Some(lab) = Lab::up_with(&["--no-load", "--objects", "--backups"], place).await else { return };
    let list = || lab.json(&["backup", "list", "--json", "--repository", "s3://backups/lab"]);
    eventually(SOON, || async {
        let list = list();
        if list["last_verified"].is_string() { Ok(()) } else { Err(format!("no backup was verified: {list}")) }
    })
    .await;
    assert!(!lab.dir().join("backups").exists(), "nothing is kept in the default folder");

    eventually(SOON, || async {
        let stored = lab.query(r#"objects_stored{job="lab-objects"} > 0"#).await;
        if stored.len() == 1 { Ok(()) } else { Err(format!("{stored:?}")) }
    })
    .await;

    lab.ok(&["break", "lab-objects", "object-denied", "ttl=1m"]);
    let refused = lab.run(&["backup", "list", "--repository", "s3://backups/lab"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("AccessDenied"), "{said}");
    lab.ok(&["fix", "lab-objects", "object-denied"]);
    assert!(list()["last_verified"].is_string());
    lab.down();
}
