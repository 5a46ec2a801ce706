//! What a guard of the lab has to refuse: typed here as a person would, so that a drill proves the guard and not a text about
//! it. Nothing changes, unless the guard is broken.

use super::command;
use crate::{Error, Result, Tools};

/// A lab that nobody has, for a command that was meant for another terminal.
const ANOTHER: &str = "sre-test/.lab";

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// A restore that names another instance than this one.
    RestoreOfAnother,
    /// To take the fence of the old primary away after its replica was promoted.
    StartOldPrimary,
}

impl Attempt {
    const fn line(self) -> &'static [&'static str] {
        match self {
            Self::RestoreOfAnother => &["backup", "restore", "--to=latest", "--instance=sre-test/.lab"],
            Self::StartOldPrimary => &["failover", "abort"],
        }
    }

    /// How the guard says no. Any other failure proves nothing: a restore that passed the guard and came to a bad end has
    /// overwritten nothing either.
    const fn says(self) -> &'static [&'static str] {
        match self {
            Self::RestoreOfAnother => &["and not sre-test/.lab: nothing was overwritten"],
            Self::StartOldPrimary => {
                &["so the old primary must stay fenced", "so the old primary stays fenced"]
            }
        }
    }
}

impl Tools {
    /// Tries what a guard refuses.
    ///
    /// # Errors
    /// When this is no lab on this machine, the guard let it pass, or something else than the guard failed.
    pub async fn refused(&self, attempt: Attempt) -> Result<()> {
        let lab = self.scriptable()?;
        if attempt == Attempt::RestoreOfAnother && lab.instance() == ANOTHER {
            return Err(Error::Lab(format!("this lab is {ANOTHER} itself: give its checkout another name")));
        }
        let typed = attempt.line().join(" ");
        match command(lab, attempt.line()).await {
            Ok(()) => Err(Error::Lab(format!("`lab {typed}` was not refused: its guard is broken"))),
            Err(Error::Lab(said)) if attempt.says().iter().any(|words| said.contains(words)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;
    use crate::Lab;

    /// A lab whose program answers everything with these words and this code.
    fn tools(folder: &Path, root: &str, says: &str, code: u8) -> Tools {
        let program = folder.join("lab");
        fs::write(&program, format!("#!/bin/sh\necho '{says}' >&2\nexit {code}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let lab = Lab { root: root.into(), dir: Path::new(root).join(".lab"), program };
        Tools { lab: Some(lab), ..Tools::default() }
    }

    #[tokio::test]
    async fn only_the_words_of_the_guard_prove_that_it_refused() {
        let folder = tempfile::tempdir().unwrap();
        let said = async |says: &str, code: u8, attempt: Attempt| {
            let done = tools(folder.path(), "/sre-lab", says, code).refused(attempt).await;
            done.map_err(|error| error.to_string())
        };
        let guard = "this lab is sre-lab/.lab, and not sre-test/.lab: nothing was overwritten.";
        assert_eq!(said(guard, 1, Attempt::RestoreOfAnother).await, Ok(()));
        let fenced = "the replica was promoted, so the old primary must stay fenced";
        assert_eq!(said(fenced, 1, Attempt::StartOldPrimary).await, Ok(()));
        let passed = said(guard, 0, Attempt::RestoreOfAnother).await.unwrap_err();
        assert!(passed.contains("its guard is broken"), "{passed}");
        let bad = "the restored state is not good, and nothing was overwritten: a table is empty";
        for (other, attempt) in
            [("nothing is fenced", Attempt::StartOldPrimary), (bad, Attempt::RestoreOfAnother)]
        {
            let failed = said(other, 1, attempt).await.unwrap_err();
            assert!(failed.ends_with(other), "{failed}");
        }
    }

    #[tokio::test]
    async fn a_lab_with_the_name_of_the_other_one_tries_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path(), "/sre-test", "restored", 0);
        let said = tools.refused(Attempt::RestoreOfAnother).await.unwrap_err().to_string();
        assert!(said.starts_with("this lab is sre-test/.lab itself"), "{said}");
        assert!(Attempt::RestoreOfAnother.line().iter().any(|word| word.ends_with(ANOTHER)));
    }
}
