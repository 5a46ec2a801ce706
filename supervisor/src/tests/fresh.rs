//! Secrets that are read at each start.

use super::*;
use crate::part::Fresh;

#[tokio::test]
async fn a_secret_is_read_at_each_start_and_a_process_keeps_the_one_that_it_was_started_with() {
    let told = |home: &Folder| {
        let file = home.join("key");
        fs::write(&file, "one\n").unwrap();
        let mut part = script(home, "api", "echo \"$URL\" >> urls; touch api; exec sleep 600");
        let fresh = Fresh { name: "URL".to_owned(), before: "a:".to_owned(), file, after: "@b".to_owned() };
        part.command = part.command.env("URL", "a:first@b").fresh(fresh);
        vec![part]
    };
    let lab = start(told, quick());
    lab.ready().await;
    let (urls, key) = (lab.home.join("urls"), lab.home.join("key"));
    fs::write(&key, "two").unwrap();
    assert_eq!(lines(&urls), ["a:one@b"]);
    let kill = |state: &LabState| state.parts[0].process.unwrap().signal(Signal::KILL);
    kill(&lab.board.now());
    until("read again", || lines(&urls).len() == 2).await;
    fs::remove_file(&key).unwrap();
    kill(&lab.until("ready again", |state| state.parts[0].status == Status::Ready).await);
    until("started without the file", || lines(&urls).len() == 3).await;
    assert_eq!(lines(&urls), ["a:one@b", "a:two@b", "a:first@b"]);
    lab.end().await.unwrap();
}
