//! Plans that people write in YAML: values with bounds, and every mistake with its file, line and field.

use std::time::Duration;

use serde_saphyr::Spanned;
use yaml::{Problem, Problems};

/// A text that knows its line.
pub(crate) type Text = Spanned<String>;

/// Collects problems and continues, so that one run shows all of them.
pub(crate) struct Reader<'f> {
    file: &'f str,
    problems: Vec<Problem>,
}

impl<'f> Reader<'f> {
    /// For a file, as it is named in messages.
    pub(crate) const fn of(file: &'f str) -> Self {
        Self { file, problems: Vec::new() }
    }

    /// Records a problem with the value of a field.
    pub(crate) fn wrong<T>(&mut self, at: &Spanned<T>, field: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: at.referenced.line(),
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// One line of text.
    pub(crate) fn line(&mut self, at: &Text, field: &str) -> Option<String> {
        let text = at.value.trim();
        if text.is_empty() || text.contains('\n') {
            self.wrong(at, field, "expected one line of text");
            return None;
        }
        Some(text.to_owned())
    }

    /// A duration within bounds.
    pub(crate) fn time(
        &mut self,
        at: &Text,
        field: &str,
        least: Duration,
        most: Duration,
    ) -> Option<Duration> {
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

    /// The same, with a default.
    pub(crate) fn time_or(
        &mut self,
        at: Option<&Text>,
        field: &str,
        (least, default, most): (Duration, Duration, Duration),
    ) -> Option<Duration> {
        at.map_or(Some(default), |at| self.time(at, field, least, most))
    }

    /// A share such as 20% or 0.2.
    pub(crate) fn share(&mut self, at: &Text, field: &str) -> Option<f64> {
        let share = share(&at.value);
        if let Err(message) = &share {
            self.wrong(at, field, message.clone());
        }
        share.ok()
    }

    /// One of these words.
    pub(crate) fn word(&mut self, at: &Text, field: &str, known: &[&str]) -> Option<String> {
        if known.contains(&at.value.as_str()) {
            return Some(at.value.clone());
        }
        self.wrong(at, field, format!("expected one of {}, found `{}`", known.join(", "), at.value));
        None
    }

    /// The value, if there was no problem.
    ///
    /// # Errors
    /// All problems.
    pub(crate) fn done<T>(self, value: Option<T>) -> Result<T, Problems> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Problems(self.problems)),
        }
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

/// All values, or none if one is missing; every one is looked at, so that every problem is recorded.
pub(crate) fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
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
