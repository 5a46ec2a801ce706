//! Printing of figures, and whether they are what is required of them.

use anyhow::ensure;

/// The median; for an even number of values, the upper one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Figures next to the required ones: one that misses its bar fails the whole measurement, after all have been printed.
#[derive(Debug, Default)]
pub(crate) struct Bars(Vec<String>);

impl Bars {
    /// Prints a figure next to the required one; `at_least`: more is better.
    pub(crate) fn check(&mut self, what: &str, value: f64, bar: f64, at_least: bool) {
        let (sign, ok) = if at_least { (">=", value >= bar) } else { ("<=", value <= bar) };
        println!("  {what}: {value:.2}  (bar {sign} {bar:.2}: {})\n", if ok { "reached" } else { "MISSED" });
        if !ok {
            self.0.push(format!("{what}: {value:.2}, required {sign} {bar:.2}"));
        }
    }

    /// # Errors
    /// Names the figures that missed their bar.
    pub(crate) fn verdict(self) -> anyhow::Result<()> {
        ensure!(self.0.is_empty(), "missed: {}", self.0.join("; "));
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
        let said = bars.verdict().unwrap_err().to_string();
        assert!(said.contains("memory: 20.10, required <= 20.00") && said.contains("nothing"), "{said}");
        assert!(!said.contains("ratio"), "{said}");
    }
}
