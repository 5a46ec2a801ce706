//! Normalised texts, and the texts of the source tree.

use std::{fs, path::Path};

/// The text with ids as `U`, numbers as `N`, and white space as single blanks.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let hex = rest.find(|c: char| !c.is_ascii_hexdigit() && c != '-').unwrap_or(rest.len());
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let blanks = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let (taken, replaced) = if hex >= 32 {
            (hex, "U")
        } else if digits > 0 {
            (digits, "N")
        } else if blanks > 0 {
            (blanks, " ")
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.push_str(replaced);
        rest = &rest[taken..];
    }
    out
}

/// The complete lines of a log, which is read while it grows.
pub(super) fn whole(log: &str) -> &str {
    &log[..log.rfind('\n').map_or(0, |end| end + 1)]
}

/// The code of the services without their faults: a log message that is not in it comes from a fault.
pub(super) fn sources() -> String {
    let mut all = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for room in ["chassis", "services"] {
        for package in fs::read_dir(root.join(room)).into_iter().flatten().flatten() {
            if package.file_name() != "faults" {
                read(&package.path().join("src"), &mut all);
            }
        }
    }
    assert!(all.len() > 100_000, "the source tree is where the tests were built");
    all
}

fn read(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with("fault") || name.starts_with("catalogue") {
            continue;
        }
        if path.is_dir() {
            read(&path, all);
        } else {
            all.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn ids_and_numbers_and_white_space_make_no_difference() {
        let id = "01931c2e-7f6a-7000-8000-0000000000ab";
        assert_eq!(plain(&format!("SELECT  $1,\n\t'{id}' LIMIT 20")), "SELECT $N, 'U' LIMIT N");
    }
}
