//! Where the time of verifications went: seconds of each part, a row for each drill, and their sum.

use serde_json::Value;

use super::proof::{Lap, Proof};
use crate::terminal::out;

/// The parts of a run, in their order; several wrong actions are one, and so are several steps. `between` is what no part
/// has: the call that begins the run, and the last look at it.
const PARTS: [&str; 10] =
    ["forget", "load", "healthy", "injection", "observe", "wrong", "steps", "recover", "reset", "between"];
/// The row of the sums.
const ALL: &str = "all";

/// The parts of a run, by the truth about it.
pub(super) fn laps(truth: &Value) -> Vec<Lap> {
    let all = truth["laps"].as_array().map_or(&[][..], Vec::as_slice);
    let lap =
        |one: &Value| Some(Lap { name: one["name"].as_str()?.to_owned(), seconds: one["seconds"].as_f64()? });
    all.iter().filter_map(lap).collect()
}

/// On the terminal.
pub(super) fn print(proofs: &[Proof]) {
    let rows = rows(proofs);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    out!("");
    out!("{:width$}  {}", "SECONDS", PARTS.map(|part| format!("{:>9}", part.to_uppercase())).join(" "));
    for (name, seconds) in rows {
        out!("{name:width$}  {}", seconds.map(|one| format!("{one:>9.1}")).join(" "));
    }
}

/// In Markdown.
pub(super) fn table(proofs: &[Proof]) -> String {
    let mut page = format!("| seconds | {} |\n|---|{}\n", PARTS.join(" | "), "---|".repeat(PARTS.len()));
    for (name, seconds) in rows(proofs) {
        page.push_str(&format!("| {name} | {} |\n", seconds.map(|one| format!("{one:.1}")).join(" | ")));
    }
    page
}

/// A row for each drill that ran, and the sums.
fn rows(proofs: &[Proof]) -> Vec<(String, [f64; 10])> {
    let ran = proofs.iter().filter(|proof| !proof.laps.is_empty());
    let mut rows: Vec<(String, [f64; 10])> = ran.map(|proof| (proof.drill.clone(), parts(proof))).collect();
    let mut sums = [0.0; 10];
    for (_, seconds) in &rows {
        for (sum, one) in sums.iter_mut().zip(seconds) {
            *sum += one;
        }
    }
    rows.push((ALL.to_owned(), sums));
    rows
}

fn parts(proof: &Proof) -> [f64; 10] {
    let seconds = |wanted: &str| -> f64 {
        let laps = proof.laps.iter().filter(|lap| part(&lap.name) == wanted);
        laps.map(|lap| lap.seconds).sum()
    };
    let known: f64 = proof.laps.iter().map(|lap| lap.seconds).sum();
    PARTS.map(|name| if name == "between" { (proof.seconds - known).max(0.0) } else { seconds(name) })
}

fn part(name: &str) -> &str {
    match name.split(' ').next() {
        Some("wrong") => "wrong",
        Some("step") => "steps",
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::proof::tests::proof, *};

    #[test]
    fn every_second_of_a_proof_is_in_one_part() {
        let lap = |name: &str, seconds: f64| json!({ "name": name, "seconds": seconds });
        let truth = json!({ "laps": [
            lap("forget", 9.0), lap("load", 0.5), lap("healthy", 6.0), lap("injection", 1.0), lap("observe", 11.5),
            lap("wrong action 1", 23.0), lap("step 1", 0.5), lap("step 2", 2.0), lap("recover", 17.0),
            lap("reset", 2.0),
        ] });
        let proofs = [Proof { laps: laps(&truth), ..proof(Vec::new()) }, proof(Vec::new())];
        let rows = rows(&proofs);
        assert_eq!(rows.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["first-page", "all"]);
        let (_, seconds) = &rows[0];
        let [.., observe, wrong, steps, recover, _, between] = *seconds;
        assert_eq!((observe, wrong, steps, recover), (11.5, 23.0, 2.5, 17.0));
        assert!((between - 1.7).abs() < 0.01, "{between}");
        assert!((seconds.iter().sum::<f64>() - proofs[0].seconds).abs() < 0.01, "{seconds:?}");
        let row = "| first-page | 9.0 | 0.5 | 6.0 | 1.0 | 11.5 | 23.0 | 2.5 | 17.0 | 2.0 | 1.7 |";
        assert!(table(&proofs).contains(row), "{}", table(&proofs));
        assert!(laps(&json!({})).is_empty());
    }
}
