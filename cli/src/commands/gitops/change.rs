//! Proposals: made, put into force, taken away.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, builder::NonEmptyStringValueParser};
use gitops::{Repository, short};

use super::{files, gate};
use crate::terminal::out;

/// Proposes the files of a folder.
#[derive(Debug, Args)]
pub(super) struct Propose {
    /// A folder with desired.yaml and, if there are rules, waf/; `checkout` writes one.
    folder: PathBuf,
    #[command(flatten)]
    said: Said,
}

/// Who proposes it, and why.
#[derive(Debug, Args)]
struct Said {
    /// Who you are.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: String,
    /// Reason for the change, in a sentence.
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    why: String,
}

impl Propose {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let proposal = repository.propose(&files(&self.folder)?, &self.said.by, &self.said.why).await?;
        let number = proposal.number;
        out!("proposal {number}: somebody else puts it into force with `lab gitops approve {number}`");
        Ok(ExitCode::SUCCESS)
    }
}

/// Approves a proposal. The gate checks it first.
#[derive(Debug, Args)]
pub(super) struct Approve {
    /// Its number.
    number: u32,
    /// Who you are; not the author.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    by: String,
}

impl Approve {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let proposal = repository.proposal(self.number).await?;
        let failures = gate::check(&repository.tree(&proposal.commit.id).await?);
        let id = repository.approve(self.number, &self.by, &failures).await?;
        out!("{} is what should run", short(&id));
        Ok(ExitCode::SUCCESS)
    }
}

/// Withdraws a proposal.
#[derive(Debug, Args)]
pub(super) struct Withdraw {
    /// Its number.
    number: u32,
}

impl Withdraw {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        repository.withdraw(self.number).await?;
        out!("proposal {} is gone", self.number);
        Ok(ExitCode::SUCCESS)
    }
}

/// Proposes a commit that reverts another one.
#[derive(Debug, Args)]
pub(super) struct Revert {
    /// The commit to revert.
    commit: String,
    #[command(flatten)]
    said: Said,
}

impl Revert {
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let proposal = repository.propose_revert(&self.commit, &self.said.by, &self.said.why).await?;
        let number = proposal.number;
        out!("proposal {number}: somebody else puts it into force with `lab gitops approve {number}`");
        Ok(ExitCode::SUCCESS)
    }
}
