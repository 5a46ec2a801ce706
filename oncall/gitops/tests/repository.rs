//! A real repository and the real Git: commits, proposals, reverts, and a push that the gate looks at.

use gitops::{Error, NewCommit, Repository, pushed};
use release::desired::Tree;

const FIRST: &str = "services:\n  order-api:\n    version: v1\n";

fn tree(text: &str) -> Tree {
    Tree::from([("desired.yaml".to_owned(), text.to_owned())])
}

fn with_limit(rps: u32) -> Tree {
    tree(&format!("{FIRST}limit: {{rps: {rps}, burst: 10}}\n"))
}

async fn repository(folder: &tempfile::TempDir) -> Repository {
    let repository = Repository::at(folder.path().join("gitops.git"));
    assert!(!repository.exists().await);
    repository.create(&tree(FIRST), "lab", "#!/bin/sh\nexit 0\n").await.expect("a repository");
    repository
}

/// A commit on top of what should run, put into force without a gate.
async fn force(repository: &Repository, tree: &Tree, message: &str) -> String {
    let head = repository.head().await.expect("a head");
    let new = NewCommit { parent: Some(&head), tree, message, author: "ada", committer: "ada" };
    let id = repository.commit(&new).await.expect("a commit");
    repository.advance(Some(&head), &id).await.expect("nobody is quicker");
    id
}

#[tokio::test]
async fn files_are_read_as_they_were_written_and_the_log_has_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let mut state = with_limit(5);
    state.insert("waf/path-traversal.yaml".to_owned(), "id: path-traversal\n".to_owned());
    let id = force(&repository, &state, "Less load\n\nKey: rel-1/step-1\nBy: ada\n").await;
    assert_eq!(repository.head().await.unwrap(), id);
    assert_eq!(repository.tree(&id).await.unwrap(), state);
    let log = repository.log("main", 10).await.unwrap();
    let subjects: Vec<&str> = log.iter().map(|logged| logged.subject()).collect();
    assert_eq!(subjects, ["Less load", "Begin with what the lab comes with"]);
    assert_eq!(log[0].trailer("By"), Some("ada"));
    assert_eq!(repository.keyed("rel-1/step-1").await.unwrap(), Some(id));
    assert_eq!(repository.keyed("rel-1/step-2").await.unwrap(), None);
    assert!(repository.resolve("nobody").await.is_err());
}

#[tokio::test]
async fn of_two_that_change_it_at_once_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let old = repository.head().await.unwrap();
    let id = force(&repository, &with_limit(5), "Less load\n").await;
    let moved = repository.advance(Some(&old), &old).await;
    assert!(matches!(moved, Err(Error::Moved)), "{moved:?}");
    assert_eq!(repository.head().await.unwrap(), id);
}

#[tokio::test]
async fn a_proposal_is_put_into_force_by_somebody_else_alone() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let proposal = repository.propose(&with_limit(5), "ada", "Less load").await.unwrap();
    assert_eq!((proposal.number, proposal.commit.author.as_str()), (1, "ada"));
    let own = repository.approve(1, "Ada", &[]).await.unwrap_err().to_string();
    assert!(own.contains("ada wrote it and approved it"), "{own}");
    let dear =
        repository.approve(1, "eve", &["waf/a.yaml: too dear".to_owned()]).await.unwrap_err().to_string();
    assert!(dear.contains("too dear"), "{dear}");
    assert!(
        repository.tree(&repository.head().await.unwrap()).await.unwrap() == tree(FIRST),
        "nothing was applied"
    );
    let id = repository.approve(1, "eve", &[]).await.unwrap();
    assert_eq!(repository.tree(&id).await.unwrap(), with_limit(5));
    let logged = repository.log("main", 1).await.unwrap().pop().unwrap();
    assert_eq!((logged.author.as_str(), logged.committer.as_str()), ("ada", "eve"));
    assert_eq!(logged.trailer("Approved-by"), Some("eve"));
    assert!(repository.proposals().await.unwrap().is_empty());
    assert!(matches!(repository.approve(1, "eve", &[]).await, Err(Error::NoProposal(1))));
}

