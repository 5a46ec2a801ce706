//! What a lab has of a cloud: its own object store with the backups in it, which can be broken and goes with the lab, and an
//! emulator with the queues through which customers are notified.

use std::time::Duration;

use testkit::{Need, available};

use crate::lab::{Lab, eventually};

/// Time for a backup, a restore and its checks.
const SOON: Duration = Duration::from_secs(120);

#[tokio::test]
async fn backups_are_in_the_labs_object_store_and_notifications_go_through_queues() {
    if !available(&[Need::S3Emulators]) {
        return;
    }
    let place = vec![("LAB_BACKUPS", "s3://backups/lab".to_owned())];
    let args = ["--rate", "20", "--objects", "--backups", "--cloud", "ministack"];
    let Some(lab) = Lab::up_with(&args, place).await else { return };
    let list = || lab.json(&["backup", "list", "--json", "--repository", "s3://backups/lab"]);
    eventually(SOON, || async {
        let list = list();
        if list["last_verified"].is_string() {
            Ok(())
        } else {
            Err(format!("no backup was verified: {list}"))
        }
    })
    .await;
    assert!(!lab.dir().join("backups").exists(), "nothing is kept in the default folder");

    for query in [
        r#"objects_stored{job="lab-objects"} > 0"#,
        r#"notifications_delivered_total{job="notifier", queue_name="email_queue"} > 0"#,
        r#"queue_size_total{job="notifier", queue_name="notification_queue"}"#,
        r#"queue_size_total{job="notifier", queue_name="notification_dlq"} == 0"#,
    ] {
        finds(&lab, query).await;
    }

    lab.ok(&["break", "lab-objects", "object-denied", "ttl=1m"]);
    let refused = lab.run(&["backup", "list", "--repository", "s3://backups/lab"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("AccessDenied"), "{said}");
    lab.ok(&["fix", "lab-objects", "object-denied"]);
    assert!(list()["last_verified"].is_string());

    // A full bucket: said in a sentence, what is verified stays, and the next backup works.
    let run = ["backup", "run", "--repository", "s3://backups/lab"];
    lab.ok(&["break", "lab-objects", "object-full", "ttl=2m"]);
    let full = lab.run(&run);
    let said = String::from_utf8_lossy(&full.stderr).into_owned();
    assert!(!full.status.success() && said.contains("QuotaExceeded"), "{said}");
    assert!(list()["last_verified"].is_string());
    lab.ok(&["fix", "lab-objects", "object-full"]);
    lab.ok(&run);
    lab.down();
}

#[tokio::test]
async fn notifications_go_through_the_queues_of_localstack() {
    if !available(&[Need::Localstack]) {
        return;
    }
    let Some(lab) = Lab::up_with(&["--rate", "20", "--cloud", "localstack"], Vec::new()).await else {
        return;
    };
    for query in [
        r#"notifications_delivered_total{job="notifier", queue_name="email_queue"} > 0"#,
        r#"queue_size_total{job="notifier", queue_name="notification_dlq"} == 0"#,
    ] {
        finds(&lab, query).await;
    }
    lab.down();
}

/// Waits until a query has one answer.
async fn finds(lab: &Lab, query: &str) {
    eventually(SOON, || async {
        let found = lab.query(query).await;
        if found.len() == 1 { Ok(()) } else { Err(format!("{query}: {found:?}")) }
    })
    .await;
}
