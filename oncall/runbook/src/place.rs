//! Where a run is: a precondition, a step, or what takes the act of a step back.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Where a run is. Written `precondition-1`, `step-3`, `undo-3`; counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A precondition, by its index.
    Precondition(usize),
    /// A step, by its index.
    Step(usize),
    /// What takes the act of this step back.
    Undo(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, index) = match self {
            Self::Precondition(index) => ("precondition", index),
            Self::Step(index) => ("step", index),
            Self::Undo(index) => ("undo", index),
        };
        write!(f, "{word}-{}", index + 1)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once('-').and_then(|(word, number)| {
            let index = number.parse::<usize>().ok()?.checked_sub(1)?;
            match word {
                "precondition" => Some(Self::Precondition(index)),
                "step" => Some(Self::Step(index)),
                "undo" => Some(Self::Undo(index)),
                _ => None,
            }
        });
        parts.ok_or_else(|| format!("expected a place such as step-3, found `{text}`"))
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for (place, text) in [
            (Place::Precondition(0), "precondition-1"),
            (Place::Step(2), "step-3"),
            (Place::Undo(9), "undo-10"),
        ] {
            assert_eq!(place.to_string(), text);
            assert_eq!(text.parse(), Ok(place));
        }
        for text in ["", "step", "step-0", "step-x", "walk-1"] {
            assert!(text.parse::<Place>().unwrap_err().ends_with(&format!("found `{text}`")), "{text}");
        }
    }
}
