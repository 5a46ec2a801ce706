//! A commit that waits until somebody else approves it, on a branch of its own.

use release::{
    desired::{Tree, read},
    gate::{Commit, TRAILER, refusals},
};

use crate::{Error, Logged, NewCommit, Repository, Result, repository::MAIN};

/// Where proposals are.
pub(crate) const BRANCHES: &str = "refs/heads/proposals/";

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub number: u32,
    /// Its commit.
    pub commit: Logged,
}

impl Repository {
    /// Proposes that these files say what should run.
    ///
    /// # Errors
    /// [`Error::Refused`] when they cannot be read or say what already should run.
    pub async fn propose(&self, tree: &Tree, by: &str, why: &str) -> Result<Proposal> {
        let head = self.head().await?;
        if let Err(problems) = read(tree) {
            return Err(Error::Refused(problems.0.iter().map(ToString::to_string).collect()));
        }
        if *tree == self.tree(&head).await? {
            return Err(Error::Refused(vec!["it changes nothing".to_owned()]));
        }
        let message = format!("{}\n", why.trim());
        let new = NewCommit { parent: Some(&head), tree, message: &message, author: by, committer: by };
        let id = self.commit(&new).await?;
        self.wait(&id).await
    }

    /// Puts a commit on the next free branch.
    pub(crate) async fn wait(&self, id: &str) -> Result<Proposal> {
        let mut number = self.proposals().await?.last().map_or(1, |last| last.number + 1);
        let nothing = "0".repeat(40);
        // Somebody else may take the same number at the same time.
        for _ in 0..10 {
            let branch = format!("{BRANCHES}{number}");
            if self.git().run(&["update-ref", &branch, id, &nothing]).await.is_ok() {
                return self.proposal(number).await;
            }
            number += 1;
        }
        Err(Error::Moved)
    }

    /// Those that wait, by number.
    ///
    /// # Errors
    /// When Git says no.
    pub async fn proposals(&self) -> Result<Vec<Proposal>> {
        let names = self.git().run(&["for-each-ref", "--format=%(refname)", BRANCHES]).await?;
        let numbers = names.lines().filter_map(|name| name.strip_prefix(BRANCHES)?.parse().ok());
        let mut numbers: Vec<u32> = numbers.collect();
        numbers.sort_unstable();
        let mut proposals = Vec::with_capacity(numbers.len());
        for number in numbers {
            proposals.push(self.proposal(number).await?);
        }
        Ok(proposals)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NoProposal`] if there is none with this number.
    pub async fn proposal(&self, number: u32) -> Result<Proposal> {
        let branch = format!("{BRANCHES}{number}");
        let id = self.resolve(&branch).await.map_err(|_| Error::NoProposal(number))?;
        let commit = self.log(&id, 1).await?.pop().ok_or(Error::NoProposal(number))?;
        Ok(Proposal { number, commit })
    }

    /// Puts a proposal into force in the name of `by`. `failures` is what the tests of its rules say.
    ///
    /// # Errors
    /// [`Error::Refused`] with every reason; [`Error::Moved`] when something else should run since it was proposed.
    pub async fn approve(&self, number: u32, by: &str, failures: &[String]) -> Result<String> {
        let proposal = self.proposal(number).await?;
        let head = self.head().await?;
        if proposal.commit.parents != [head.clone()] {
            return Err(Error::Refused(vec![
                "something else should run since it was proposed: propose it again".to_owned(),
            ]));
        }
        let tree = self.tree(&proposal.commit.id).await?;
        // Only this approval counts, and none that its author has written.
        let said = proposal.commit.message.lines().filter(|line| !line.starts_with(TRAILER));
        let said = said.collect::<Vec<_>>().join("\n");
        let approval = format!("{TRAILER}{}", by.trim().replace('\n', " "));
        let message = format!("{}\n\nProposal: {number}\n{approval}\n", said.trim_end());
        let author = proposal.commit.author.clone();
        let commit = Commit { id: proposal.commit.id.clone(), author, message, parents: 1 };
        let before = read(&self.tree(&head).await?).ok();
        let wrong = refusals(&commit, before.as_ref(), &tree, failures);
        if !wrong.is_empty() {
            return Err(Error::Refused(wrong));
        }
        let Commit { author, message, .. } = &commit;
        let new = NewCommit { parent: Some(&head), tree: &tree, message, author, committer: by };
        let id = self.commit(&new).await?;
        self.advance(Some(&head), &id).await?;
        self.withdraw(number).await?;
        Ok(id)
    }

    /// Takes a proposal away.
    ///
    /// # Errors
    /// [`Error::NoProposal`] if there is none with this number.
    pub async fn withdraw(&self, number: u32) -> Result<()> {
        let Proposal { commit, .. } = self.proposal(number).await?;
        let branch = format!("{BRANCHES}{number}");
        self.git().run(&["update-ref", "-d", &branch, &commit.id]).await.map(drop)
    }

    /// Proposes that a commit is taken back.
    ///
    /// # Errors
    /// When it cannot be taken back without touching what came after it.
    pub async fn propose_revert(&self, commit: &str, by: &str, why: &str) -> Result<Proposal> {
        let taken = self.log(&self.resolve(commit).await?, 1).await?.pop();
        let subject = taken.as_ref().map_or(commit, Logged::subject).to_owned();
        let ids: Vec<String> = taken.into_iter().map(|logged| logged.id).collect();
        let message = format!("Take back: {subject}\n\n{}\n", why.trim());
        let head = self.head().await?;
        let tree = self.without(&head, &ids).await?;
        let id = self.commit_tree(&tree, Some(&head), &message, (by, by)).await?;
        self.wait(&id).await
    }
}

/// Whether a name is one of a branch that people may push to.
pub(crate) fn is_ours(name: &str) -> bool {
    let number = name.strip_prefix(BRANCHES);
    name == MAIN || number.is_some_and(|number| number.parse::<u32>().is_ok())
}
