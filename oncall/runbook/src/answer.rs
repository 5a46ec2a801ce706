//! What came back from a question, and whether it is what a step expects.
//!
//! No data is never good: an empty answer holds only where the step says `empty: holds`, and a question that failed only where
//! the step wants no answer (`status: not 200`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Samples and rows that are shown in a line.
const SHOWN: usize = 3;

/// A sample of an instant vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its labels, without the name of the metric.
    pub labels: BTreeMap<String, String>,
    /// Its value; written as text, because JSON has no NaN.
    #[serde(with = "number")]
    pub value: f64,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answer {
    /// Of Prometheus; a scalar is one sample without labels.
    Samples {
        /// The samples.
        samples: Vec<Sample>,
    },
    /// Of the logs.
    Lines {
        /// How many lines match.
        count: u64,
        /// The newest of them.
        newest: Option<String>,
    },
    /// Of a service.
    Status {
        /// The status of HTTP.
        code: u16,
        /// The begin of the body.
        body: String,
    },
    /// Of a database.
    Rows {
        /// Names of the columns.
        columns: Vec<String>,
        /// The rows, as text.
        rows: Vec<Vec<String>>,
    },
    /// The question could not be asked.
    Failed {
        /// Why.
        why: String,
    },
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display, strum::EnumString)]
pub enum Op {
    /// Less.
    #[serde(rename = "<")]
    #[strum(serialize = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    #[strum(serialize = "<=")]
    AtMost,
    /// More.
    #[serde(rename = ">")]
    #[strum(serialize = ">")]
    More,
    /// More or equal.
    #[serde(rename = ">=")]
    #[strum(serialize = ">=")]
    AtLeast,
    /// Equal.
    #[serde(rename = "==")]
    #[strum(serialize = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    #[strum(serialize = "!=")]
    Unequal,
}

/// A limit: `< 5`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compare {
    /// How.
    pub op: Op,
    /// With what.
    pub limit: f64,
}

/// What a step expects.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Expect {
    /// Each sample, or the number of log lines.
    Value {
        /// The limit.
        is: Compare,
        /// Whether it holds if there is no sample.
        empty_holds: bool,
    },
    /// The status of HTTP.
    Status {
        /// Which.
        code: u16,
        /// Any other one, or no answer at all.
        not: bool,
    },
    /// The number of rows; without a limit the rows are only shown.
    Rows {
        /// The limit.
        is: Option<Compare>,
    },
}

impl Compare {
    /// Reads `< 5`.
    ///
    /// # Errors
    /// What was expected.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a comparison such as \"< 5\" or \">= 0.99\", found `{text}`");
        let (op, limit) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let op = op.parse().map_err(|_| wrong())?;
        let limit = limit.trim().parse::<f64>().ok().filter(|limit| limit.is_finite()).ok_or_else(wrong)?;
        Ok(Self { op, limit })
    }

    /// Whether a value is so. Nothing is known of NaN, so it never is.
    #[must_use]
    pub fn holds(self, value: f64) -> bool {
        match self.op {
            Op::Less => value < self.limit,
            Op::AtMost => value <= self.limit,
            Op::More => value > self.limit,
            Op::AtLeast => value >= self.limit,
            Op::Equal => (value - self.limit).abs() < f64::EPSILON,
            Op::Unequal => (value - self.limit).abs() >= f64::EPSILON,
        }
    }
}

impl std::fmt::Display for Compare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.op, self.limit)
    }
}

impl Expect {
    /// Whether an answer is as expected. An answer of another kind is not.
    #[must_use]
    pub fn holds(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (Self::Value { is, empty_holds }, Answer::Samples { samples }) => {
                if samples.is_empty() {
                    *empty_holds
                } else {
                    samples.iter().all(|sample| is.holds(sample.value))
                }
            }
            (Self::Value { is, .. }, Answer::Lines { count, .. }) => is.holds(*count as f64),
            (Self::Status { code, not }, Answer::Status { code: found, .. }) => (code == found) != *not,
            (Self::Status { not, .. }, Answer::Failed { .. }) => *not,
            (Self::Rows { is }, Answer::Rows { rows, .. }) => is.is_none_or(|is| is.holds(rows.len() as f64)),
            _ => false,
        }
    }

    /// What is expected, in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Value { is, empty_holds: false } => is.to_string(),
            Self::Value { is, empty_holds: true } => format!("{is}, or nothing"),
            Self::Status { code, not: false } => format!("status {code}"),
            Self::Status { code, not: true } => format!("not status {code}"),
            Self::Rows { is: Some(is) } => format!("number of rows {is}"),
            Self::Rows { is: None } => "shown only".to_owned(),
        }
    }
}

