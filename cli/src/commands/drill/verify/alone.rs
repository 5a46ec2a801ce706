//! The drills that passed only when no other lab was busy, in the output and in the report.

use super::proof::Proof;
use crate::terminal::out;

/// The drills that passed only alone, and why they failed before.
pub(super) fn only_alone(proofs: &[Proof]) -> impl Iterator<Item = (&str, &str)> {
    let passed = proofs.iter().filter(|proof| proof.passed());
    passed.filter_map(|proof| Some((proof.drill.as_str(), proof.beside.as_deref()?)))
}

/// Names them on the terminal.
pub(super) fn print(proofs: &[Proof]) {
    for (drill, first) in only_alone(proofs) {
        out!("PASSED ONLY ALONE {drill}; beside other labs: {first}");
    }
}

/// Names them in Markdown; nothing if there is none.
pub(super) fn section(proofs: &[Proof]) -> String {
    let lines: String = only_alone(proofs)
        .map(|(drill, first)| format!("- `{drill}`; beside other labs: {first}\n"))
        .collect();
    if lines.is_empty() { lines } else { format!("\n## Passed only alone\n\n{lines}") }
}
