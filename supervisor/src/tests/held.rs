//! Parts that somebody wants to stay stopped.

use chrono::{TimeDelta, Utc};

use super::*;

#[tokio::test]
async fn a_part_that_is_held_stays_stopped_until_it_is_let_go_or_its_time_is_over() {
    let lab = start(|home| vec![steady(home, "store")], quick());
    let mut process = lab.ready().await.parts[0].process.unwrap();
    let held = lab.home.held("store");
    for (seconds, let_go) in [(600, true), (1, false)] {
        write_private(&held, &(Utc::now() + TimeDelta::seconds(seconds)).to_rfc3339()).unwrap();
        process.signal(Signal::KILL);
        lab.until("down", |state| state.parts[0].status == Status::Backoff).await;
        if let_go {
            // Absence is the subject: the policy would start it within a tenth of this.
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(lab.board.now().parts[0].status, Status::Backoff);
            fs::remove_file(&held).unwrap();
        }
        let back = |state: &LabState| state.parts[0].process.is_some_and(|now| now != process);
        process = lab.until("back", back).await.parts[0].process.unwrap();
    }
    lab.end().await.unwrap();
}

#[tokio::test]
async fn a_lab_stops_with_a_part_that_is_held_and_the_next_one_knows_nothing_of_it() {
    let lab = start(|home| vec![steady(home, "store")], quick());
    let process = lab.ready().await.parts[0].process.unwrap();
    let (held, home) = (lab.home.held("store"), lab.home.clone());
    write_private(&held, &(Utc::now() + TimeDelta::seconds(600)).to_rfc3339()).unwrap();
    process.signal(Signal::KILL);
    lab.until("down", |state| state.parts[0].status == Status::Backoff).await;
    assert!(home.stays_stopped("store"));
    lab.stop.gently.cancel();
    within("stopped", lab.running).await.unwrap().unwrap();
    home.let_all_go();
    assert!(!held.exists() && !home.stays_stopped("store"));
}