impl Answer {
    /// What came back, in a line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Samples { samples } if samples.is_empty() => "nothing".to_owned(),
            Self::Samples { samples } => line(samples.iter().map(sample), samples.len()),
            Self::Lines { count, newest } => {
                let newest =
                    newest.as_ref().map_or_else(String::new, |newest| format!("; the newest: {newest}"));
                format!("{count} lines{newest}")
            }
            Self::Status { code, body } if body.trim().is_empty() => format!("status {code}"),
            Self::Status { code, body } => format!("status {code}: {}", body.trim()),
            Self::Rows { rows, .. } if rows.is_empty() => "no rows".to_owned(),
            Self::Rows { rows, .. } => {
                let count = rows.len();
                format!("{count} rows: {}", line(rows.iter().map(|row| row.join(", ")), count))
            }
            Self::Failed { why } => format!("could not be asked: {why}"),
        }
    }
}

fn sample(sample: &Sample) -> String {
    let labels: Vec<String> = sample.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    format!("{}{labels}", sample.value)
}

fn line(parts: impl Iterator<Item = String>, count: usize) -> String {
    let first: Vec<String> = parts.take(SHOWN).collect();
    let more = count.saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", first.join("; "))
}

/// Numbers as text, as Prometheus writes them.
mod number {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("expected a number, found `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Answer {
        let sample = |value: &f64| Sample { labels: BTreeMap::new(), value: *value };
        Answer::Samples { samples: values.iter().map(sample).collect() }
    }

    fn expect(is: &str, empty_holds: bool) -> Expect {
        Expect::Value { is: Compare::read(is).unwrap(), empty_holds }
    }

    #[test]
    fn a_limit_holds_if_every_sample_keeps_it() {
        assert!(expect("< 5", false).holds(&samples(&[1.0, 4.9])));
        assert!(!expect("< 5", false).holds(&samples(&[1.0, 5.0])));
        assert!(expect("== 0", false).holds(&samples(&[0.0])));
        for text in ["5", "<5", "~ 5", "< many", "< inf", ""] {
            assert!(Compare::read(text).unwrap_err().ends_with(&format!("found `{text}`")), "{text}");
        }
    }

    #[test]
    fn no_data_is_never_good_unless_the_step_says_so() {
        for is in ["< 5", ">= 0", "!= 1"] {
            assert!(!expect(is, false).holds(&samples(&[])), "{is}");
            assert!(!expect(is, true).holds(&Answer::Failed { why: "refused".to_owned() }), "{is}");
            assert!(expect(is, true).holds(&samples(&[])), "{is}");
            assert!(!expect(is, true).holds(&samples(&[f64::NAN])), "{is}");
        }
    }

    #[test]
    fn a_service_that_should_not_be_ready_need_not_answer() {
        let ready = Answer::Status { code: 200, body: String::new() };
        let gone = Answer::Failed { why: "timed out".to_owned() };
        let (is, not) = (Expect::Status { code: 200, not: false }, Expect::Status { code: 200, not: true });
        assert!(is.holds(&ready) && !is.holds(&gone));
        assert!(!not.holds(&ready) && not.holds(&gone));
    }

    #[test]
    fn an_answer_is_the_same_after_it_was_kept() {
        for value in [1.5, f64::INFINITY, f64::NAN] {
            let text = serde_json::to_string(&samples(&[value])).unwrap();
            let back: Answer = serde_json::from_str(&text).unwrap();
            assert_eq!(back.text(), samples(&[value]).text());
        }
        assert_eq!(samples(&[1.0, 2.0, 3.0, 4.0, 5.0]).text(), "1; 2; 3; and 2 more");
    }
}
