//! YAML files that people write: objectives, schedules. They are read into their shape, and each mistake has its file, line and
//! field.

mod problem;
pub mod shape;

pub use problem::{Problem, Problems};
use serde::de::DeserializeOwned;

/// Reads the text of `file` into its shape; fields that have to know their line are [`serde_saphyr::Spanned`].
///
/// # Errors
/// The first problem, if the text is not YAML or not of this shape.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    let mut field = String::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = path(error.path());
            error.into_inner()
        })
    });
    read.map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let message = sentence(&error);
        let field = if field.is_empty() { "document".to_owned() } else { field };
        Problem { file: file.to_owned(), line, field, message }
    })
}

/// The path without the segments that `Spanned` adds to it.
fn path(path: &serde_path_to_error::Path) -> String {
    let text = path.to_string();
    let text = text.trim_end_matches(".value").replace(".value.", ".").replace(".value[", "[");
    if text == "." { String::new() } else { text }
}

/// The first line of the message, without the position, which the problem already has.
fn sentence(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.split(" at line ").next().unwrap_or(first);
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
