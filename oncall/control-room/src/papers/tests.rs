use incident::{Severity, Source, What, correlate::Graph};

use super::*;
use crate::desk::New;

struct Rig {
    desk: Desk,
    papers: Papers,
    folder: tempfile::TempDir,
    id: Id,
}

async fn rig() -> Rig {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let desk = Desk::open(&store, &bus, Graph::default(), 60).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let papers = Papers::open(&store, &bus, Some(&folder.path().join("new")));
    let new = New {
        title: "It hurts".to_owned(),
        description: String::new(),
        severity: Severity::Sev3,
        services: Vec::new(),
    };
    let id = desk.create(Source::ControlRoom, new).await.unwrap().id;
    Rig { desk, papers, folder, id }
}

#[tokio::test]
async fn every_version_is_kept_and_the_newest_is_in_the_folder() {
    let Rig { papers, folder, id, .. } = rig().await;
    assert_eq!(papers.latest(id).await.unwrap(), None);
    papers.save(id, 0, "control room", "# Draft").await.unwrap();
    let second = papers.save(id, 1, "ada", "# Better").await.unwrap();
    assert_eq!(papers.latest(id).await.unwrap(), Some(second.clone()));
    assert_eq!(papers.list().await.unwrap(), [second]);
    assert_eq!(papers.get(id, 1).await.unwrap().text, "# Draft");
    assert_eq!(papers.versions(id).await.unwrap().iter().map(|one| one.version).collect::<Vec<_>>(), [2, 1]);
    let missing = papers.get(id, 3).await.unwrap_err().to_string();
    assert!(missing.contains("`3 of INC-1`; there are: 1 to 2"), "{missing}");
    let files: Vec<_> = std::fs::read_dir(folder.path().join("new")).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside it");
    assert_eq!(std::fs::read_to_string(folder.path().join("new/INC-1.md")).unwrap(), "# Better");
}

#[tokio::test]
async fn what_somebody_else_saved_meanwhile_is_not_overwritten() {
    let Rig { papers, id, .. } = rig().await;
    papers.save(id, 0, "ada", "one").await.unwrap();
    let late = papers.save(id, 0, "grace", "two").await.unwrap_err();
    assert!(matches!(&late, Error::Conflict(why) if why.contains("has version 1, expected 0")), "{late}");
    assert_eq!(papers.latest(id).await.unwrap().unwrap().author, "ada");
    assert!(matches!(papers.save(id, 1, "ada", " \n").await, Err(Error::Field { .. })));
    assert!(matches!(papers.save(Id(9), 0, "ada", "x").await, Err(Error::NoIncident(Id(9)))));
}

#[tokio::test]
async fn open_action_items_come_with_the_overdue_ones_first() {
    let Rig { desk, id, .. } = rig().await;
    let now: DateTime<Utc> = "2026-06-10T12:00:00Z".parse().unwrap();
    let day = |day| NaiveDate::from_ymd_opt(2026, 6, day);
    for (text, due, follow_up) in [
        ("without a date", None, true),
        ("in time", day(20), true),
        ("late", day(9), true),
        ("now", day(9), false),
        ("done", day(1), true),
    ] {
        desk.task(id, Source::ControlRoom, text, None, due, follow_up).await.unwrap();
    }
    desk.act(id, Source::ControlRoom, What::TaskDone { id: 5 }).await.unwrap();
    let texts: Vec<_> = action_items(&desk, now).into_iter().map(|(_, task)| task.text).collect();
    assert_eq!(texts, ["late", "in time", "without a date"]);
}
