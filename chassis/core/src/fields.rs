//! What is wrong with an input, field by field.

use std::{collections::BTreeMap, fmt::Display};

/// The wrong fields of an input: the JSON pointer of each, or the name of a parameter or header -> what would be right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// One wrong field.
    #[must_use]
    pub fn one(name: impl Display, expected: impl Display) -> Self {
        Self(BTreeMap::from([(name.to_string(), expected.to_string())]))
    }

    /// Notes the field `name` unless it is `valid`, so that a caller learns of all its mistakes at once. Texts are made only then: pass `format_args!`, not `format!`.
    pub fn unless(&mut self, valid: bool, name: impl Display, expected: impl Display) {
        if !valid {
            self.0.insert(name.to_string(), expected.to_string());
        }
    }

    /// The `value` of an input without a wrong field.
    ///
    /// # Errors
    /// The wrong fields, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Names of the wrong fields, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl IntoIterator for Fields {
    type Item = (String, String);
    type IntoIter = std::collections::btree_map::IntoIter<String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_passes_or_every_wrong_field_is_named() {
        let check = |name: &str, age: u8| {
            let mut wrong = Fields::default();
            wrong.unless(!name.is_empty(), "/name", "at least 1 character");
            wrong.unless(age < 150, format_args!("/{}", "age"), "less than 150");
            wrong.or(name.len())
        };
        assert_eq!(check("Ada", 36), Ok(3));
        assert_eq!(check("Ada", 200), Err(Fields::one("/age", "less than 150")));
        assert_eq!(check("", 200).unwrap_err().names().collect::<Vec<_>>(), ["/age", "/name"]);
    }
}
