//! A threshold that nothing reaches, in a query of an alert. The text is changed, not its tree: what is not a
//! comparison stays as Prometheus has it, letter by letter.

use super::scan::piece;

/// More than any metric of the lab reaches.
const OUT_OF_REACH: &str = "1e15";
/// The longer ones first.
const OPERATORS: [&str; 6] = ["==", "!=", ">=", "<=", ">", "<"];

/// The query with every threshold out of reach: what is compared with a number is compared with one that
/// nothing has.
pub(super) fn raise(query: &str) -> String {
    let (mut raised, mut rest) = (String::new(), query);
    while !rest.is_empty() {
        let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(*operator));
        // Braces and quotes are taken as a whole: what looks like a comparison in them is none.
        let taken = operator.map_or_else(|| piece(rest), str::len);
        raised.push_str(&rest[..taken]);
        rest = &rest[taken..];
        if let Some(operator) = operator.filter(|operator| *operator != "!=" && is_number(rest)) {
            let sign = if operator.starts_with('<') { "-" } else { "" };
            raised.push_str(&format!(" {sign}{OUT_OF_REACH} + "));
        }
    }
    raised
}

/// Whether what stands here begins with a number, perhaps in parentheses.
fn is_number(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches(['(', '-', ' ']);
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
}

#[cfg(test)]
mod tests {
    use promql_parser::parser;

    use super::*;

    #[test]
    fn only_comparisons_with_a_number_are_raised() {
        for (query, raised) in [
            ("a{x=\"b > 1\", y!=\"2\"} >= 5", "a{x=\"b > 1\", y!=\"2\"} >= 1e15 +  5"),
            ("a < 256 * 1024 and b > 0", "a < -1e15 +  256 * 1024 and b > 1e15 +  0"),
            ("a == 2 unless b > on (x) c", "a == 1e15 +  2 unless b > on (x) c"),
            ("a{b=~`x\\`} > (14.4 * 0.001)", "a{b=~`x\\`} > 1e15 +  (14.4 * 0.001)"),
            ("absent(a)", "absent(a)"),
        ] {
            assert_eq!(raise(query), raised, "{query}");
        }
        let parsed = parser::parse(&raise("a / (b > 0) > 0.05"));
        assert!(parsed.is_ok(), "{parsed:?}");
    }
}
