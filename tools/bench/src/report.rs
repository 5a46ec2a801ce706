//! Printing of figures.

/// The median; for an even number of values, the upper one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a figure next to the required one; `at_least`: more is better.
pub(crate) fn bar(what: &str, value: f64, bar: f64, at_least: bool) {
    let (sign, ok) = if at_least { (">=", value >= bar) } else { ("<=", value <= bar) };
    println!("  {what}: {value:.2}  (bar {sign} {bar:.2}: {})\n", if ok { "reached" } else { "MISSED" });
}
