//! The steps of a release as commits of the lab's repository of desired state. Each has a key, so that none is made twice.

use gitops::{Error as Failed, MAIN, NewCommit, Repository};
use release::{
    Plan,
    desired::{FILE, read},
    run::Change,
};

use super::number;
use crate::error::{Error, Result};

/// The repository, in the lab's folder.
pub(super) const REPOSITORY: &str = "gitops.git";
/// Who puts the commits of releases into force.
const COMMITTER: &str = "release";
/// How many commits are looked at for the numbers of releases.
const LOG: usize = 1000;
/// How often somebody else may be quicker.
const ATTEMPTS: usize = 5;

/// The greatest number of a release that has commits; 0 if none has. After a restore, the room's file is older than the
/// repository, and a number that is used twice would find the commits of the other release.
pub(super) async fn newest(repository: &Repository) -> Result<i64> {
    let log = repository.log(MAIN, LOG).await.map_err(|error| elsewhere(&error))?;
    let numbers = log.iter().filter_map(|logged| number(logged.trailer("Release")?));
    Ok(numbers.max().unwrap_or_default())
}

/// Makes a commit, unless it was made before a crash; its id, or none if there is nothing to take back.
pub(super) async fn commit(
    repository: &Repository,
    key: &str,
    change: &Change,
    message: &str,
    plan: &Plan,
) -> Result<Option<String>> {
    for _ in 0..ATTEMPTS {
        if let Some(id) = repository.keyed(key).await.map_err(|error| elsewhere(&error))? {
            return Ok(Some(id));
        }
        let made = match change {
            Change::Revert { commits, unsure } => {
                let mut commits = commits.clone();
                if let Some(unsure) = unsure {
                    let made = repository.keyed(unsure).await.map_err(|error| elsewhere(&error))?;
                    commits.extend(made);
                }
                repository.revert(&commits, message, &plan.by).await
            }
            Change::Canary { .. } | Change::Promote { .. } => step(repository, change, message, plan).await,
        };
        match made {
            Err(Failed::Moved) => {}
            made => return made.map_err(|error| elsewhere(&error)),
        }
    }
    Err(elsewhere(&Failed::Moved))
}

/// One step forward. The lab begins with what was built, whatever the repository says: a canary is beside what really runs.
async fn step(
    repository: &Repository,
    change: &Change,
    message: &str,
    plan: &Plan,
) -> gitops::Result<Option<String>> {
    let head = repository.head().await?;
    let mut tree = repository.tree(&head).await?;
    let desired = read(&tree).map_err(|problems| Failed::Odd(problems.to_string()))?;
    let service = &plan.service;
    let unknown =
        || Failed::Odd(format!("{FILE} has no service `{service}`: add it with `lab gitops propose`"));
    let mut after = desired.with(change).ok_or_else(unknown)?;
    if let (Change::Canary { .. }, Some(service)) = (change, after.services.get_mut(service)) {
        service.version.clone_from(&plan.old);
    }
    tree.insert(FILE.to_owned(), after.yaml());
    let new = NewCommit { parent: Some(&head), tree: &tree, message, author: &plan.by, committer: COMMITTER };
    let id = repository.commit(&new).await?;
    repository.advance(Some(&head), &id).await?;
    Ok(Some(id))
}

fn elsewhere(error: &Failed) -> Error {
    Error::Elsewhere(format!("the repository of desired state: {error}"))
}
