//! Names of incidents: `INC-7`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Number of an incident, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INC-{}", self.0)
    }
}

impl FromStr for Id {
    type Err = String;

    /// Takes `INC-7`, `inc-7` and `7`.
    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            text.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("INC-")).map_or(text, |_| &text[4..]);
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|number| digits && *number > 0);
        number.map(Self).ok_or_else(|| format!("expected an incident such as INC-7, found `{text}`"))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_named_with_or_without_its_prefix() {
        for text in ["INC-7", "inc-7", "7"] {
            assert_eq!(text.parse(), Ok(Id(7)));
        }
        for text in ["", "INC-", "INC-0", "INC-+7", "7a", "ÄNC-7", "INC-99999999999999999999"] {
            assert!(text.parse::<Id>().unwrap_err().contains("such as INC-7"), "{text}");
        }
        assert_eq!(serde_json::to_string(&Id(7)).unwrap(), "\"INC-7\"");
    }
}
