//! What keeps a program from reading the answers: for it, the checkout and the lab's folder are empty. Linux can
//! do that for every account that may create a namespace for users; elsewhere the files stay open.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{getgid, getuid};

use crate::{installation::Installation, terminal::say};

/// What is said if the files cannot be hidden.
const OPEN: &str = "the answers can be read: this machine does not let a program run without a view of the \
                    checkout and of the lab's folder, which hold them. It takes Linux, `unshare` of util-linux, an \
                    account that may create namespaces for users, and a temporary folder outside of both. For a \
                    program that you do not trust, see docs/agents.md";
/// Covers the folders that are named after a command line, a user and a group, and runs the command line as them,
/// in a second namespace: in the first one it would be root, and could uncover what it covered. A folder that is
/// not there, or not any more, needs no cover.
const SCRIPT: &str = r#"command=$1 user=$2 group=$3
shift 3
for folder; do
    [ ! -d "$folder" ] || mount -t tmpfs -o ro none "$folder" || exit 125
done
exec unshare --mount --map-user="$user" --map-group="$group" /bin/sh -c "$command""#;
/// Largest file that comes along with a program, in bytes: scripts that it imports, and no neighbours in `target`.
const BESIDE: u64 = 1 << 20;

/// Folders that a program finds empty. The list is empty if they cannot be hidden or do not exist.
#[derive(Debug, Clone, Default)]
pub(super) struct Walls {
    hidden: Vec<PathBuf>,
}

impl Walls {
    /// Those around a program that responds to drills of this installation, and whether it can read no answer.
    /// Says so if it can.
    pub(super) fn around(place: &Installation) -> (Self, bool) {
        // A machine that has no checkout has no answers.
        let Ok(home) = place.home() else { return (Self::default(), true) };
        let root = fs::canonicalize(&home.root).unwrap_or(home.root);
        let walls = Self::hiding(vec![root, home.dir.to_path_buf()]);
        if walls.is_none() {
            say(OPEN);
        }
        let sealed = walls.is_some();
        (walls.unwrap_or_default(), sealed)
    }

    /// Those that hide these folders, which are absolute and without links; `None` if this machine has no way to.
    fn hiding(hidden: Vec<PathBuf>) -> Option<Self> {
        let walls = Self { hidden };
        // Where a program starts, it could climb out of a folder that is covered only afterwards.
        let outside = fs::canonicalize(std::env::temp_dir()).is_ok_and(|folder| !walls.hide(&folder));
        let works = || {
            let mut tried = walls.command("true");
            tried.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            tried.status().is_ok_and(|status| status.success())
        };
        (outside && works()).then_some(walls)
    }

    /// A command line, run by `sh` behind these walls.
    pub(super) fn command(&self, line: &str) -> Command {
        if self.hidden.is_empty() {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(line);
            return command;
        }
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "/bin/sh", "-c", SCRIPT, "sh", line]);
        command.arg(getuid().as_raw().to_string()).arg(getgid().as_raw().to_string()).args(&self.hidden);
        command
    }

    /// Where a program is that these walls would hide: a copy in the folder `to`, with the small files beside it.
    /// Others stay where they are.
    ///
    /// # Errors
    /// When it is among the drills, or cannot be copied.
    pub(super) fn moved(&self, program: PathBuf, to: &Path) -> Result<PathBuf> {
        if !self.hide(&program) {
            return Ok(program);
        }
        let folder = program.parent().context("a program is in a folder")?;
        ensure!(
            !folder.ends_with("drills"),
            "--responder: {} is among the drills, which are hidden from it: move it to another folder",
            program.display()
        );
        let read = || format!("--responder: cannot copy {}", folder.display());
        for entry in fs::read_dir(folder).with_context(read)? {
            let path = entry.with_context(read)?.path();
            // Of a link, what it leads to; one that leads nowhere stays behind.
            let Ok(is) = fs::metadata(&path) else { continue };
            if is.is_file() && (is.len() <= BESIDE || path == program) {
                let name = path.file_name().context("a file has a name")?;
                fs::copy(&path, to.join(name)).with_context(read)?;
            }
        }
        Ok(to.join(program.file_name().context("a program has a name")?))
    }

    fn hide(&self, path: &Path) -> bool {
        self.hidden.iter().any(|folder| path.starts_with(folder))
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// Tries whatever comes to mind, and says what it has found.
    const CURIOUS: &str = r#"#!/bin/sh
. "$(dirname "$0")/beside"
echo "$WORD, $(id -u)"
cat "$1/drills/noon.yaml" "$2/state.json"
umount "$1"; umount "$2"
unshare --map-root-user --mount sh -c 'umount "$1"; cat "$1/drills/noon.yaml"' sh "$1"
cat "/proc/$3/root$1/drills/noon.yaml" "/proc/$3/cwd/../cli/Cargo.toml"
cd ../..; cat "$1/drills/noon.yaml"
exit 7
"#;

    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let whole = fs::canonicalize(folder.path()).unwrap();
        let (root, lab) = (whole.join("checkout"), whole.join("lab"));
        for path in [root.join("drills"), root.join("agents"), lab.clone()] {
            fs::create_dir_all(path).unwrap();
        }
        fs::write(root.join("drills/noon.yaml"), "the answer").unwrap();
        fs::write(lab.join("state.json"), "the answer").unwrap();
        fs::write(root.join("agents/beside"), "WORD=ready\n").unwrap();
        let program = root.join("agents/curious");
        fs::write(&program, CURIOUS).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        (folder, root, lab)
    }

    #[test]
    fn a_program_reads_neither_the_checkout_nor_the_lab_however_it_tries() {
        let (_folder, root, lab) = folders();
        // Not every machine can: then `lab` says that the files are open.
        let Some(walls) = Walls::hiding(vec![root.clone(), lab.clone()]) else {
            let _ = writeln!(std::io::stderr(), "SKIPPED: this machine cannot hide folders from a program");
            return;
        };
        let (copy, work) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let program = walls.moved(root.join("agents/curious"), copy.path()).unwrap();
        let line =
            format!("{} {} {} {}", program.display(), root.display(), lab.display(), std::process::id());
        let output = walls.command(&line).current_dir(work.path()).output().unwrap();
        let (shown, said) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert_eq!(shown, format!("ready, {}\n", getuid().as_raw()), "{said}");
        assert!(root.join("drills/noon.yaml").exists(), "it is hidden from the program alone");
    }

    #[test]
    fn a_program_outside_stays_where_it_is_and_one_among_the_drills_is_refused() {
        let (_folder, root, lab) = folders();
        let (walls, copy) = (Walls { hidden: vec![root.clone(), lab] }, tempfile::tempdir().unwrap());
        let outside = PathBuf::from("/bin/sh");
        assert_eq!(walls.moved(outside.clone(), copy.path()).unwrap(), outside);
        assert!(walls.moved(root.join("drills/agent"), copy.path()).is_err());
        assert_eq!(fs::read_dir(copy.path()).unwrap().count(), 0);
        let open = Walls::default();
        assert_eq!(
            open.moved(root.join("agents/curious"), copy.path()).unwrap(),
            root.join("agents/curious")
        );
    }

    #[test]
    fn a_temporary_folder_that_would_be_hidden_is_no_place_to_start_in() {
        let temporary = fs::canonicalize(std::env::temp_dir()).unwrap();
        assert!(Walls::hiding(vec![temporary]).is_none());
    }
}
