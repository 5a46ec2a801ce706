//! Texts with holes that parameters fill: `up{job="${service}"}`. A value is a choice, a number, a duration or a word,
//! so it cannot end a quoted string of PromQL.

use std::collections::BTreeMap;

use serde::Serialize;

/// A text with holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Template(String);

enum Piece<'t> {
    Text(&'t str),
    Hole(&'t str),
}

/// An unclosed hole stays part of the last text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        pieces.extend([Piece::Text(before), Piece::Hole(name)]);
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

impl Template {
    /// A text whose holes are all closed and named in `known`.
    ///
    /// # Errors
    /// Names the hole, and the names that there are.
    pub fn new(text: &str, known: &BTreeMap<String, String>) -> Result<Self, String> {
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) if text.contains("${") => {
                    return Err("`${` without `}`: expected a hole such as ${service}".to_owned());
                }
                Piece::Hole(name) if !known.contains_key(name) => {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    return Err(format!("`${{{name}}}` is not known: expected one of {}", names.join(", ")));
                }
                _ => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, with its holes.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text with values in its holes.
    #[must_use]
    pub fn render(&self, values: &BTreeMap<String, String>) -> String {
        let mut text = String::with_capacity(self.0.len());
        for piece in pieces(&self.0) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Hole(name) => text.push_str(values.get(name).map_or("", String::as_str)),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_unknown_ones_are_refused() {
        let values = BTreeMap::from([("service".to_owned(), "order-api".to_owned())]);
        let template = Template::new("up{job=\"${service}\"} == ${service}", &values).unwrap();
        assert_eq!(template.render(&values), "up{job=\"order-api\"} == order-api");
        let unknown = Template::new("${servce}", &values).unwrap_err();
        assert_eq!(unknown, "`${servce}` is not known: expected one of service");
        assert!(Template::new("a ${service", &values).unwrap_err().contains("without `}`"));
        assert_eq!(Template::new("{a} $b", &values).unwrap().render(&values), "{a} $b");
    }
}
