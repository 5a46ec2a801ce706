//! How figures are printed.

/// The median; of an even number the upper one.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints one figure beside its bar; `at_least` says which side is good.
pub(crate) fn bar(what: &str, value: f64, bar: f64, at_least: bool) {
    let (sign, ok) = if at_least { (">=", value >= bar) } else { ("<=", value <= bar) };
    println!("  {what}: {value:.2}  (bar {sign} {bar:.2}: {})\n", if ok { "reached" } else { "MISSED" });
}
