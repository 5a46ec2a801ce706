//! Names with a number, as people write them: `INC-7`, `inc-7`, or `7` alone. They become parts of addresses, and nothing else does.

/// Reads an incident.
///
/// # Errors
/// A sentence with what would be right; the same for the others.
pub(super) fn incident(text: &str) -> Result<String, String> {
    numbered("INC-", text).ok_or_else(|| "expected an incident such as INC-7".to_owned())
}

/// Reads a run of a runbook.
pub(super) fn run(text: &str) -> Result<String, String> {
    numbered("RUN-", text).ok_or_else(|| "expected a run such as RUN-7".to_owned())
}

/// Reads a release.
pub(super) fn release(text: &str) -> Result<String, String> {
    let wrong = || "expected a release such as REL-7; `lab release list` has them".to_owned();
    numbered("REL-", text).ok_or_else(wrong)
}

/// With its prefix in capitals; numbers begin at 1.
fn numbered(prefix: &str, text: &str) -> Option<String> {
    let small = prefix.to_ascii_lowercase();
    let number = text.strip_prefix(prefix).or_else(|| text.strip_prefix(small.as_str())).unwrap_or(text);
    let number = number.parse::<u64>().ok().filter(|number| *number > 0)?;
    Some(format!("{prefix}{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_named_with_or_without_its_prefix() {
        for right in ["INC-7", "inc-7", "7"] {
            assert_eq!(incident(right), Ok("INC-7".to_owned()));
        }
        for wrong in ["", "INC-", "INC-0", "INC-7x", "../7"] {
            assert!(incident(wrong).unwrap_err().contains("INC-7"), "{wrong}");
        }
    }

    #[test]
    fn a_run_and_a_release_become_parts_of_addresses_and_nothing_else_does() {
        assert_eq!((run("RUN-7"), run("7")), (Ok("RUN-7".to_owned()), Ok("RUN-7".to_owned())));
        for wrong in ["", "../x", "a/b", "a b", "RUN-0", "RUN-7x"] {
            assert!(run(wrong).is_err(), "{wrong}");
        }
        assert_eq!((release("REL-7"), release("7")), (Ok("REL-7".to_owned()), Ok("REL-7".to_owned())));
        for wrong in ["", "../x", "REL-0", "RUN-7", "REL-7/abort"] {
            assert!(release(wrong).is_err(), "{wrong}");
        }
    }
}
