//! Parameters of a runbook and of a verb: their types, and which texts are values of them.

use std::time::Duration;

use serde::Serialize;

/// Longest word.
const LONGEST: usize = 128;

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// One of these.
    Choice {
        /// All of them.
        of: Vec<String>,
    },
    /// A whole number.
    Number {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// A time such as `90s`, `15m` or `1h`.
    Duration {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// Letters, digits and `_ . : * / -`: a name, an address, a pattern of keys.
    Word,
}

/// A parameter of a runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name, as the placeholders of the runbook write it.
    pub name: String,
    /// What it is, for the person who fills it in.
    pub what: String,
    /// What it may be.
    #[serde(flatten)]
    pub kind: Kind,
    /// The value if nobody gives one.
    pub default: Option<String>,
    /// The label of the alert that has the value.
    pub label: Option<String>,
}

impl Kind {
    /// A choice.
    #[must_use]
    pub fn choice(of: &[&str]) -> Self {
        Self::Choice { of: of.iter().map(|&one| one.to_owned()).collect() }
    }

    /// Whether a text is a value.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let sound = match self {
            Self::Choice { of } => of.iter().any(|one| one == text),
            Self::Number { least, most } => {
                text.parse::<i64>().is_ok_and(|number| (*least..=*most).contains(&number))
            }
            Self::Duration { least, most } => {
                duration(text).is_some_and(|time| (*least..=*most).contains(&time))
            }
            Self::Word => {
                let fits = |c: char| c.is_ascii_alphanumeric() || "_.:*/-".contains(c);
                (1..=LONGEST).contains(&text.len()) && text.chars().all(fits)
            }
        };
        if sound { Ok(()) } else { Err(format!("expected {}, found `{text}`", self.expects())) }
    }

    /// What is expected, in words.
    #[must_use]
    pub fn expects(&self) -> String {
        match self {
            Self::Choice { of } => format!("one of {}", of.join(", ")),
            Self::Number { least, most } => format!("a number from {least} to {most}"),
            Self::Duration { least, most } => format!("a time from {} to {}", words(*least), words(*most)),
            Self::Word => format!("1 to {LONGEST} letters, digits and _ . : * / -"),
        }
    }

    /// A value, to try texts with holes.
    #[must_use]
    pub fn example(&self) -> String {
        match self {
            Self::Choice { of } => of.first().cloned().unwrap_or_default(),
            Self::Number { least, .. } => least.to_string(),
            Self::Duration { least, .. } => words(*least),
            Self::Word => "example".to_owned(),
        }
    }
}

/// A time of one number and one unit: `ms` is too short for a runbook, and PromQL takes no blanks.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    let count = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Duration::from_secs(u64::from(count) * seconds))
}

/// The shortest text that [`duration`] reads as this time; whole seconds.
#[must_use]
pub fn words(time: Duration) -> String {
    let seconds = time.as_secs();
    let unit = [(86_400_u64, 'd'), (3600, 'h'), (60, 'm')];
    let unit = unit.into_iter().find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    let (length, unit) = unit.unwrap_or((1, 's'));
    format!("{}{unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_number_and_one_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
            assert_eq!(words(Duration::from_secs(seconds)), text);
        }
        for text in ["", "s", "10", "+5s", "1m30s", "-1m", "5 s", "1µ", "99999999999s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_value_is_told_what_would_be_right() {
        let said = |kind: &Kind, text: &str| kind.check(text).unwrap_err();
        assert_eq!(said(&Kind::choice(&["on", "off"]), "of"), "expected one of on, off, found `of`");
        let number = Kind::Number { least: 1, most: 9 };
        assert_eq!(said(&number, "10"), "expected a number from 1 to 9, found `10`");
        let time = Kind::Duration { least: Duration::from_secs(5), most: Duration::from_secs(3600) };
        assert_eq!(said(&time, "2h"), "expected a time from 5s to 1h, found `2h`");
        for text in ["", "a\"b", "a b", "a}", "a\\"] {
            assert!(said(&Kind::Word, text).starts_with("expected 1 to 128 letters"), "{text}");
        }
        for kind in [number, time, Kind::Word, Kind::choice(&["on"])] {
            assert_eq!(kind.check(&kind.example()), Ok(()), "an example is a value of {kind:?}");
        }
    }
}
