//! Parts that use more memory than they may.

use super::*;

#[tokio::test]
async fn a_part_that_uses_more_memory_than_it_may_is_killed_and_its_end_says_why() {
    let limited = |home: &Folder| {
        let mut part = steady(home, "api");
        part.memory_max = Some(home.join("memory.max"));
        vec![part]
    };
    let lab = start(limited, quick());
    let process = lab.ready().await.parts[0].process.unwrap();
    let file = lab.home.join("memory.max");
    // What it does not use, and what nobody can read, limits nothing; then less than any program needs.
    for text in ["1000000000000", "a lot"] {
        fs::write(&file, text).unwrap();
        // Two looks: absence is the subject.
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(process.alive(), "{text}");
    }
    fs::write(&file, "1\n").unwrap();
    let state = lab.until("killed", |state| state.parts[0].restarts > 0).await;
    let said = state.parts[0].last_exit.clone().unwrap();
    assert!(said.contains('9') && said.contains("out of memory: it used"), "{said}");
    fs::remove_file(&file).unwrap();
    lab.until("back", |state| state.parts[0].process.is_some_and(|now| now != process)).await;
    lab.end().await.unwrap();
}
