//! Answers to PromQL queries without a database: the labels that the query would have, with numbers that move a little all the
//! time. Enough to draw every panel with data; nothing here is measured.
//!
//! A query that is not PromQL is an error, as Prometheus has it.

mod labels;

use std::{collections::BTreeMap, f64::consts::TAU};

use promql_parser::{
    label::{MatchOp, Matcher, Matchers},
    parser::{
        AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector, parse,
    },
};

pub(crate) use labels::values;
use labels::{chosen, only, usual};

/// Labels of a series.
pub(crate) type Labels = BTreeMap<String, String>;

/// The services; what is measured has their labels unless a query asks for others.
pub(crate) const SERVICES: [&str; 4] = ["order-api", "user-service", "order-worker", "edge"];

/// What names of metrics about failures have.
const FAILURES: [&str; 8] =
    ["error", "dropped", "evicted", "failed", "lost", "refused", "rejected", "skipped"];

/// A series, with the size of its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    size: f64,
    /// Whether its value never changes.
    still: bool,
}

/// What a query answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// One number.
    Number(Series),
    /// Series.
    Series(Vec<Series>),
}

/// What the numbers depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    /// When all processes started, in seconds since 1970.
    pub(crate) started: f64,
    /// Whether orders fail.
    pub(crate) failing: bool,
}

impl Series {
    fn plain(size: f64) -> Self {
        Self { labels: Labels::new(), size, still: true }
    }

    /// Its value at a time.
    pub(crate) fn at(&self, time: f64) -> f64 {
        if self.still {
            return self.size;
        }
        // Neighbours do not move together.
        let phase: u32 = self.labels.values().flat_map(|value| value.bytes()).map(u32::from).sum();
        self.size * (1.0 + 0.1 * (TAU * time / 60.0 + f64::from(phase)).sin())
    }

    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

impl Answer {
    fn into_series(self) -> Vec<Series> {
        match self {
            Self::Number(one) => vec![one],
            Self::Series(all) => all,
        }
    }
}

/// What a query answers, or what is wrong with it.
pub(crate) fn answer(query: &str, world: World) -> Result<Answer, String> {
    Ok(world.answer(&parse(query)?))
}

impl World {
    fn answer(self, expr: &Expr) -> Answer {
        match expr {
            Expr::Aggregate(aggregate) => Answer::Series(self.aggregate(aggregate)),
            Expr::Unary(unary) => self.answer(&unary.expr),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Paren(paren) => self.answer(&paren.expr),
            Expr::Subquery(subquery) => self.answer(&subquery.expr),
            Expr::NumberLiteral(number) => Answer::Number(Series::plain(number.val)),
            Expr::StringLiteral(_) | Expr::Extension(_) => Answer::Number(Series::plain(0.0)),
            Expr::VectorSelector(selector) => Answer::Series(self.select(selector)),
            Expr::MatrixSelector(matrix) => Answer::Series(self.select(&matrix.vs)),
            Expr::Call(call) => self.call(call),
        }
    }

    fn select(self, selector: &VectorSelector) -> Vec<Series> {
        let name = selector.name.clone().unwrap_or_default();
        let (size, still) = self.size(&name, &selector.matchers);
        let mut all: Vec<Labels> = SERVICES.iter().map(|service| usual(service)).collect();
        for matcher in &selector.matchers.matchers {
            all = chosen(all, matcher);
        }
        let named = |mut labels: Labels| {
            if !name.is_empty() {
                labels.insert("__name__".to_owned(), name.clone());
            }
            Series { labels, size, still }
        };
        all.into_iter().map(named).collect()
    }

    /// The size of a metric's values, by its name, and whether they stand still.
    fn size(self, name: &str, matchers: &Matchers) -> (f64, bool) {
        let fails = FAILURES.iter().any(|word| name.contains(word))
            || matchers.matchers.iter().any(asks_for_failures);
        let share = if self.failing { 0.08 } else { 0.000_2 };
        match name {
            "up" => (1.0, true),
            _ if name.starts_with("process_start_time") => (self.started, true),
            _ if name.contains("sli_error") => (share, false),
            _ if name.contains("error_budget_remaining") => (if self.failing { 0.31 } else { 0.87 }, false),
            _ if name.contains("burn_rate") => (share * 1000.0, false),
            _ if name.contains("objective") => (0.999, true),
            _ if fails => (25.0 * share, false),
            _ if name.ends_with("ratio") => (0.4, false),
            _ if name.ends_with("_bytes") => (80e6, false),
            _ if name.ends_with("_seconds") => (0.04, false),
            _ => (25.0, false),
        }
    }

    fn aggregate(self, aggregate: &AggregateExpr) -> Vec<Series> {
        let all = self.answer(&aggregate.expr).into_series();
        let operator = aggregate.op.to_string();
        match &aggregate.modifier {
            Some(LabelModifier::Include(by)) => unique(all.iter().flat_map(|one| only(one, &by.labels))),
            Some(LabelModifier::Exclude(without)) => unique(all.into_iter().map(|mut one| {
                one.labels.retain(|name, _| name != "__name__" && !without.labels.contains(name));
                one
            })),
            None if matches!(operator.as_str(), "topk" | "bottomk" | "limitk") => all,
            None => all.into_iter().take(1).map(|one| Series { labels: Labels::new(), ..one }).collect(),
        }
    }

