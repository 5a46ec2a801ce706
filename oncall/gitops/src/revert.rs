//! Takes commits back by a commit.

use crate::{Error, Repository, Result, git::Git};

impl Repository {
    /// Takes commits back, the last one first, and puts the result into force; the new commit, or none if there is nothing to
    /// take back.
    ///
    /// # Errors
    /// When they cannot be taken back without touching what came after them, or somebody was quicker.
    pub async fn revert(&self, commits: &[String], message: &str, by: &str) -> Result<Option<String>> {
        if commits.is_empty() {
            return Ok(None);
        }
        let head = self.head().await?;
        let tree = self.without(&head, commits).await?;
        let id = self.commit_tree(&tree, Some(&head), message, (by, by)).await?;
        self.advance(Some(&head), &id).await?;
        Ok(Some(id))
    }

    /// The files of `head` without what these commits changed, the first of which is the oldest. Only Git's merge can tell,
    /// and it needs a checkout.
    pub(crate) async fn without(&self, head: &str, commits: &[String]) -> Result<String> {
        let failed = |cause| Error::Files { what: "a folder for a checkout".to_owned(), cause };
        let folder = tempfile::Builder::new().prefix("gitops-").tempdir().map_err(failed)?;
        let place = folder.path().join("checkout");
        let path = place.to_string_lossy().into_owned();
        self.git().run(&["worktree", "add", "--quiet", "--detach", &path, head]).await?;
        let mut git = Git { checkout: Some(&place), ..self.git() };
        for (name, value) in [("NAME", "lab"), ("EMAIL", "lab@localhost")] {
            let [author, committer] = match name {
                "NAME" => ["GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"],
                _ => ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"],
            };
            git.env.extend([author, committer].map(|variable| (variable, value.to_owned())));
        }
        let mut args = vec!["revert", "--no-commit"];
        args.extend(commits.iter().rev().map(String::as_str));
        let tree = match git.run(&args).await {
            Ok(_) => git.run(&["write-tree"]).await,
            Err(error) => Err(error),
        };
        // Even if it failed; a checkout that is left does no harm, and Git forgets it later.
        let _ = self.git().run(&["worktree", "remove", "--force", &path]).await;
        Ok(tree?.trim().to_owned())
    }
}
