//! Values as text, in Grafana's units: three significant digits, the largest prefix that fits.

/// A unit of Grafana.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds; shown in the unit that fits, from ns to years.
    Seconds,
    /// 0 to 1, shown as per cent.
    Ratio,
    /// 0 to 100.
    Percent,
    /// Requests per second.
    Requests,
    /// Operations per second.
    Operations,
    /// Events per second.
    Counts,
    /// Bytes, in powers of 1024.
    Bytes,
    /// Bytes per second, in powers of 1024.
    BytesRate,
    /// A count, abbreviated from a thousand on.
    Short,
    /// US dollars.
    Dollars,
    /// A number without a unit.
    Plain,
}

/// How a value is divided and what is written around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// What one of this unit is.
    pub size: f64,
    before: &'static str,
    after: &'static str,
    /// For more or less than one.
    several: &'static str,
}

/// Ids of Grafana, with the units.
const IDS: &[(&str, Unit)] = &[
    ("s", Unit::Seconds),
    ("percentunit", Unit::Ratio),
    ("percent", Unit::Percent),
    ("reqps", Unit::Requests),
    ("ops", Unit::Operations),
    ("cps", Unit::Counts),
    ("bytes", Unit::Bytes),
    ("binBps", Unit::BytesRate),
    ("short", Unit::Short),
    ("currencyUSD", Unit::Dollars),
    ("none", Unit::Plain),
];

/// Grafana's ids of all units that can be shown.
pub const NAMES: &[&str] = &[
    "s",
    "percentunit",
    "percent",
    "reqps",
    "ops",
    "cps",
    "bytes",
    "binBps",
    "short",
    "currencyUSD",
    "none",
];

const TIMES: &[(f64, &str, &str)] = &[
    (31_556_900.0, "year", "years"),
    (604_800.0, "week", "weeks"),
    (86_400.0, "day", "days"),
    (3600.0, "hour", "hours"),
    (60.0, "min", "mins"),
    (1.0, "s", "s"),
    (1e-3, "ms", "ms"),
    (1e-6, "µs", "µs"),
    (1e-9, "ns", "ns"),
];

impl Unit {
    /// By Grafana's id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        IDS.iter().find(|(name, _)| *name == id).map(|(_, unit)| *unit)
    }

    /// Grafana's id.
    #[must_use]
    pub fn id(self) -> &'static str {
        IDS.iter().find(|(_, unit)| *unit == self).map_or("none", |(id, _)| id)
    }

    /// Whether prefixes are powers of 1024.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Bytes | Self::BytesRate)
    }

    /// The value with its unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return if value.is_nan() { "NaN".to_owned() } else { format!("{}∞", sign(value)) };
        }
        let scale = self.scale(value.abs());
        scale.write(value, digits(value / scale.size))
    }

    /// What fits an amount of this size.
    #[must_use]
    pub fn scale(self, amount: f64) -> Scale {
        let plain = |size: f64, after: &'static str| Scale { size, before: "", after, several: after };
        let decimal = |names: &[&'static str]| {
            let (size, after) = prefix(amount, 1000.0, names);
            plain(size, after)
        };
        let binary = |names: &[&'static str]| {
            let (size, after) = prefix(amount, 1024.0, names);
            plain(size, after)
        };
        match self {
            Self::Seconds => time(amount),
            Self::Ratio => plain(0.01, "%"),
            Self::Percent => plain(1.0, "%"),
            Self::Requests => decimal(&["req/s", "K req/s", "M req/s", "B req/s"]),
            Self::Operations => decimal(&["ops/s", "K ops/s", "M ops/s", "B ops/s"]),
            Self::Counts => decimal(&["c/s", "K c/s", "M c/s", "B c/s"]),
            Self::Bytes => binary(&["B", "KiB", "MiB", "GiB", "TiB", "PiB"]),
            Self::BytesRate => binary(&["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s", "PiB/s"]),
            Self::Short => decimal(&["", "K", "Mil", "Bil", "Tri"]),
            Self::Dollars => Scale { before: "$", ..decimal(&["", "K", "M", "B", "T"]) },
            Self::Plain => plain(1.0, ""),
        }
    }
}