    fn binary(self, binary: &BinaryExpr) -> Answer {
        let operator = binary.op.to_string();
        let (left, right) = (self.answer(&binary.lhs), self.answer(&binary.rhs));
        let size = |left: &Series, right: &Series| match operator.as_str() {
            "+" => left.size + right.size,
            "-" => left.size - right.size,
            "*" => left.size * right.size,
            "/" if right.size != 0.0 => left.size / right.size,
            _ => left.size,
        };
        match (left, right) {
            (Answer::Number(left), Answer::Number(right)) => {
                let size = size(&left, &right);
                Answer::Number(Series { size, ..left })
            }
            (Answer::Number(number), Answer::Series(all)) => Answer::Series(
                all.into_iter().map(|one| Series { size: size(&number, &one), ..one }).collect(),
            ),
            (Answer::Series(all), Answer::Number(number)) => Answer::Series(
                all.into_iter().map(|one| Series { size: size(&one, &number), ..one }).collect(),
            ),
            (Answer::Series(left), Answer::Series(right)) if operator == "or" => {
                Answer::Series(unique(left.into_iter().chain(right)))
            }
            (Answer::Series(left), Answer::Series(_)) if binary.op.is_set_operator() => Answer::Series(left),
            (Answer::Series(left), Answer::Series(right)) => {
                let sizes = left.first().zip(right.first()).map_or(0.0, |(left, right)| size(left, right));
                Answer::Series(matched(binary, left, &right, sizes))
            }
        }
    }

    fn call(self, call: &Call) -> Answer {
        let text = |at: usize| match call.args.args.get(at).map(|argument| &**argument) {
            Some(Expr::StringLiteral(text)) => text.val.clone(),
            _ => String::new(),
        };
        let mut number = Series::plain(self.started + 3600.0);
        let mut vector = None;
        for argument in &call.args.args {
            match self.answer(argument) {
                Answer::Series(all) => vector = Some(all),
                Answer::Number(one) => number = one,
            }
        }
        let Some(mut all) = vector else {
            return if call.func.name == "vector" {
                Answer::Series(vec![number])
            } else {
                Answer::Number(number)
            };
        };
        match call.func.name {
            "scalar" => return Answer::Number(all.first().cloned().unwrap_or_else(|| Series::plain(1.0))),
            "absent" | "absent_over_time" => all.clear(),
            "changes" | "resets" => all.iter_mut().for_each(|one| one.size = 0.0),
            "histogram_quantile" => {
                all.iter_mut().for_each(|one| {
                    one.labels.remove("le");
                    one.size = 0.08;
                });
            }
            "label_replace" => {
                let (name, value) = (text(1), text(2));
                all.iter_mut().for_each(|one| {
                    let value =
                        if value.contains('$') { one.label(&text(3)).to_owned() } else { value.clone() };
                    one.labels.insert(name.clone(), value);
                });
            }
            _ => {}
        }
        if call.func.name != "label_replace" && !call.func.name.starts_with("sort") {
            all.iter_mut().for_each(|one| drop(one.labels.remove("__name__")));
        }
        Answer::Series(unique(all))
    }
}

/// Whether a matcher chooses what went wrong.
fn asks_for_failures(matcher: &Matcher) -> bool {
    match matcher.op {
        MatchOp::Equal | MatchOp::Re(_) => matches!(matcher.value.as_str(), "5.." | "error" | "dead_letter"),
        MatchOp::NotEqual | MatchOp::NotRe(_) => matcher.value.starts_with("ok"),
    }
}

/// The labels of an operation on two vectors.
fn matched(binary: &BinaryExpr, left: Vec<Series>, right: &[Series], size: f64) -> Vec<Series> {
    let modifier = binary.modifier.as_ref();
    let card = modifier.map(|modifier| &modifier.card);
    let on = modifier.and_then(|modifier| modifier.matching.as_ref());
    let many = if let Some(VectorMatchCardinality::OneToMany(_)) = card { right.to_vec() } else { left };
    let with = |mut one: Series| {
        one.labels.remove("__name__");
        if let (Some(LabelModifier::Include(on)), Some(VectorMatchCardinality::OneToOne)) = (on, card) {
            one.labels.retain(|name, _| on.labels.contains(name));
        }
        if let Some(VectorMatchCardinality::ManyToOne(more)) = card {
            for name in &more.labels {
                let other = right.first().map_or("", |other| other.label(name));
                one.labels.entry(name.clone()).or_insert_with(|| other.to_owned());
            }
        }
        Series { size, still: false, ..one }
    };
    unique(many.into_iter().map(with))
}

/// Each set of labels once.
fn unique(all: impl IntoIterator<Item = Series>) -> Vec<Series> {
    let mut found: Vec<Series> = Vec::new();
    for one in all {
        if !found.iter().any(|known| known.labels == one.labels) {
            found.push(one);
        }
    }
    found
}
