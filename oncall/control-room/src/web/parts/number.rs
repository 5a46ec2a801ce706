//! Numbers with their units. Three significant digits are enough for a person; more of them only move.
//! A no-break space keeps a number and its unit on one line.

/// Events per second: `12.3/s`.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", significant(per_second))
}

/// A share of 1 as a percentage: `0.42 %`, `99.95 %`. Never rounds up to 100 % what is less.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    let value = share * 100.0;
    let decimals = match value.abs() {
        value if value == 0.0 || value == 100.0 => 0,
        value if !(1.0..99.0).contains(&value) => 2,
        value if value < 10.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let text = if text == "100.00" && share < 1.0 { "99.99".to_owned() } else { text };
    format!("{text}\u{a0}%")
}

/// A latency: `850 µs`, `12.3 ms`, `1.25 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds.abs() {
        size if !size.is_finite() => "–".to_owned(),
        0.0 => "0\u{a0}ms".to_owned(),
        size if size < 0.001 => format!("{}\u{a0}µs", significant(seconds * 1e6)),
        size if size < 1.0 => format!("{}\u{a0}ms", significant(seconds * 1e3)),
        size if size < 120.0 => format!("{}\u{a0}s", significant(seconds)),
        _ => super::duration(seconds),
    }
}

/// A whole number with thin spaces between its thousands: `12 345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Cents as dollars: `$1 234.50`.
pub(crate) fn money(cents: u64) -> String {
    format!("${}.{:02}", count(cents / 100), cents % 100)
}

/// A sentence of others, in which no percentage breaks before its sign.
pub(crate) fn tied(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
}

/// The value, or a dash where nothing was measured.
pub(crate) fn or_dash(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), show)
}

fn significant(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        size if size < 9.995 => trimmed(&format!("{value:.2}")),
        size if size < 99.95 => trimmed(&format!("{value:.1}")),
        _ => format!("{value:.0}"),
    }
}

fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_unit_and_few_digits() {
        assert_eq!(
            (rate(12.345), rate(0.0), rate(1234.5)),
            ("12.3/s".to_owned(), "0/s".to_owned(), "1234/s".to_owned())
        );
        assert_eq!(
            (seconds(0.0123), seconds(1.25), seconds(0.0)),
            ("12.3\u{a0}ms".to_owned(), "1.25\u{a0}s".to_owned(), "0\u{a0}ms".to_owned())
        );
        assert_eq!((count(1_234_567), count(12)), ("1\u{202f}234\u{202f}567".to_owned(), "12".to_owned()));
        assert_eq!(money(123_450), "$1\u{202f}234.50");
        assert_eq!(or_dash(None, rate), "–");
        assert_eq!(rate(f64::NAN), "–/s");
    }

    #[test]
    fn a_share_below_one_is_never_shown_as_all_of_it_and_never_breaks() {
        for (share, text) in [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.004_2, "0.42 %"),
            (0.042, "4.2 %"),
            (0.42, "42 %"),
            (0.9995, "99.95 %"),
            (0.999_999, "99.99 %"),
            (-0.2, "-20 %"),
        ] {
            assert_eq!(percent(share), tied(text));
        }
        assert_eq!(tied("edge 91 %, redis 4 %"), "edge 91\u{a0}%, redis 4\u{a0}%");
    }
}
