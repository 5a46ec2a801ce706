//! What a part inherits from the environment of the supervisor: a few variables that say where things are, and by name what the
//! program itself reads. Everything else, the caller's own secrets first of all, is kept from it.

use std::ffi::OsString;

/// What every program may have: where to find programs and files, language, and how much a Rust program says when it fails.
const BASE: &[&str] =
    &["PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "RUST_BACKTRACE", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The inherited variables of a part that keeps `names` beside the usual ones.
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
    fn a_part_inherits_where_things_are_and_nothing_that_it_was_not_meant_to_have() {
        let names: Vec<String> =
            inherited(&["CARGO_PKG_NAME".to_owned()]).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"PATH".to_owned()), "{names:?}");
        assert!(names.contains(&"CARGO_PKG_NAME".to_owned()), "what it asked for: {names:?}");
        assert!(!names.contains(&"CARGO_MANIFEST_DIR".to_owned()), "{names:?}");
    }
}
