//! Collects the mistakes of a file while its values are read, and continues: one run shows all of them.
//!
//! It knows no domain. What a value has to be is said by extension traits of the crates that read files, or by functions that
//! get the reader.

use std::fmt::Display;

use serde_saphyr::Spanned;

use super::{Problem, Problems};

/// The mistakes of one file so far, in the order in which they were found. `S` is what a format remembers while it is read.
#[derive(Debug)]
pub struct Reader<'f, S = ()> {
    file: &'f str,
    problems: Vec<Problem>,
    /// What the format remembers: lines of fields, examples of values.
    pub state: S,
}

impl<'f> Reader<'f> {
    /// For a file, as it is named in messages.
    #[must_use]
    pub const fn of(file: &'f str) -> Self {
        Self::with(file, ())
    }
}

impl<'f, S> Reader<'f, S> {
    /// The same, for a format that remembers something.
    #[must_use]
    pub const fn with(file: &'f str, state: S) -> Self {
        Self { file, problems: Vec::new(), state }
    }

    /// The file, as it is named in messages.
    #[must_use]
    pub const fn file(&self) -> &'f str {
        self.file
    }

    /// What was wrong so far.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Records a problem that has its place already, which may be in another file.
    pub fn record(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Records a problem with the value of a field.
    pub fn wrong<T>(&mut self, at: &Spanned<T>, field: &str, message: impl Into<String>) {
        self.wrong_at(at.referenced.line(), field, message);
    }

    /// The same, for a field of which only the line is known.
    pub fn wrong_at(&mut self, line: u64, field: &str, message: impl Into<String>) {
        let (file, field) = (self.file.to_owned(), field.to_owned());
        self.record(Problem { file, line, field, message: message.into() });
    }

    /// The value, or a recorded problem.
    pub fn take<T, U>(&mut self, at: &Spanned<T>, field: &str, value: Result<U, String>) -> Option<U> {
        value.map_err(|message| self.wrong(at, field, message)).ok()
    }

    /// What was read, if nothing was wrong.
    ///
    /// # Errors
    /// All problems. There are some whenever `read` is `None`, because every reader of a value records why it has none.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(Problems(self.problems)),
        }
    }
}

/// A number within bounds, for [`Reader::take`].
///
/// # Errors
/// A sentence with the bounds.
pub fn within<N: Copy + Display + PartialOrd>(value: N, least: N, most: N) -> Result<N, String> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(format!("expected {least} to {most}, found {value}"))
}

/// All values, or none if one is missing; every one is looked at, so that every problem is recorded.
pub fn all<T>(values: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let values: Vec<Option<T>> = values.collect();
    values.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Shape {
        counts: Vec<Spanned<u32>>,
    }

    fn read(text: &str) -> Result<Vec<u32>, Problems> {
        let shape = crate::parse::<Shape>("a.yaml", text).expect("the shape");
        let mut reader = Reader::of("a.yaml");
        let counts = shape.counts.iter().enumerate().map(|(index, count)| {
            let small = if count.value < 10 { Ok(count.value) } else { Err("expected less".to_owned()) };
            reader.take(count, &format!("counts[{index}]"), small)
        });
        let counts = all(counts);
        reader.finish(counts)
    }

    #[test]
    fn a_number_has_bounds() {
        assert_eq!((within(1_u32, 1, 30), within(30_u32, 1, 30)), (Ok(1), Ok(30)));
        assert_eq!(within(0_u32, 1, 30), Err("expected 1 to 30, found 0".to_owned()));
        assert_eq!(within(2.5, 0.0, 2.0), Err("expected 0 to 2, found 2.5".to_owned()));
    }

    #[test]
    fn every_mistake_is_recorded_in_order_with_its_line_and_field() {
        assert_eq!(read("counts: [1, 2]\n"), Ok(vec![1, 2]));
        let wrong = read("counts:\n  - 10\n  - 1\n  - 11\n").expect_err("mistakes").to_string();
        assert_eq!(wrong, "a.yaml:2: counts[0]: expected less\na.yaml:4: counts[2]: expected less");
    }

    #[test]
    fn what_was_read_is_refused_after_any_mistake() {
        let mut reader = Reader::with("a.yaml", 7);
        let other =
            Problem { file: "b.yaml".to_owned(), line: 1, field: "name".to_owned(), message: String::new() };
        reader.record(other.clone());
        reader.wrong_at(3, "state", format!("found {}", reader.state));
        assert_eq!((reader.file(), reader.problems().len()), ("a.yaml", 2));
        let Problems(problems) = reader.finish(Some(())).expect_err("mistakes");
        assert_eq!(problems[0], other);
        assert_eq!(problems[1].to_string(), "a.yaml:3: state: found 7");
    }
}
