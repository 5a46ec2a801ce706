//! The dashed lines of a graph, in words: a reader of the description learns where they are, and
//! `tools/grafana-check` compares these words with what Grafana draws. Amounts are written as on Grafana's axes.

use slo::window::number;

use crate::model::{Kind, Panel, Unit};

/// Up to this value a line only separates 0 from anything else.
const JUST_ABOVE: f64 = 0.001;

/// The description of a panel, followed by its dashed lines if it has any: `Dashed lines: 250 ms, 500 ms.`
pub(super) fn description(panel: &Panel) -> String {
    let lines: Vec<_> = match panel.kind {
        Kind::Lines | Kind::Stack => panel.steps.iter().filter_map(|(value, _)| *value).collect(),
        _ => Vec::new(),
    };
    let amounts: Vec<_> = lines.iter().map(|value| amount(panel.unit, *value)).collect();
    match &amounts[..] {
        [] => panel.description.to_string(),
        [one] => format!("{} Dashed line: {one}.", panel.description),
        several => format!("{} Dashed lines: {}.", panel.description, several.join(", ")),
    }
}

fn amount(unit: Unit, value: f64) -> String {
    if value > 0.0 && value <= JUST_ABOVE {
        return "just above 0".to_owned();
    }
    match unit {
        Unit::Ratio => format!("{} %", number(value * 100.0)),
        Unit::Percent => format!("{} %", number(value)),
        Unit::Plain => number(value),
        Unit::Dollars => format!("${}", scaled(value, 1000.0, &["", "K", "M"])),
        Unit::Seconds => seconds(value),
        Unit::Count => scaled(value, 1000.0, &["", "K", "Mil", "Bil"]),
        Unit::Requests => scaled(value, 1000.0, &["req/s", "K req/s", "M req/s"]),
        Unit::Operations => scaled(value, 1000.0, &["ops/s", "K ops/s", "M ops/s"]),
        Unit::Events => scaled(value, 1000.0, &["c/s", "K c/s", "M c/s"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        Unit::BytesRate => scaled(value, 1024.0, &["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s"]),
    }
}

/// In the largest unit of which it is at least one.
fn seconds(value: f64) -> String {
    let units = [
        (604_800.0, "week", "weeks"),
        (86_400.0, "day", "days"),
        (3600.0, "hour", "hours"),
        (60.0, "min", "mins"),
        (1.0, "s", "s"),
        (0.001, "ms", "ms"),
    ];
    let fits = units.into_iter().find(|(size, ..)| value.abs() >= *size);
    let (size, one, several) = fits.unwrap_or((1.0, "s", "s"));
    let count = number(value / size);
    let name = if count == "1" { one } else { several };
    format!("{count} {name}")
}

/// In the largest unit of which it is at least one; each is `step` times the one before.
fn scaled(value: f64, step: f64, names: &[&str]) -> String {
    let (mut value, mut names) = (value, names);
    while let [_, larger @ ..] = names
        && !larger.is_empty()
        && value.abs() >= step
    {
        (value, names) = (value / step, larger);
    }
    let name = names.first().copied().unwrap_or_default();
    format!("{} {name}", number(value)).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_on_the_axis() {
        for (unit, value, text) in [
            (Unit::Seconds, 0.25, "250 ms"),
            (Unit::Seconds, 2.5, "2.5 s"),
            (Unit::Seconds, 60.0, "1 min"),
            (Unit::Seconds, 21_600.0, "6 hours"),
            (Unit::Ratio, 0.07, "7 %"),
            (Unit::Percent, 99.9, "99.9 %"),
            (Unit::Plain, 14.4, "14.4"),
            (Unit::Count, 1500.0, "1.5 K"),
            (Unit::Count, 5.0, "5"),
            (Unit::Bytes, 134_217_728.0, "128 MiB"),
            (Unit::Events, 0.001, "just above 0"),
            (Unit::Dollars, 5.0, "$5"),
        ] {
            assert_eq!(amount(unit, value), text);
        }
    }

    #[test]
    fn only_a_graph_has_dashed_lines() {
        let of = |kind| {
            let panel = Panel::new(kind, "Age", Unit::Seconds, "Normal is young.");
            description(&panel.steps(&[(None, "green"), (Some(5.0), "red"), (Some(60.0), "red")]))
        };
        assert_eq!(of(Kind::Lines), "Normal is young. Dashed lines: 5 s, 1 min.");
        assert_eq!(of(Kind::Stat), "Normal is young.");
        let one =
            Panel::new(Kind::Stack, "Age", Unit::Seconds, "Normal is young.").steps(&[(Some(5.0), "red")]);
        assert_eq!(description(&one), "Normal is young. Dashed line: 5 s.");
    }
}
