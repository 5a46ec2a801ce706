//! `lab gitops …`: what should run, as commits that somebody else approves. Thin: the repository is in the crate `gitops`, what
//! may be wanted in `release`; this module does arguments, files and printing.

mod change;
mod cluster;
mod gate;
mod look;
mod status;
mod values;

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use gitops::Repository;
use release::desired::{FILE, RULES, Tree};

use self::cluster::There;
use crate::{desired::REPOSITORY, home::Home, installation::Installation};

/// What a new repository begins with, in the checkout.
const FIRST: &str = "deploy/gitops";

/// Keep desired state in Git: versions, flags, limits, rules of the firewall. Releases commit their steps here. A lab that runs
/// applies the flags, the limit and the firewall of the newest commit within seconds. Only releases commit versions: a judge has to
/// watch them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab gitops checkout state                                    write its files to a folder, and edit them\n  \
    lab gitops propose state --by ada --why 'Let fewer in'       make a proposal; prints its number\n  \
    lab gitops diff --proposal 1                                 see what it would change\n  \
    lab gitops approve 1 --by eve                                somebody else approves it\n  \
    lab gitops status                                            whether the lab is what the newest commit says\n  \
    lab gitops log\n  \
    lab gitops revert 3f2c1a9 --by ada --why 'It was too few'    propose to revert a commit\n  \
    lab --context kind-lab gitops status                         the same of a cluster, by edge\n  \
    lab --context kind-lab gitops keep                           set back what is changed by hand there\n\n\
    It is a Git repository, <lab>/gitops.git: clone it and push to it. A push passes the same gate.")]
pub(crate) struct GitopsCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the newest commit, its state, and the open proposals.
    Show(look::Show),
    /// Show whether the running lab is what the newest commit says: Synced, OutOfSync or Degraded, and why.
    Status(status::Status),
    /// Set what differs from the newest commit, even what was changed by hand, and wait until nothing does.
    Sync(status::SyncAll),
    /// Keep a lab in a cluster as the newest commit says, until Ctrl-C; on this machine `lab up` does.
    Keep(cluster::Keep),
    /// List commits, the newest first: who wrote them, who approved them, why.
    Log(look::Log),
    /// Show what differs between two commits, or what a proposal would change.
    Diff(look::Diff),
    /// Print the settings of the newest commit as values of the chart, for a lab in a cluster.
    Values(values::Values),
    /// Write the files of the state to a folder.
    Checkout(look::Checkout),
    /// Propose the files of a folder.
    Propose(change::Propose),
    /// List the open proposals.
    Proposals(look::Proposals),
    /// Approve a proposal, so that it becomes the desired state; its author cannot.
    Approve(change::Approve),
    /// Withdraw a proposal.
    Withdraw(change::Withdraw),
    /// Propose to revert a commit.
    Revert(change::Revert),
    /// What the hook of the repository asks about a push; reads its lines from standard input.
    #[command(hide = true)]
    Gate(gate::Gate),
}

impl GitopsCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let there = matches!(&self.command, Command::Status(_) | Command::Sync(_) | Command::Keep(_));
        let home = if there && place.in_cluster() { place.home()? } else { place.here("gitops")? };
        // A hook works on a repository that is there, and must not wait for itself.
        let repository = match &self.command {
            Command::Gate(_) => Repository::at(home.dir.join(REPOSITORY)),
            _ => opened(&home).await?,
        };
        if place.in_cluster() {
            let there = There::of(place, repository).await?;
            return match self.command {
                Command::Status(status) => there.status(status.json).await,
                Command::Sync(sync) => there.sync(sync.timeout).await,
                _ => Ok(there.keep().await),
            };
        }
        match self.command {
            Command::Show(show) => show.run(&repository).await,
            Command::Status(status) => status.run(&home, &repository).await,
            Command::Sync(sync) => sync.run(&home, &repository).await,
            Command::Keep(_) => {
                bail!("`lab up` keeps a lab on this machine; one in a cluster: lab --context … gitops keep")
            }
            Command::Log(log) => log.run(&repository).await,
            Command::Diff(diff) => diff.run(&repository).await,
            Command::Values(values) => values.run(&repository).await,
            Command::Checkout(checkout) => checkout.run(&repository).await,
            Command::Propose(propose) => propose.run(&repository).await,
            Command::Proposals(proposals) => proposals.run(&repository).await,
            Command::Approve(approve) => approve.run(&repository).await,
            Command::Withdraw(withdraw) => withdraw.run(&repository).await,
            Command::Revert(revert) => revert.run(&repository).await,
            Command::Gate(gate) => gate.run(&repository).await,
        }
    }
}

/// The repository; made with what the lab comes with, if it is not there yet.
async fn opened(home: &Home) -> Result<Repository> {
    let repository = Repository::at(home.dir.join(REPOSITORY));
    if !repository.exists().await {
        home.create()?;
        let first = home.root.join(FIRST).join(FILE);
        let text = fs::read_to_string(&first).with_context(|| format!("cannot read {}", first.display()))?;
        let tree = Tree::from([(FILE.to_owned(), text)]);
        repository.create(&tree, "lab", &hook(home)?).await?;
    }
    Ok(repository)
}

/// The script that Git runs before it takes a push.
fn hook(home: &Home) -> Result<String> {
    let program = std::env::current_exe()?;
    let [program, root, dir] = [program.as_path(), &home.root, &home.dir].map(quoted);
    Ok(format!(
        "#!/bin/sh\n# Written by `lab gitops`.\nexec {program} --root {root} --dir {dir} gitops gate\n"
    ))
}

/// One word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// The files of a state in a folder; others are left where they are.
fn files(folder: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    let read =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    tree.insert(FILE.to_owned(), read(&folder.join(FILE))?);
    let about = folder.join("README.md");
    if about.is_file() {
        tree.insert("README.md".to_owned(), read(&about)?);
    }
    let rules = folder.join(RULES);
    if rules.is_dir() {
        for entry in fs::read_dir(&rules).with_context(|| format!("cannot read {}", rules.display()))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(".yaml") {
                tree.insert(format!("{RULES}{name}"), read(&path)?);
            }
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_hook() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn the_files_of_a_state_are_found_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("waf")).unwrap();
        for path in ["desired.yaml", "waf/a.yaml", "waf/notes.txt", "other.yaml"] {
            fs::write(folder.path().join(path), path).unwrap();
        }
        let tree = files(folder.path()).unwrap();
        assert_eq!(tree.keys().map(String::as_str).collect::<Vec<_>>(), ["desired.yaml", "waf/a.yaml"]);
        assert_eq!(tree["waf/a.yaml"], "waf/a.yaml");
    }
}
