//! The process: what SIGKILL leaves, and what bad configuration is told.

use std::process::Command;

use testkit::{Process, free_addr};

use crate::client::Client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_lab-objects");

#[tokio::test]
async fn what_was_acknowledged_survives_sigkill_in_the_middle_of_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (s3, admin) = (free_addr(), free_addr());
    let args = [
        format!("--s3-addr={s3}"),
        format!("--admin-addr={admin}"),
        format!("--folder={}", folder.path().display()),
        "--secret-key=a-secret-of-tests".to_owned(),
        "--bucket=box".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let client = Client::to(s3);
    let mut process = Process::start(PROGRAM, &args);
    process.ready(admin).await;

    // Four writers, until the process is gone; each returns what it was told is kept.
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for turn in 0.. {
                    let (uri, text) =
                        (format!("/box/{writer}/{turn}"), format!("{writer}-{turn}-").repeat(5000));
                    match client.try_send("PUT", &uri, &[], text.as_bytes()).await {
                        Some(answer) if answer.status == 200 => kept.push((uri, text)),
                        _ => break,
                    }
                }
                kept
            })
        })
        .collect();
    testkit::eventually(std::time::Duration::from_secs(30), || async {
        let listed =
            client.try_send("GET", "/box?list-type=2", &[], b"").await.ok_or("no answer".to_owned())?;
        let count = crate::client::texts(&listed.body, "KeyCount").concat();
        if count.parse::<u32>().is_ok_and(|count| count >= 40) {
            Ok(())
        } else {
            Err(format!("{count} objects"))
        }
    })
    .await;
    process.kill();
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }

    let again = Process::start(PROGRAM, &args);
    again.ready(admin).await;
    assert!(kept.len() >= 36, "only {} were acknowledged", kept.len());
    for (uri, text) in &kept {
        assert!(client.get(uri).await == *text, "{uri} is not what was acknowledged");
    }
    let left = std::fs::read_dir(folder.path().join("tmp")).unwrap().count();
    assert_eq!(left, 0, "halves of objects");
}

#[test]
fn without_a_secret_it_does_not_start_and_says_which_variable_is_missing() {
    let output = Command::new(PROGRAM).env_remove("S3_SECRET_KEY").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.to_lowercase().contains("secret-key"), "{said}");
}
