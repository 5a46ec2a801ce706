//! Plans that people write in YAML: values with bounds, and every mistake with its file, line and field.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::Reader;

/// A text that knows its line.
pub(crate) type Text = Spanned<String>;

/// Values of plans.
pub(crate) trait Values {
    /// One line of text.
    fn line(&mut self, at: &Text, field: &str) -> Option<String>;

    /// A duration within bounds.
    fn time(&mut self, at: &Text, field: &str, least: Duration, most: Duration) -> Option<Duration>;

    /// The same, with a default.
    fn time_or(
        &mut self,
        at: Option<&Text>,
        field: &str,
        bounds: (Duration, Duration, Duration),
    ) -> Option<Duration>;

    /// A share such as 20% or 0.2.
    fn share(&mut self, at: &Text, field: &str) -> Option<f64>;

    /// One of these words.
    fn word(&mut self, at: &Text, field: &str, known: &[&str]) -> Option<String>;
}

impl Values for Reader<'_> {
    fn line(&mut self, at: &Text, field: &str) -> Option<String> {
        let text = at.value.trim();
        if text.is_empty() || text.contains('\n') {
            self.wrong(at, field, "expected one line of text");
            return None;
        }
        Some(text.to_owned())
    }

    fn time(&mut self, at: &Text, field: &str, least: Duration, most: Duration) -> Option<Duration> {
        match humantime::parse_duration(&at.value) {
            Ok(time) if (least..=most).contains(&time) => Some(time),
            _ => {
                let human = humantime::format_duration;
                let found = &at.value;
                let message =
                    format!("expected {} to {}, such as 30s, found `{found}`", human(least), human(most));
                self.wrong(at, field, message);
                None
            }
        }
    }

    fn time_or(
        &mut self,
        at: Option<&Text>,
        field: &str,
        (least, default, most): (Duration, Duration, Duration),
    ) -> Option<Duration> {
        at.map_or(Some(default), |at| self.time(at, field, least, most))
    }

    fn share(&mut self, at: &Text, field: &str) -> Option<f64> {
        let share = share(&at.value);
        if let Err(message) = &share {
            self.wrong(at, field, message.clone());
        }
        share.ok()
    }

    fn word(&mut self, at: &Text, field: &str, known: &[&str]) -> Option<String> {
        if known.contains(&at.value.as_str()) {
            return Some(at.value.clone());
        }
        self.wrong(at, field, format!("expected one of {}, found `{}`", known.join(", "), at.value));
        None
    }
}

/// Reads a share such as 20% or 0.2.
///
/// # Errors
/// A sentence with the expected form.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("expected above 0 and at most 100 %, such as 20% or 0.2, found `{text}`");
    chassis_text::share(text).filter(|share| *share > 0.0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        assert_eq!((share("20%"), share("0.2"), share("100 %")), (Ok(0.2), Ok(0.2), Ok(1.0)));
        for wrong in ["", "0", "120%", "-1", "half"] {
            assert!(share(wrong).unwrap_err().contains("20%"), "{wrong}");
        }
    }
}
