//! Parses PromQL as Grafana sends it, after replacing its variables.

use std::{collections::BTreeSet, convert::Infallible};

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, Expr, LabelModifier},
    util::{ExprVisitor, walk_expr},
};

/// Grafana's values for its own variables at the lab's scrape interval of 1 s.
const GLOBALS: &[(&str, &str)] =
    &[("$__rate_interval", "15s"), ("$__range", "15m"), ("$__interval", "15s"), ("$__auto", "15s")];

/// The query with Grafana's own variables replaced; the dashboard's variables stay.
#[must_use]
pub fn expand(expr: &str) -> String {
    GLOBALS.iter().fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value))
}

/// The query as it is sent when every variable of the dashboard is set to "All".
#[must_use]
pub fn fill(expr: &str, variables: &[&str]) -> String {
    variables.iter().fold(expand(expr), |expr, name| expr.replace(&format!("\"${name}\""), "\".+\""))
}

/// A selector in a query.
#[derive(Debug, Clone)]
pub struct Selector {
    /// Metric; empty if only matchers name it.
    pub metric: String,
    /// Matchers by label, operator and value.
    pub matchers: Vec<(String, &'static str, String)>,
    /// Whether it has a range in brackets.
    pub ranged: bool,
    /// The function that it is the direct argument of.
    pub function: Option<String>,
}

/// The parts of a query.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// All selectors.
    pub selectors: Vec<Selector>,
    /// Labels of all `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`.
    pub grouping: BTreeSet<String>,
}

/// Parses a query.
///
/// # Errors
/// The parser's message.
pub fn parse(expr: &str) -> Result<Parts, String> {
    let parsed = parser::parse(&expand(expr))?;
    let mut parts = Parts::default();
    let walked: Result<bool, Infallible> = walk_expr(&mut parts, &parsed);
    // The walk never stops early.
    let _ = walked;
    Ok(parts)
}

impl ExprVisitor for Parts {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => {
                self.add(selector.name.as_ref(), &selector.matchers.matchers, false);
            }
            Expr::MatrixSelector(selector) => {
                self.add(selector.vs.name.as_ref(), &selector.vs.matchers.matchers, true);
            }
            Expr::Aggregate(aggregate) => self.group(aggregate.modifier.as_ref()),
            Expr::Binary(binary) => {
                let modifier = binary.modifier.as_ref();
                self.group(modifier.and_then(|modifier| modifier.matching.as_ref()));
                let carried = modifier.and_then(|modifier| modifier.card.labels());
                self.grouping.extend(carried.into_iter().flat_map(|labels| labels.labels.clone()));
            }
            _ => {}
        }
        Ok(true)
    }

    fn post_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        // Its arguments were visited last, so the newest selectors without a function belong to it.
        if let Expr::Call(call) = expr {
            let direct = call
                .args
                .args
                .iter()
                .filter(|arg| matches!(***arg, Expr::VectorSelector(_) | Expr::MatrixSelector(_)));
            for selector in self.selectors.iter_mut().rev().take(direct.count()) {
                selector.function.get_or_insert_with(|| call.func.name.to_owned());
            }
        }
        Ok(true)
    }
}

impl Parts {
    fn add(&mut self, name: Option<&String>, matchers: &[Matcher], ranged: bool) {
        let operator = |op: &MatchOp| match op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Re(_) => "=~",
            MatchOp::NotRe(_) => "!~",
        };
        let matchers = matchers.iter().map(|m| (m.name.clone(), operator(&m.op), m.value.clone())).collect();
        self.selectors.push(Selector {
            metric: name.cloned().unwrap_or_default(),
            matchers,
            ranged,
            function: None,
        });
    }

    fn group(&mut self, modifier: Option<&LabelModifier>) {
        if let Some(modifier) = modifier {
            self.grouping.extend(modifier.labels().labels.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_found_with_the_function_around_them() {
        let parts =
            parse(r#"sum by (a) (rate(x_total{job=~"$job"}[$__rate_interval])) / on (b) group_left (c) y"#);
        let parts = parts.unwrap();
        let [x, y] = &parts.selectors[..] else { panic!("{parts:?}") };
        assert_eq!((x.metric.as_str(), x.ranged, x.function.as_deref()), ("x_total", true, Some("rate")));
        assert_eq!(x.matchers, [("job".to_owned(), "=~", "$job".to_owned())]);
        assert_eq!((y.metric.as_str(), y.function.as_deref()), ("y", None));
        assert_eq!(parts.grouping.into_iter().collect::<String>(), "abc");
    }

    #[test]
    fn variables_of_the_board_match_everything() {
        assert_eq!(fill(r#"x{job=~"$job"}[$__range]"#, &["job"]), r#"x{job=~".+"}[15m]"#);
    }

    #[test]
    fn invalid_promql_is_refused() {
        assert!(parse("sum(rate(x[5m])").is_err());
    }
}