impl Scale {
    /// A value with this many decimals. A number and its unit stay on one line.
    #[must_use]
    pub fn write(&self, value: f64, decimals: usize) -> String {
        let number = format!("{:.decimals$}", (value / self.size).abs());
        let zero = number.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let minus = if zero { "" } else { sign(value) };
        let name = if number == "1" { self.after } else { self.several };
        let space = if name.is_empty() { "" } else { "\u{a0}" };
        format!("{minus}{}{number}{space}{name}", self.before)
    }
}

const fn sign(value: f64) -> &'static str {
    if value < 0.0 { "-" } else { "" }
}

fn time(amount: f64) -> Scale {
    // 0 is written in seconds.
    let fits = TIMES.iter().find(|(size, ..)| amount >= *size);
    let least = if amount == 0.0 { (1.0, "s", "s") } else { (1e-9, "ns", "ns") };
    let (size, after, several) = fits.copied().unwrap_or(least);
    Scale { size, before: "", after, several }
}

/// The largest prefix of which the amount is at least one.
fn prefix(amount: f64, step: f64, names: &[&'static str]) -> (f64, &'static str) {
    let (mut size, mut at) = (1.0, 0);
    while at + 1 < names.len() && amount >= size * step {
        size *= step;
        at += 1;
    }
    (size, names.get(at).copied().unwrap_or_default())
}

/// Decimals that leave three significant digits; none for a whole number.
fn digits(value: f64) -> usize {
    let amount = value.abs();
    // 0.07 in per cent is 7.000000000000001.
    if (amount - amount.round()).abs() <= amount * 1e-9 {
        return 0;
    }
    // From 10^-6 to 10^6 are all scaled values; smaller ones are rounded to 8 decimals.
    (0..8).find(|decimals| amount * 10_f64.powi(*decimals) >= 99.95).map_or(8, usize_of)
}

fn usize_of(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_grafana_writes_them() {
        for (unit, value, text) in [
            (Unit::Seconds, 0.25, "250 ms"),
            (Unit::Seconds, 0.012_345, "12.3 ms"),
            (Unit::Seconds, 0.0, "0 s"),
            (Unit::Seconds, 2.5, "2.50 s"),
            (Unit::Seconds, 60.0, "1 min"),
            (Unit::Seconds, 21_600.0, "6 hours"),
            (Unit::Seconds, 0.000_002, "2 µs"),
            (Unit::Ratio, 0.123_4, "12.3 %"),
            (Unit::Ratio, -0.5, "-50 %"),
            (Unit::Percent, 99.95, "100 %"),
            (Unit::Percent, 99.5, "99.5 %"),
            (Unit::Plain, 14.4, "14.4"),
            (Unit::Plain, 0.5, "0.500"),
            (Unit::Short, 1500.0, "1.50 K"),
            (Unit::Short, 5.0, "5"),
            (Unit::Bytes, 134_217_728.0, "128 MiB"),
            (Unit::BytesRate, 2048.0, "2 KiB/s"),
            (Unit::Requests, 12.345, "12.3 req/s"),
            (Unit::Operations, 1234.0, "1.23 K ops/s"),
            (Unit::Counts, 0.0, "0 c/s"),
            (Unit::Dollars, 5.0, "$5"),
            (Unit::Dollars, -1500.0, "-$1.50 K"),
            (Unit::Plain, f64::NAN, "NaN"),
            (Unit::Plain, f64::INFINITY, "∞"),
        ] {
            assert_eq!(unit.show(value).replace('\u{a0}', " "), text, "{unit:?} {value}");
        }
    }

    #[test]
    fn every_unit_has_one_id() {
        let ids: Vec<_> = IDS.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, NAMES);
        for id in NAMES {
            assert_eq!(Unit::named(id).map(Unit::id), Some(*id));
        }
        assert_eq!(Unit::named("furlongs"), None);
    }
}
