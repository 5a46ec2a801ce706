//! Builds the program of a version from its source: a checkout as it is, or a revision, in a worktree of git. The worktree stays, so
//! that the next one builds only what differs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};

use crate::terminal::say;

/// Where revisions are checked out, below the checkout.
const TREE: &str = "target/release-tree";
/// The profile of the lab's own programs.
const PROFILE: &str = "lab";

/// Builds `service` from `source`, a folder or a revision of the checkout `root`: where the program is, and when its change was
/// written.
///
/// # Errors
/// When `source` is neither, or does not build.
pub(super) fn build(root: &Path, service: &str, source: &str) -> Result<(PathBuf, DateTime<Utc>)> {
    let folder = Path::new(source);
    let tree = if folder.is_dir() { folder.canonicalize()? } else { revision(root, source)? };
    let written = written(&tree)?;
    let target = tree.join("target");
    say(format_args!("lab: building {service} from {source}"));
    let mut cargo = Command::new("cargo");
    cargo.current_dir(&tree).args(["build", "--locked", "--profile", PROFILE]);
    cargo
        .arg(format!("--package={service}"))
        .arg(format!("--bin={service}"))
        .arg("--target-dir")
        .arg(&target);
    if !cargo.status().context("--checkout: cannot run cargo")?.success() {
        bail!("--checkout: {source} does not build");
    }
    Ok((target.join(PROFILE).join(service), written))
}

/// Checks a revision out; where.
fn revision(root: &Path, name: &str) -> Result<PathBuf> {
    let commit = git(root, &["rev-parse", "--verify", &format!("{name}^{{commit}}")]).with_context(|| {
        format!("--checkout: `{name}` is neither a folder nor a revision, such as main or HEAD~1")
    })?;
    let tree = root.join(TREE);
    if tree.join(".git").exists() {
        git(&tree, &["checkout", "--quiet", "--force", "--detach", &commit])?;
    } else {
        // `cargo clean` deletes the folder, and git still knows it.
        git(root, &["worktree", "prune"])?;
        git(root, &["worktree", "add", "--quiet", "--detach", TREE, &commit])?;
    }
    Ok(tree)
}

/// When the last commit was written; now, if something has changed since.
fn written(tree: &Path) -> Result<DateTime<Utc>> {
    if !git(tree, &["status", "--porcelain"])?.is_empty() {
        return Ok(Utc::now());
    }
    let time = git(tree, &["log", "-1", "--format=%aI"])?;
    let time = DateTime::parse_from_rfc3339(&time).with_context(|| format!("git: no time: {time}"))?;
    Ok(time.with_timezone(&Utc))
}

/// What git says.
fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output =
        Command::new("git").arg("-C").arg(root).args(arguments).output().context("cannot run git")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_revision_is_checked_out_beside_the_checkout_with_the_time_of_its_commit() {
        let folder = tempfile::tempdir().unwrap();
        let (root, begun) = (folder.path(), Utc::now());
        git(root, &["init", "--quiet"]).unwrap();
        fs::write(root.join(".gitignore"), "target\n").unwrap();
        let me = ["-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"];
        for (text, day) in [("one", 2), ("other", 3)] {
            fs::write(root.join("file"), text).unwrap();
            git(root, &["add", "."]).unwrap();
            let date = format!("--date=2026-01-0{day}T03:04:05Z");
            git(root, &[&me[..], &["commit", "--quiet", "-m", text, date.as_str()]].concat()).unwrap();
        }
        for (name, text, day) in [("HEAD~1", "one", 2), ("HEAD", "other", 3)] {
            let tree = revision(root, name).unwrap();
            assert_eq!(fs::read_to_string(tree.join("file")).unwrap(), text);
            let time = written(&tree).unwrap().to_rfc3339();
            assert_eq!(time, format!("2026-01-0{day}T03:04:05+00:00"));
        }
        assert!(written(root).unwrap() < begun);
        fs::write(root.join("file"), "changed").unwrap();
        assert!(written(root).unwrap() >= begun, "nobody has committed it");
        let wrong = revision(root, "nothing").map(drop).expect_err("no revision");
        assert!(wrong.to_string().contains("neither a folder nor a revision"), "{wrong}");
    }
}
