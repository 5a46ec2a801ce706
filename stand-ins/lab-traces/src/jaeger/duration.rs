//! Durations as Go writes them and Jaeger's UI sends them: `100ms`, `1.5s`, `2h45m`; and days, for look-backs.

const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
];

/// Nanoseconds; `None` if `text` is not a duration.
pub(super) fn nanos(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    // Saturates: a thousand years are longer than any trace.
    Some(total as u64)
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn durations_of_go_are_parsed() {
        for (text, expected) in [
            ("100ms", 100_000_000),
            ("1.5s", 1_500_000_000),
            ("2h45m", 9_900_000_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("2d", 172_800_000_000_000),
        ] {
            assert_eq!(nanos(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn invalid_durations_are_refused() {
        for text in ["", "100", "ms", "-5s", "1.2.3s", "5 parsecs", "1e3s", "NaNs"] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
