//! YAML files that people write: objectives, schedules. They are read into their shape, and each mistake has its file, line and
//! field.

pub mod conform;
mod problem;
mod reader;
pub mod shape;

use erased_serde::Deserializer as Erased;
pub use problem::{Problem, Problems};
pub use reader::{Reader, all, within};
use serde::de::{DeserializeOwned, Error as _};
use serde_path_to_error::{Deserializer as Tracking, Track};

/// Reads the text of `file` into its shape; fields that have to know their line are [`serde_saphyr::Spanned`].
///
/// # Errors
/// The first problem, if the text is not YAML or not of this shape.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    let mut whole = None;
    read(file, text, &mut |deserializer| {
        whole = Some(erased_serde::deserialize(deserializer)?);
        Ok(())
    })?;
    whole.ok_or_else(|| Problem {
        file: file.to_owned(),
        line: 1,
        field: "document".to_owned(),
        message: "there is nothing to read".to_owned(),
    })
}

/// What reads a whole document.
type Fill<'f> = dyn FnMut(&mut dyn Erased<'_>) -> Result<(), erased_serde::Error> + 'f;

/// The same for every shape. The reader of YAML is generic, and so is what keeps the path: compiled for each of the hundreds of
/// types that files contain, they were a third of the code of the programs.
fn read(file: &str, text: &str, fill: &mut Fill<'_>) -> Result<(), Problem> {
    let mut track = Track::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        let mut erased = <dyn Erased<'_>>::erase(Tracking::new(deserializer, &mut track));
        fill(&mut erased).map_err(serde_saphyr::Error::custom)
    });
    read.map_err(|error| {
        let text = error.without_snippet().to_string();
        let field = path(&track.path());
        let field = if field.is_empty() { "document".to_owned() } else { field };
        let line = line(&text).or_else(|| Some(error.location()?.line())).unwrap_or(1);
        Problem { file: file.to_owned(), line, field, message: sentence(&text) }
    })
}

/// The path without the segments that `Spanned` adds to it.
fn path(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    let text = text.trim_end_matches(".value").replace(".value.", ".").replace(".value[", "[");
    if text == "." { String::new() } else { text }
}

/// Before the position in the text of an error. Each place that an error passes on its way up adds its own: the first one is the
/// closest to the mistake.
const POSITION: &str = " at line ";

/// The line that the text of an error names first, counted from 1.
fn line(text: &str) -> Option<u64> {
    let (_, after) = text.split_once(POSITION)?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The first line of the text of an error, without the position, which the problem already has.
fn sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    let first = first.split(POSITION).next().unwrap_or(first);
    first.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_saphyr::Spanned;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[serde(rename = "list")]
        _list: Vec<Spanned<Item>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        #[serde(rename = "count")]
        _count: Spanned<u32>,
    }

    fn problem(text: &str) -> String {
        parse::<Shape>("a.yaml", text).expect_err("a mistake").to_string()
    }

    #[test]
    fn a_mistake_has_its_file_line_and_field() {
        assert!(parse::<Shape>("a.yaml", "list:\n  - count: 1\n").is_ok());
        let wrong = problem("list:\n  - count: 1\n  - count: many\n");
        assert!(wrong.starts_with("a.yaml:3: list[1].count: "), "{wrong}");
        let unknown = problem("list:\n  - count: 1\n    color: red\n");
        assert!(unknown.starts_with("a.yaml:3: ") && unknown.contains("color"), "{unknown}");
        let broken = problem("list: [");
        assert!(broken.starts_with("a.yaml:") && !broken.contains('\n'), "{broken}");
    }
}
