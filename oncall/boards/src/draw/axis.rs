//! Axes: where the ticks are, and what is written at them.

use chrono::{DateTime, Utc};

use crate::{range, unit::Unit};

/// The axis of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Value at the bottom.
    pub low: f64,
    /// Value at the top.
    pub high: f64,
    /// Values and their texts, ascending.
    pub ticks: Vec<(f64, String)>,
}

/// Multiples of a power of ten at which people expect ticks.
const NICE: [f64; 5] = [1.0, 2.0, 2.5, 5.0, 10.0];

impl Axis {
    /// An axis around these values with at most `most` steps; a bound that is fixed stays.
    #[must_use]
    pub fn around(values: (f64, f64), fixed: (Option<f64>, Option<f64>), unit: Unit, most: u32) -> Self {
        let low = fixed.0.unwrap_or(values.0);
        let mut high = fixed.1.unwrap_or(values.1);
        if high <= low {
            // A flat line at the bottom: one step that means something.
            high = low + if unit == Unit::Percent { 100.0 } else { 1.0 };
        }
        let scale = unit.scale(high.abs().max(low.abs()));
        let (step, decimals) = nice((high - low) / scale.size / f64::from(most.max(1)));
        let step = step * scale.size;
        let low = fixed.0.unwrap_or((low / step).floor() * step);
        let high = if fixed.1.is_some() { high } else { (high / step - 1e-9).ceil() * step };
        let first = (low / step - 1e-9).ceil();
        let tick = |at: u32| (first + f64::from(at)) * step;
        // Far more than `most`, and an end if numbers are too large to count.
        let values = (0..100).map(tick).take_while(|value| *value <= high + step * 1e-9);
        let ticks = values.map(|value| (value, scale.write(value, decimals))).collect();
        Self { low, high, ticks }
    }

    /// Where a value is: 0 at the bottom, 1 at the top.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The smallest nice step of at least this size, and the decimals that it needs.
fn nice(least: f64) -> (f64, usize) {
    let magnitude = least.log10().floor();
    let power = 10_f64.powf(magnitude);
    let factor = NICE.into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9)).unwrap_or(10.0);
    let step = factor * power;
    let whole = |decimals: &i32| {
        let shifted = step * 10_f64.powi(*decimals);
        (shifted - shifted.round()).abs() < 1e-6 * shifted
    };
    let decimals = (0..9).find(whole).unwrap_or(9);
    (step, usize::try_from(decimals).unwrap_or_default())
}

/// Steps of time between two ticks, in seconds, with the format of their text.
const TIMES: &[(f64, &str)] = &[
    (5.0, "%H:%M:%S"),
    (10.0, "%H:%M:%S"),
    (15.0, "%H:%M:%S"),
    (30.0, "%H:%M:%S"),
    (60.0, "%H:%M"),
    (120.0, "%H:%M"),
    (300.0, "%H:%M"),
    (600.0, "%H:%M"),
    (900.0, "%H:%M"),
    (1800.0, "%H:%M"),
    (3600.0, "%H:%M"),
    (7200.0, "%H:%M"),
    (10_800.0, "%H:%M"),
    (21_600.0, "%m-%d %H:%M"),
    (43_200.0, "%m-%d %H:%M"),
    (86_400.0, "%m-%d"),
    (172_800.0, "%m-%d"),
    (604_800.0, "%m-%d"),
    (2_592_000.0, "%Y-%m-%d"),
    (7_776_000.0, "%Y-%m-%d"),
];

/// Ticks of a time axis with at most `most` steps: where they are, from 0 at the start to 1, and their text in UTC. Those so
/// close to an end that their text would be cut off are left out.
#[must_use]
pub fn times((from, until): (f64, f64), most: u32) -> Vec<(f64, String)> {
    let length = until - from;
    let fits = TIMES.iter().find(|(step, _)| length / step <= f64::from(most));
    let (step, format) = fits.or(TIMES.last()).copied().unwrap_or((86_400.0, "%m-%d"));
    let first = (from / step).ceil();
    let ticks = (0..most + 1).map(|at| (first + f64::from(at)) * step);
    let ticks = ticks.map(|time| ((time - from) / length, range::time(time)));
    let ticks = ticks.filter(|(share, _)| (0.03..=0.97).contains(share));
    ticks.map(|(share, time): (f64, DateTime<Utc>)| (share, time.format(format).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|(_, text)| text.replace('\u{a0}', " ")).collect()
    }

    #[test]
    fn ticks_are_round_in_the_unit_that_is_shown() {
        let axis = Axis::around((0.0, 0.187), (Some(0.0), None), Unit::Seconds, 4);
        assert_eq!(texts(&axis), ["0 ms", "50 ms", "100 ms", "150 ms", "200 ms"]);
        let axis = Axis::around((0.0, 0.03), (Some(0.0), Some(1.0)), Unit::Ratio, 5);
        assert_eq!(texts(&axis), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
        let axis = Axis::around((0.0, 9.7), (Some(0.0), None), Unit::Plain, 4);
        assert_eq!(texts(&axis), ["0.0", "2.5", "5.0", "7.5", "10.0"]);
        let axis = Axis::around((0.0, 400.0 * 1024.0 * 1024.0), (Some(0.0), None), Unit::Bytes, 4);
        assert_eq!(texts(&axis), ["0 MiB", "100 MiB", "200 MiB", "300 MiB", "400 MiB"]);
    }

    #[test]
    fn negative_and_flat_values_have_an_axis() {
        let axis = Axis::around((-0.5, 0.9), (None, None), Unit::Ratio, 4);
        assert_eq!(texts(&axis), ["-50 %", "0 %", "50 %", "100 %"]);
        let flat = Axis::around((0.0, 0.0), (Some(0.0), None), Unit::Requests, 4);
        assert_eq!((flat.low, flat.high), (0.0, 1.0));
        assert!((flat.share(0.25) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn a_time_axis_has_round_times() {
        let from = range::seconds("2026-11-29T06:47:10Z".parse().unwrap());
        let texts: Vec<String> = times((from, from + 900.0), 4).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["06:50", "06:55", "07:00"]);
        let texts: Vec<String> = times((from, from + 60.0), 4).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["06:47:15", "06:47:30", "06:47:45", "06:48:00"]);
    }
}
