//! The pages that follow from a measurement that is kept in the repository: `capacity.md`, and a part of `internet-scale.md`.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::Context;
use load::{
    capacity::{self, Findings},
    scale::{self, Limits, part, replaced},
};

/// Seed of the simulation, as `load simulate` has it by default.
const SEED: u64 = 1;

/// Pages with their text, from what `load capacity` kept in `results`. Without it, both say that nothing was measured.
pub(crate) fn pages(results: &Path, internet_scale: &str) -> anyhow::Result<Vec<(String, String)>> {
    let findings = match fs::read_to_string(results) {
        Ok(text) => Some(Findings::from_json(&text).with_context(|| results.display().to_string())?),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| results.display().to_string()),
    };
    let limits = Limits::shipped().map_err(|problem| anyhow::anyhow!("load/scale.yaml: {problem}"))?;
    let part = match &findings {
        Some(findings) if !findings.stations.is_empty() => part(findings, &limits, SEED),
        _ => scale::UNMEASURED.to_owned(),
    };
    let page = replaced(internet_scale, &part).context("internet-scale.md has no generated part")?;
    let capacity = findings.map_or_else(|| capacity::UNMEASURED.to_owned(), |found| capacity::write(&found));
    Ok(vec![("capacity.md".to_owned(), capacity), ("internet-scale.md".to_owned(), page)])
}

#[cfg(test)]
mod tests {
    use load::scale::{BEGIN, END};

    use super::*;

    #[test]
    fn without_a_measurement_the_page_says_how_to_make_one() {
        let page = format!("# Page\n\n{BEGIN}{END}");
        let found = pages(Path::new("/nowhere/capacity.json"), &page).unwrap();
        assert!(found[0].1.contains("No measurement is kept"), "{}", found[0].1);
        assert!(found[1].1.contains("Run `load capacity`"), "{}", found[1].1);
        assert_eq!(pages(Path::new("/nowhere/capacity.json"), &found[1].1).unwrap(), found);
        assert!(pages(Path::new("/nowhere/capacity.json"), "# Page\n").is_err());
    }
}
