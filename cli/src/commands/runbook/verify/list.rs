//! What would be measured, and what is known of it: without a lab.

use std::path::Path;

use anyhow::Result;

use super::{
    measured::{self, Kept, Measured},
    report::seconds,
    skip,
    way::Way,
};
use crate::terminal::out;

/// Prints a line for each of these.
///
/// # Errors
/// When the text of a runbook cannot be read.
pub(super) fn print(root: &Path, names: &[String], all: &Measured) -> Result<()> {
    for name in names {
        let known = match (skip::elsewhere(name), all.get(name)) {
            (Some(why), _) => format!("cannot be tried here: {why}"),
            (None, None) => "not measured yet".to_owned(),
            (None, Some(kept)) => {
                let old = measured::current(all, name, &measured::text(root, name)?).is_none();
                format!("{}{}", words(kept), if old { "; changed since then" } else { "" })
            }
        };
        out!("{name:<34} {known}");
    }
    Ok(())
}

/// What is known of a runbook, in a line.
fn words(kept: &Kept) -> String {
    let way = |way: Way| {
        let outcome = kept.outcome(way)?;
        let ended = outcome.ended.map_or_else(String::new, |ended| format!(" after {}", seconds(ended)));
        Some(format!("{way}: {}{ended} ({})", outcome.verdict.words(), outcome.stamp.words()))
    };
    let known: Vec<String> = [Way::Auto, Way::Manual, Way::Nobody].into_iter().filter_map(way).collect();
    known.join("; ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            measured::tests::{measured, row},
            report::Verdict,
        },
        *,
    };

    #[test]
    fn what_is_known_is_said_in_the_order_in_which_it_is_measured() {
        let all = measured(&[row(Way::Manual, 41.0, Verdict::Helped), row(Way::Auto, 30.0, Verdict::Helped)]);
        assert_eq!(words(&all["A"]), "auto: helped after 30 s (); manual: helped after 41 s ()");
    }
}
