//! Which variables of `lab up` a part inherits: those that its program reads, by name. The supervisor withholds all
//! others.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use supervisor::part::Line;

/// Proxy settings for programs that call other machines. May contain credentials.
pub(crate) const PROXIES: &[&str] =
    &["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/// What glibc's allocator does with memory, for programs on Linux: PostgreSQL, the supervisor, stand-ins, and librdkafka
/// in those that have an allocator of their own.
pub(crate) const ALLOCATOR: &[(&str, &str)] = &[
    // By default eight arenas for each core, in each of which freed memory stays: they would share a lock that few threads want.
    ("MALLOC_ARENA_MAX", "1"),
    // The defaults of both, which otherwise grow with the largest block that was freed, so that such blocks are kept.
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// With an allocator that gives memory back: speed is for others.
pub(crate) fn frugal(line: Line) -> Line {
    ALLOCATOR.iter().fold(line, |line, (name, value)| line.env(name, *value))
}

/// Names of the variables that begin with `prefix`.
pub(crate) fn beginning_with(prefix: &str) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// The variables that a program of the workspace reads, from its own `--help`.
///
/// # Errors
/// When the program cannot be run.
pub(crate) fn settings(program: &Path) -> Result<Vec<String>> {
    settings_of(program, &[])
}

/// As [`settings`], of one mode of a program: that of its first arguments.
///
/// # Errors
/// When the program cannot be run.
pub(crate) fn settings_of(program: &Path, mode: &[&str]) -> Result<Vec<String>> {
    let output = Command::new(program).args(mode).arg("--help").env_clear().output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    Ok(named(&String::from_utf8_lossy(&output.stdout)))
}

/// Names in clap's `[env: NAME]` and `[env: NAME=value]`.
fn named(help: &str) -> Vec<String> {
    let names = help.split("[env: ").skip(1).filter_map(|rest| rest.split([']', '=']).next());
    names.map(|name| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_a_program_are_read_from_its_help() {
        let help = "      --rate <N>  Load [env: LAB_RATE=] [default: 50]\n  --url <URL>\n          [env: DATABASE_URL]\n";
        assert_eq!(named(help), ["LAB_RATE", "DATABASE_URL"]);
    }
}