#[tokio::test]
async fn a_proposal_that_is_wrong_empty_or_too_old_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let wrong = repository.propose(&tree("services: {}\n"), "ada", "Nothing").await.unwrap_err().to_string();
    assert!(wrong.contains("desired.yaml:1: services: empty"), "{wrong}");
    let same = repository.propose(&tree(FIRST), "ada", "Nothing").await.unwrap_err().to_string();
    assert!(same.contains("it changes nothing"), "{same}");
    let one = repository.propose(&with_limit(5), "ada", "Less load").await.unwrap();
    let other = repository.propose(&with_limit(7), "ada", "More load").await.unwrap();
    assert_eq!((one.number, other.number), (1, 2));
    repository.approve(other.number, "eve", &[]).await.unwrap();
    let old = repository.approve(one.number, "eve", &[]).await.unwrap_err().to_string();
    assert!(old.contains("propose it again"), "{old}");
}

#[tokio::test]
async fn a_release_is_taken_back_by_one_commit_and_what_came_between_stays() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let canary = |weight: u32| {
        format!("services:\n  order-api:\n    version: v1\n    canary: {{version: v2, weight: {weight}}}\n")
    };
    let one = force(&repository, &tree(&canary(5)), "canary 5 %\n").await;
    let mut other = tree(&canary(5));
    other.insert("README.md".to_owned(), "about\n".to_owned());
    force(&repository, &other, "Say what it is\n").await;
    other.insert("desired.yaml".to_owned(), canary(25));
    let two = force(&repository, &other, "canary 25 %\n").await;
    let id = repository.revert(&[one, two], "Roll back\n", "control-room").await.unwrap().unwrap();
    let mut expected = tree(FIRST);
    expected.insert("README.md".to_owned(), "about\n".to_owned());
    assert_eq!(repository.tree(&id).await.unwrap(), expected);
    assert_eq!(repository.revert(&[], "Nothing\n", "control-room").await.unwrap(), None);
    let proposal = repository.propose_revert(&id, "ada", "it was good").await.unwrap();
    assert_eq!(proposal.commit.subject(), "Take back: Roll back");
}

#[tokio::test]
async fn the_gate_looks_at_every_commit_that_is_pushed() {
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(&folder).await;
    let head = repository.head().await.unwrap();
    let commit = async |text: &str, message: &str| {
        let tree = tree(text);
        let new = NewCommit { parent: Some(&head), tree: &tree, message, author: "ada", committer: "ada" };
        repository.commit(&new).await.unwrap()
    };
    let fine = format!("{FIRST}drift: keep\n");
    let good = commit(&fine, "Keep\n\nApproved-by: eve\n").await;
    let own = commit(&fine, "Keep\n\nApproved-by: ada\n").await;
    let broken = commit("services: 7\n", "Keep\n\nApproved-by: eve\n").await;
    let zero = "0".repeat(40);
    let dear = |_: &Tree| vec!["waf/a.yaml: too dear".to_owned()];
    let cheap = |_: &Tree| Vec::<String>::new();
    for (line, expected) in [
        (format!("{head} {good} refs/heads/main"), None),
        (format!("{head} {own} refs/heads/main"), Some("ada wrote it and approved it")),
        (format!("{head} {broken} refs/heads/main"), Some("desired.yaml:1: ")),
        (format!("{zero} {own} refs/heads/proposals/7"), None),
        (format!("{zero} {broken} refs/heads/proposals/7"), Some("desired.yaml:1: ")),
        (format!("{zero} {good} refs/heads/other"), Some("expected refs/heads/main")),
        (format!("{head} {zero} refs/heads/main"), Some("not deleted")),
    ] {
        let wrong = repository.gate(&pushed(&line).unwrap(), &cheap).await.unwrap();
        match expected {
            None => assert!(wrong.is_empty(), "{line}: {wrong:?}"),
            Some(expected) => {
                assert!(wrong.iter().any(|reason| reason.contains(expected)), "{line}: {wrong:?}");
            }
        }
    }
    let line = format!("{head} {good} refs/heads/main");
    let wrong = repository.gate(&pushed(&line).unwrap(), &dear).await.unwrap();
    assert!(wrong.len() == 1 && wrong[0].contains("too dear"), "{wrong:?}");
    assert!(pushed("what is this").is_ok_and(|read| read.len() == 1) && pushed("nonsense").is_err());
}
