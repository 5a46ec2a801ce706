//! Reads a vector selector, `name{label="value", …}`: the only PromQL that specs have. A parser of all PromQL and the parser
//! generator behind it would be a twentieth of what the first `./lab up` compiles; a test compares this one with it.

use regex::Regex;

use super::{Matcher, Op};

/// A metric name, if there is one, and the matchers in their order.
pub(super) type Parts = (Option<String>, Vec<Matcher>);

/// Reads the whole of `text`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Parts, String> {
    let mut reader = Reader { rest: text };
    let name = reader.word(true);
    let matchers = if reader.takes("{") { reader.matchers()? } else { Vec::new() };
    if !reader.rest.trim_start().is_empty() {
        return Err(format!("`{}` is more than a selector", text.trim()));
    }
    Ok((name, matchers))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Up to the closing brace.
    fn matchers(&mut self) -> Result<Vec<Matcher>, String> {
        let mut matchers = Vec::new();
        while !self.takes("}") {
            matchers.push(self.matcher()?);
            if self.takes(",") {
                continue;
            }
            return if self.takes("}") { Ok(matchers) } else { Err(self.missing("`,` or `}`")) };
        }
        Ok(matchers)
    }

    fn matcher(&mut self) -> Result<Matcher, String> {
        let label = self.word(false).ok_or_else(|| self.missing("a label"))?;
        let ops = [("=~", Op::Like), ("!~", Op::Unlike), ("!=", Op::IsNot), ("=", Op::Is)];
        let op = ops.into_iter().find_map(|(sign, op)| self.takes(sign).then_some(op));
        let op = op.ok_or_else(|| self.missing("=, !=, =~ or !~"))?;
        let value = self.value()?;
        if matches!(op, Op::Like | Op::Unlike) && Regex::new(&format!("^(?s:{value})$")).is_err() {
            return Err(format!("`{value}` is not a regular expression"));
        }
        Ok(Matcher { label, op, value })
    }

    /// A name of a metric, which may have colons, or of a label.
    fn word(&mut self, colons: bool) -> Option<String> {
        let text = self.rest.trim_start();
        let begins = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
        let end = text.find(|c: char| !begins(c) && !c.is_ascii_digit()).unwrap_or(text.len());
        if !text.starts_with(begins) {
            return None;
        }
        self.rest = &text[end..];
        Some(text[..end].to_owned())
    }

    /// A text in quotes. Between backticks a backslash is a backslash.
    fn value(&mut self) -> Result<String, String> {
        let quotes = ["\"", "'", "`"];
        let quote = quotes.into_iter().find(|quote| self.takes(quote));
        let quote =
            quote.and_then(|quote| quote.chars().next()).ok_or_else(|| self.missing("a value in quotes"))?;
        let mut value = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(value);
                }
                '\\' if quote != '`' => {
                    let escape = chars.next().map(|(_, c)| c).unwrap_or_default();
                    value.push(
                        unescaped(escape, quote)
                            .ok_or_else(|| format!("`\\{escape}` in a value is not read"))?,
                    );
                }
                c => value.push(c),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    /// Goes over `sign`, if it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        let after = self.rest.trim_start().strip_prefix(sign);
        if let Some(after) = after {
            self.rest = after;
        }
        after.is_some()
    }

    fn missing(&self, what: &str) -> String {
        match self.rest.trim() {
            "" => format!("{what} is missing at the end"),
            rest => format!("{what} is missing before `{rest}`"),
        }
    }
}

fn unescaped(escape: char, quote: char) -> Option<char> {
    match escape {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '\\' => Some('\\'),
        c if c == quote => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use promql_parser::{
        label::MatchOp,
        parser::{self, Expr},
    };
    use proptest::prelude::*;

    use super::*;

    /// As a parser of all PromQL reads it.
    fn reference(text: &str) -> Option<Parts> {
        let Ok(Expr::VectorSelector(selector)) = parser::parse(text) else { return None };
        let matchers = selector.matchers.matchers.into_iter().map(|matcher| Matcher {
            op: match matcher.op {
                MatchOp::Equal => Op::Is,
                MatchOp::NotEqual => Op::IsNot,
                MatchOp::Re(_) => Op::Like,
                MatchOp::NotRe(_) => Op::Unlike,
            },
            label: matcher.name,
            value: matcher.value,
        });
        Some((selector.name, matchers.collect()))
    }

    fn selectors() -> impl Strategy<Value = String> {
        let value =
            prop_oneof![r#""[a-z0-9.|/ ]{0,5}""#, r#""a\\\\[.nd]""#, "'[a-z \"]{0,4}'", "`[a-z.]{0,4}`"];
        let matcher = (" ?l_[a-z0-9_]{0,6} ?", prop_oneof!["=", "!=", "=~", "!~"], " ?", value)
            .prop_map(|(label, op, space, value)| format!("{label}{op}{space}{value}"));
        let matchers = proptest::collection::vec(matcher, 0..4).prop_map(|matchers| matchers.join(","));
        ("m_[a-z0-9_:]{0,8} ?", prop_oneof![Just(""), Just("{"), Just("{}")], matchers, "[,} ]{0,2}")
            .prop_map(|(name, open, matchers, end)| match open {
                "{" => format!("{name}{{{matchers}{end}}}"),
                open => format!("{name}{open}{end}"),
            })
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_a_parser_of_all_promql_reads(text in selectors()) {
            prop_assert_eq!(read(&text).ok(), reference(&text), "{}", text);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, said) in [
            ("a{", "a label is missing at the end"),
            ("a{b}", "=, !=, =~ or !~ is missing before `}`"),
            ("a{b=5}", "a value in quotes is missing before `5}`"),
            (r#"a{b="x" c="y"}"#, "`,` or `}` is missing before `c=\"y\"}`"),
            (r#"a{b="x}"#, "a quote is not closed"),
            (r#"a{b=~"("}"#, "`(` is not a regular expression"),
            (r#"a{b="\q"}"#, "`\\q` in a value is not read"),
            ("a[5m]", "`a[5m]` is more than a selector"),
            ("a offset 5m", "more than a selector"),
        ] {
            let problem = read(text).expect_err(text);
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }
}
