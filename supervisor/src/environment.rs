//! What a part inherits from the environment of the supervisor: a few common variables, and those that the program
//! itself reads, by name. Everything else, above all the caller's own secrets, is withheld.

use std::ffi::OsString;

/// Variables that every program inherits: paths, language, and how verbosely a Rust program reports a panic.
const BASE: &[&str] =
    &["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "RUST_BACKTRACE", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The inherited variables of a part that keeps `names` in addition to the common ones.
pub(crate) fn inherited(names: &[String]) -> Vec<(String, OsString)> {
    let all = BASE.iter().copied().chain(names.iter().map(String::as_str));
    all.filter_map(|name| Some((name.to_owned(), variable(name)?))).collect()
}

#[expect(clippy::disallowed_methods, reason = "handed on as they are: no setting of the supervisor's own")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_inherits_the_common_variables_and_those_that_it_names() {
        // One that every runner of tests sets, and no part needs.
        const NAMED: &str = "CARGO_MANIFEST_DIR";
        let names = |named: &[String]| -> Vec<String> {
            inherited(named).into_iter().map(|(name, _)| name).collect()
        };
        let without = names(&[]);
        assert!(without.contains(&"PATH".to_owned()), "{without:?}");
        assert!(!without.contains(&NAMED.to_owned()), "{without:?}");
        let with = names(&[NAMED.to_owned()]);
        assert!(with.contains(&NAMED.to_owned()), "a variable that it named: {with:?}");
    }
}
