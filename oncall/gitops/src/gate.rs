//! What the `pre-receive` hook checks in a push: every commit of every branch.

use release::{
    desired::{Tree, read},
    gate::{Commit, refusals},
};

use crate::{Error, Logged, Repository, Result, proposals::is_ours, repository::MAIN};

/// Most commits of one push.
const MOST: usize = 100;

/// A branch that is pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its commit before; zeros if it is new.
    pub old: String,
    /// Its commit after; zeros if it is to be deleted.
    pub new: String,
    /// Its full name.
    pub name: String,
}

/// Reads what Git gives to the hook: a line for each branch.
///
/// # Errors
/// When a line is something else.
pub fn pushed(input: &str) -> Result<Vec<Pushed>> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [old, new, name] => {
                Ok(Pushed { old: (*old).to_owned(), new: (*new).to_owned(), name: (*name).to_owned() })
            }
            _ => Err(Error::Odd(format!("`{line}` is no line of a hook"))),
        }
    };
    input.lines().map(line).collect()
}

impl Repository {
    /// The reasons to refuse a push, one sentence each; empty if it may pass. `check` runs the tests of the rules of a
    /// state.
    ///
    /// # Errors
    /// When Git says no, or a commit has what is no state.
    pub async fn gate(
        &self,
        pushed: &[Pushed],
        check: &(dyn Fn(&Tree) -> Vec<String> + Sync),
    ) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for Pushed { old, new, name } in pushed {
            let nothing = |id: &str| id.bytes().all(|byte| byte == b'0');
            if !is_ours(name) {
                wrong.push(format!("{name}: expected {MAIN}, or a proposal with a number"));
                continue;
            }
            if nothing(new) {
                wrong.push(format!("{name}: a branch is not deleted by a push"));
                continue;
            }
            // A new branch is compared with what should run.
            let from = if nothing(old) { MAIN } else { old.as_str() };
            let commits = self.log(&format!("{from}..{new}"), MOST + 1).await?;
            if commits.len() > MOST {
                wrong.push(format!("{name}: more than {MOST} commits at once"));
                continue;
            }
            for logged in commits.iter().rev() {
                let reasons = self.judge(logged, name == MAIN, check).await?;
                wrong.extend(reasons.into_iter().map(|reason| format!("{} {reason}", short(&logged.id))));
            }
        }
        Ok(wrong)
    }

    /// A proposal has to be readable; what should run needs more.
    async fn judge(
        &self,
        logged: &Logged,
        main: bool,
        check: &(dyn Fn(&Tree) -> Vec<String> + Sync),
    ) -> Result<Vec<String>> {
        let tree = self.tree(&logged.id).await?;
        if !main {
            let problems = read(&tree).err().map(|problems| problems.0).unwrap_or_default();
            return Ok(problems.iter().map(ToString::to_string).collect());
        }
        let before = match logged.parents.first() {
            Some(parent) => read(&self.tree(parent).await?).ok(),
            None => None,
        };
        let commit = Commit {
            id: logged.id.clone(),
            author: logged.author.clone(),
            message: logged.message.clone(),
            parents: logged.parents.len(),
        };
        Ok(refusals(&commit, before.as_ref(), &tree, &check(&tree)))
    }
}

/// The beginning of a commit's id, as people read it.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
