//! Printing of figures, whether they are what is required of them, and where they are kept.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

/// The median; for an even number of values, the upper one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Figures next to the required ones: one that misses its bar fails the whole measurement, after all have been printed.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    missed: Vec<String>,
    /// As `load results add` reads them.
    figures: Vec<Value>,
}

impl Bars {
    /// Prints a figure next to the required one; `at_least`: more is better.
    pub(crate) fn check(&mut self, what: &str, value: f64, bar: f64, at_least: bool) {
        let (sign, ok) = if at_least { (">=", value >= bar) } else { ("<=", value <= bar) };
        println!("  {what}: {value:.2}  (bar {sign} {bar:.2}: {})\n", if ok { "reached" } else { "MISSED" });
        if !ok {
            self.missed.push(format!("{what}: {value:.2}, required {sign} {bar:.2}"));
        }
        let required = if at_least { "at_least" } else { "at_most" };
        self.figures.push(json!({ "name": what, "value": value, required: bar }));
    }

    /// Keeps a figure of which nothing is required.
    pub(crate) fn note(&mut self, what: &str, value: f64) {
        self.figures.push(json!({ "name": what, "value": value }));
    }

    /// Keeps all figures in the checkout, for `load results`. If that fails, they have at least been printed.
    pub(crate) fn keep(&self, what: &str) {
        if self.figures.is_empty() {
            return;
        }
        if let Err(error) = self.add(&format!("bench-{what}")) {
            eprintln!("not kept: {error:#}");
        }
    }

    fn add(&self, what: &str) -> anyhow::Result<()> {
        let mut load = Command::new(std::env::current_exe()?.with_file_name("load"));
        let child = load.args(["results", "add", what]).stdin(Stdio::piped()).spawn();
        let mut child = child.context("load, which is built next to this program")?;
        let text = json!({ "figures": self.figures }).to_string();
        // Closed at the end of the statement: what reads it waits for that.
        child.stdin.take().context("its input")?.write_all(text.as_bytes())?;
        let status = child.wait()?;
        ensure!(status.success(), "load results add {what}: {status}");
        Ok(())
    }

    /// # Errors
    /// Names the figures that missed their bar.
    pub(crate) fn verdict(self) -> anyhow::Result<()> {
        ensure!(self.missed.is_empty(), "missed: {}", self.missed.join("; "));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_missed_figure_fails_the_measurement_by_name() {
        let mut bars = Bars::default();
        bars.check("ratio", 0.9, 0.9, true);
        bars.check("memory", 20.0, 20.0, false);
        assert!(bars.verdict().is_ok());
        let mut bars = Bars::default();
        bars.check("ratio", 0.95, 0.9, true);
        bars.check("memory", 20.1, 20.0, false);
        bars.check("a median of nothing", f64::NAN, 0.9, true);
        bars.note("seconds", 3.0);
        let wanted = json!([
            { "name": "ratio", "value": 0.95, "at_least": 0.9 },
            { "name": "memory", "value": 20.1, "at_most": 20.0 },
            { "name": "a median of nothing", "value": null, "at_least": 0.9 },
            { "name": "seconds", "value": 3.0 },
        ]);
        assert_eq!(json!(bars.figures), wanted);
        let said = bars.verdict().unwrap_err().to_string();
        assert!(said.contains("memory: 20.10, required <= 20.00") && said.contains("nothing"), "{said}");
        assert!(!said.contains("ratio"), "{said}");
    }
}
