//! The process of a line: with what it keeps of the environment, and marked as one of this lab.

use tokio::process::Command;

use crate::{
    Folder,
    environment::inherited,
    part::{Fresh, Line},
    process::MARK,
};

/// A program in the environment that the lab gives it.
pub(super) fn command(line: &Line, folder: &Folder) -> Command {
    let mut command = Command::new(&line.program);
    command
        .args(&line.args)
        .env_clear()
        .envs(inherited(&line.keep))
        // Times in logs are read by programs, and by people in other time zones.
        .env("TZ", "UTC")
        .env(MARK, folder.as_os_str())
        .envs(line.env.iter().map(|(name, value)| (name, value)))
        .envs(line.fresh.iter().filter_map(Fresh::variable))
        .current_dir(line.cwd.as_deref().unwrap_or(folder));
    command
}
