//! What has to hold, in the words of a scenario:
//!
//! ```text
//! p99 < 250ms                         all requests, from when they were due
//! place-order p99.9 < 1s              one step
//! errors < 0.1 %                      skipped == 0                   throughput >= 100
//! settle within 5s for 99 %           one step: its share of successes within a time
//! ```

use std::{str::FromStr, time::Duration};

/// A limit of one measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As it was written.
    pub text: String,
    /// The step; `None` for all steps that do not wait for a result.
    pub step: Option<String>,
    /// What is measured.
    pub measure: Measure,
    /// How it is compared.
    pub sign: Sign,
    /// With what: milliseconds, a share from 0 to 1, a count, or requests per second.
    pub limit: f64,
}

/// What a threshold measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// A quantile of the response time, 0 to 1, in milliseconds.
    Quantile(f64),
    /// Share of requests that failed.
    Errors,
    /// Starts that were due and did not happen.
    Skipped,
    /// Requests per second that succeeded.
    Throughput,
    /// Share of requests that succeeded within this time.
    Within(Duration),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Sign {
    /// Whether `seen` is on the right side of `limit`.
    #[must_use]
    pub fn holds(self, seen: f64, limit: f64) -> bool {
        match self {
            Self::Below => seen < limit,
            Self::AtMost => seen <= limit,
            Self::Equal => (seen - limit).abs() < f64::EPSILON,
            Self::AtLeast => seen >= limit,
            Self::Above => seen > limit,
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "<" => Self::Below,
            "<=" => Self::AtMost,
            "==" => Self::Equal,
            ">=" => Self::AtLeast,
            ">" => Self::Above,
            _ => return Err(format!("`{text}` is not one of < <= == >= >")),
        })
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form =
            || format!("`{text}` is not like `p99 < 250ms`, `errors < 0.1 %` or `settle within 5s for 99 %`");
        let words: Vec<&str> = text.split_whitespace().collect();
        let make = |step: Option<&str>, measure, sign, limit| Self {
            text: text.to_owned(),
            step: step.map(str::to_owned),
            measure,
            sign,
            limit,
        };
        if let [step, "within", time, "for", share @ ..] = words.as_slice() {
            let measure = Measure::Within(duration(time)?);
            return Ok(make(Some(*step), measure, Sign::AtLeast, self::share(&share.concat())?));
        }
        let at = words.iter().position(|word| word.starts_with(['<', '=', '>'])).ok_or_else(form)?;
        let (what, sign, limit) = (&words[..at], Sign::parse(words[at])?, words[at + 1..].concat());
        let (step, measure) = match what {
            [measure] => (None, *measure),
            [step, measure] => (Some(*step), *measure),
            _ => return Err(form()),
        };
        let measure = named(measure).ok_or_else(form)?;
        if step.is_some() && measure == Measure::Skipped {
            return Err(format!("`{text}`: journeys are skipped, not steps"));
        }
        let limit = match measure {
            Measure::Quantile(_) => duration(&limit)?.as_secs_f64() * 1_000.0,
            Measure::Errors | Measure::Within(_) => share(&limit)?,
            Measure::Skipped | Measure::Throughput => number(&limit)?,
        };
        Ok(make(step, measure, sign, limit))
    }
}

fn named(text: &str) -> Option<Measure> {
    match text {
        "errors" => Some(Measure::Errors),
        "skipped" => Some(Measure::Skipped),
        "throughput" => Some(Measure::Throughput),
        "max" => Some(Measure::Quantile(1.0)),
        _ => {
            let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(Measure::Quantile(percent / 100.0))
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| format!("`{text}` is not a duration such as 250ms or 5s"))
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| format!("`{text}` is not a number of 0 or more"))
}

/// `99%` is 0.99; a number without the sign is a share already.
fn share(text: &str) -> Result<f64, String> {
    chassis_text::share(text).ok_or_else(|| format!("`{text}` is not a share such as 0.1 % or 0.001"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, Measure, Sign, f64) {
        let threshold: Threshold = text.parse().unwrap();
        (threshold.step, threshold.measure, threshold.sign, threshold.limit)
    }

    #[test]
    fn thresholds_read_as_they_are_said() {
        assert_eq!(parsed("p99 < 250ms"), (None, Measure::Quantile(0.99), Sign::Below, 250.0));
        assert_eq!(parsed("place-order max <= 1s").0.as_deref(), Some("place-order"));
        let (step, measure, sign, limit) = parsed("errors < 0.1 %");
        assert_eq!((step, measure, sign), (None, Measure::Errors, Sign::Below));
        assert!((limit - 0.001).abs() < 1e-12);
        assert_eq!(parsed("skipped == 0"), (None, Measure::Skipped, Sign::Equal, 0.0));
        let settled =
            (Some("settle".to_owned()), Measure::Within(Duration::from_secs(5)), Sign::AtLeast, 0.99);
        assert_eq!(parsed("settle within 5s for 99 %"), settled);
    }

    #[test]
    fn what_is_not_a_threshold_is_refused_with_the_expected_form() {
        for (text, said) in [
            ("p99", "p99 < 250ms"),
            ("p101 < 1s", "p99 < 250ms"),
            ("p99 < 250", "duration"),
            ("p99 =< 1s", "one of"),
            ("errors < 300 %", "share"),
            ("settle skipped == 0", "journeys"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err();
            assert!(error.contains(said), "`{text}` -> {error}");
        }
    }
}
