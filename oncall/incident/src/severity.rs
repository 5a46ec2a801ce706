//! How bad an incident is: SEV-1 to SEV-5, as PagerDuty's public incident response documentation defines them. When in
//! doubt, assume the worse one.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How bad an incident is. The worst is the least: `Sev1 < Sev2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumCount, strum::VariantArray)]
pub enum Severity {
    /// Critical; the shop is down or data is lost. A major incident.
    Sev1,
    /// Critical for many customers. A major incident.
    Sev2,
    /// Minor effect on customers, or one more failure away from a major incident. Somebody is paged.
    Sev3,
    /// No effect on customers; work for today.
    Sev4,
    /// Cosmetic.
    Sev5,
}

impl Severity {
    /// All, the worst first.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// 1 to 5; 1 is the worst.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Sev1 => 1,
            Self::Sev2 => 2,
            Self::Sev3 => 3,
            Self::Sev4 => 4,
            Self::Sev5 => 5,
        }
    }

    /// Whether a response team is assembled.
    #[must_use]
    pub const fn is_major(self) -> bool {
        matches!(self, Self::Sev1 | Self::Sev2)
    }

    /// What it means, in a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Sev1 => "The service is down or data is lost: everybody helps, around the clock.",
            Self::Sev2 => "Many customers are affected: a response team works on it, around the clock.",
            Self::Sev3 => {
                "Few customers are affected, or one more failure would affect many: somebody is paged."
            }
            Self::Sev4 => "No customer is affected: work for today.",
            Self::Sev5 => "Cosmetic: work for some day.",
        }
    }

    /// The severity of an alert, from its label `severity`: the classic four names, `page` and `ticket`, the four of the
    /// PagerDuty Events API, or `SEV-n`. An unknown or missing one counts as a page.
    #[must_use]
    pub fn of_labels(labels: &BTreeMap<String, String>) -> Self {
        labels.get("severity").and_then(|text| text.parse().ok()).unwrap_or(Self::Sev2)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SEV-{}", self.number())
    }
}

impl FromStr for Severity {
    type Err = String;

    /// Takes `SEV-1`, `sev1`, `1` and the names of [`Severity::of_labels`].
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let number =
            lower.strip_prefix("sev").map_or(lower.as_str(), |rest| rest.strip_prefix('-').unwrap_or(rest));
        match number {
            "1" | "critical" => Ok(Self::Sev1),
            // A page says that customers notice.
            "2" | "high" | "page" | "error" => Ok(Self::Sev2),
            "3" | "medium" | "warning" => Ok(Self::Sev3),
            "4" | "low" | "ticket" => Ok(Self::Sev4),
            "5" | "info" => Ok(Self::Sev5),
            _ => Err(format!("expected SEV-1 to SEV-5, critical, high, medium or low, found `{text}`")),
        }
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Severity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_names_are_the_first_four_severities() {
        for (severity, name) in Severity::ALL.into_iter().zip(["critical", "high", "medium", "low"]) {
            assert_eq!(name.parse(), Ok(severity));
            assert_eq!(severity.to_string().parse(), Ok(severity));
            assert_eq!(severity.number().to_string().parse(), Ok(severity));
        }
        assert!("SEV-6".parse::<Severity>().unwrap_err().contains("found `SEV-6`"));
    }

    #[test]
    fn an_alert_without_a_known_severity_counts_as_a_page() {
        let of =
            |text: &str| Severity::of_labels(&BTreeMap::from([("severity".to_owned(), text.to_owned())]));
        assert_eq!((of("page"), of("ticket"), of("what?")), (Severity::Sev2, Severity::Sev4, Severity::Sev2));
        assert_eq!(Severity::of_labels(&BTreeMap::new()), Severity::Sev2);
    }
}
