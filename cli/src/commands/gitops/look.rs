//! What should run, and what would: nothing is changed.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;
use gitops::{Logged, MAIN, Proposal, Repository, short};
use release::desired::{Settings, diff, read};

use crate::terminal::out;

/// Shows the newest commit, its state, and the open proposals.
#[derive(Debug, Args)]
pub(super) struct Show {}

impl Show {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        if let Some(newest) = repository.log(MAIN, 1).await?.first() {
            print(newest);
        }
        for (setting, value) in settings(repository, MAIN).await? {
            let lines = value.lines().count();
            if lines > 1 {
                out!("  {setting} = a file of {lines} lines");
            } else {
                out!("  {setting} = {value}");
            }
        }
        waiting(&repository.proposals().await?);
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists commits, the newest first.
#[derive(Debug, Args)]
pub(super) struct Log {
    /// Show at most this number.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

impl Log {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        for logged in repository.log(MAIN, self.limit).await? {
            print(&logged);
            let body = logged.message.lines().skip(1).filter(|line| !line.trim().is_empty());
            body.for_each(|line| out!("    {line}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Compares the settings of two commits.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The commit before; by default the one before the newest.
    #[arg(default_value = "main~1")]
    from: String,
    /// The commit after; by default the newest.
    #[arg(default_value = "main")]
    to: String,
    /// Show what this proposal would change.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["from", "to"])]
    proposal: Option<u32>,
}

impl Diff {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let (from, to) = match self.proposal {
            Some(number) => {
                let commit = repository.proposal(number).await?.commit;
                let parent = commit.parents.first().cloned().context("the proposal has nothing before it")?;
                (parent, commit.id)
            }
            None => (self.from, self.to),
        };
        let (before, after) = (settings(repository, &from).await?, settings(repository, &to).await?);
        let differences = diff(&before, &after);
        if differences.is_empty() {
            out!("nothing differs");
        }
        for difference in differences {
            out!("{difference}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes the files of the newest state.
#[derive(Debug, Args)]
pub(super) struct Checkout {
    /// A folder that does not exist yet, or is empty.
    folder: PathBuf,
}

impl Checkout {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let failed = || format!("cannot write to {}", self.folder.display());
        fs::create_dir_all(&self.folder).with_context(failed)?;
        if fs::read_dir(&self.folder).with_context(failed)?.next().is_some() {
            bail!("{} is not empty", self.folder.display());
        }
        let head = repository.head().await?;
        for (path, text) in repository.tree(&head).await? {
            let path = self.folder.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).with_context(failed)?;
            }
            fs::write(&path, text).with_context(failed)?;
        }
        out!("{} has the state of {}", self.folder.display(), short(&head));
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists the proposals that nobody has approved yet.
#[derive(Debug, Args)]
pub(super) struct Proposals {}

impl Proposals {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let proposals = repository.proposals().await?;
        if proposals.is_empty() {
            out!("nothing waits for an approval");
        }
        waiting(&proposals);
        Ok(ExitCode::SUCCESS)
    }
}

fn waiting(proposals: &[Proposal]) {
    for Proposal { number, commit } in proposals {
        out!("proposal {number} by {}: {}", commit.author, commit.subject());
    }
}

fn print(logged: &Logged) {
    let at = logged.at.format("%Y-%m-%d %H:%M:%S");
    let approved = if logged.author == logged.committer {
        String::new()
    } else {
        format!(", approved by {}", logged.committer)
    };
    out!("{} {at} {}{approved}: {}", short(&logged.id), logged.author, logged.subject());
}

async fn settings(repository: &Repository, commit: &str) -> Result<Settings> {
    let tree = repository.tree(&repository.resolve(commit).await?).await?;
    let desired = read(&tree).map_err(|problems| anyhow::anyhow!("{commit} has problems:\n{problems}"))?;
    Ok(desired.settings())
}
