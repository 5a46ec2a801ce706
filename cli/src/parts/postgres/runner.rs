//! Which user runs PostgreSQL, since it refuses to run as root: the user who runs `lab`, or an unprivileged one.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use supervisor::part::Line;

use super::text;
use crate::parts::programs;

/// The user who runs the server.
pub(super) enum Runner {
    /// The user who runs `lab`.
    Me,
    /// `lab` runs as root: this user, through setpriv(1).
    Other { setpriv: PathBuf, name: String, uid: u32, gid: u32 },
}

impl Runner {
    pub(super) fn choose() -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Me);
        }
        let setpriv = programs::need(&["setpriv"], "setpriv (util-linux)")?;
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let found = ["postgres", "nobody"].iter().find_map(|name| user(&users, name));
        let Some((name, uid, gid)) = found else {
            bail!(
                "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it"
            );
        };
        Ok(Self::Other { setpriv, name, uid, gid })
    }

    pub(super) fn line(&self, program: &Path, cwd: &Path) -> Line {
        let mut line = match self {
            Self::Me => Line::new(program),
            Self::Other { setpriv, uid, gid, .. } => Line::new(setpriv).args([
                format!("--reuid={uid}"),
                format!("--regid={gid}"),
                "--clear-groups".to_owned(),
                text(program),
            ]),
        };
        line.cwd = Some(cwd.to_path_buf());
        line.env("LC_ALL", "C")
    }

    /// Gives a file or folder to the runner.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        let Self::Other { name, uid, gid, .. } = self else { return Ok(()) };
        chown(path, Some(*uid), Some(*gid))
            .with_context(|| format!("cannot give {} to user {name}", path.display()))
    }

    /// Lets only the runner pass through a folder to its files below: through the group, and without read access.
    pub(super) fn pass(&self, folder: &Path) -> Result<()> {
        let Self::Other { name, gid, .. } = self else { return Ok(()) };
        chown(folder, None, Some(*gid))
            .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o710)))
            .with_context(|| format!("cannot let user {name} through {}", folder.display()))
    }

    /// Whether the runner can enter and change `folder`: tested by trying, so that access lists count as well.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        let line = self.line(Path::new("test"), Path::new("/")).args([
            "-w",
            &text(folder),
            "-a",
            "-x",
            &text(folder),
        ]);
        let mut command = Command::new(&line.program);
        command.args(&line.args).current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

fn user(passwd: &str, name: &str) -> Option<(String, u32, u32)> {
    passwd.lines().find_map(|line| {
        // name:password:uid:gid:…
        let mut fields = line.strip_prefix(name)?.strip_prefix(':')?.split(':').skip(1);
        Some((name.to_owned(), fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
