//! What a part inherits from the environment of `lab up`: a few variables that say where things are, and by name what the
//! program itself reads. Everything else, the caller's own secrets first of all, is kept from it.

use std::{ffi::OsString, path::Path, process::Command};

use anyhow::{Context, Result};

/// What every program may have: where to find programs and files, language, and how much a Rust program says when it fails.
const BASE: &[&str] =
    &["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "RUST_BACKTRACE", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How a program that calls other machines finds its way out. May hold credentials.
pub(crate) const PROXIES: &[&str] =
    &["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/// The inherited variables of a part that keeps `names` beside the usual ones.
pub(crate) fn inherited(names: &[String]) -> Vec<(String, OsString)> {
    let all = BASE.iter().copied().chain(names.iter().map(String::as_str));
    all.filter_map(|name| Some((name.to_owned(), variable(name)?))).collect()
}

#[expect(clippy::disallowed_methods, reason = "handed on as they are: no setting of lab's own")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Names of the variables that begin with `prefix`.
pub(crate) fn beginning_with(prefix: &str) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// The variables that a program of the workspace reads: it says so itself.
///
/// # Errors
/// When it cannot be run.
pub(crate) fn settings(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).arg("--help").env_clear().output();
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

    #[test]
    fn a_part_inherits_where_things_are_and_nothing_that_it_was_not_meant_to_have() {
        let names: Vec<String> =
            inherited(&["CARGO_PKG_NAME".to_owned()]).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"PATH".to_owned()), "{names:?}");
        assert!(names.contains(&"CARGO_PKG_NAME".to_owned()), "what it asked for: {names:?}");
        assert!(!names.contains(&"CARGO_MANIFEST_DIR".to_owned()), "{names:?}");
    }
}
