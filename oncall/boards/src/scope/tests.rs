//! What variables stand for.

use super::*;

fn scope(address: &[(&str, &str)]) -> Scope {
    let label = |name: &str| Variable {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: VariableKind::Label { series: "up".to_owned(), label: name.to_owned() },
        multi: true,
        all: Some(".+".to_owned()),
        chosen: vec![ALL.to_owned()],
    };
    let loki = Variable {
        name: "loki_datasource".to_owned(),
        kind: VariableKind::DataSource(Source::Loki),
        multi: false,
        all: None,
        chosen: Vec::new(),
        ..label("Loki")
    };
    let board = Board {
        uid: "x".to_owned(),
        title: String::new(),
        description: String::new(),
        tags: Vec::new(),
        refresh: String::new(),
        refreshes: Vec::new(),
        time: ("now-15m".to_owned(), "now".to_owned()),
        variables: vec![loki, label("job"), label("instance")],
        annotations: Vec::new(),
        menus: Vec::new(),
        rows: Vec::new(),
    };
    let now = "2026-11-29T07:00:00Z".parse().unwrap();
    let range = Range::read("now-15m", "now", now).unwrap();
    let address: Vec<_> =
        address.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Scope::new(&board, range, 1.0, &address)
}

fn query(expr: &str) -> Query {
    Query {
        name: "A".to_owned(),
        source: Source::Prometheus,
        expr: expr.to_owned(),
        legend: String::new(),
        instant: false,
        exemplars: false,
        every: None,
        lines: 0,
    }
}

#[test]
fn one_value_several_values_and_all_are_regular_expressions() {
    let expr = query(r#"up{job=~"$job", instance=~"${instance}"}"#);
    let all = scope(&[]);
    assert_eq!(all.expr(&expr, 1.0), r#"up{job=~".+", instance=~".+"}"#);
    let chosen = [("var-job", "a.b"), ("var-instance", "127.0.0.1:1"), ("var-instance", "x\"y")];
    let some = scope(&chosen);
    assert_eq!(some.expr(&expr, 1.0), r#"up{job=~"a\\.b", instance=~"(127\\.0\\.0\\.1:1|x\"y)"}"#);
    assert_eq!(some.query(), "var-instance=127.0.0.1%3A1&var-instance=x%22y&var-job=a.b");
    assert_eq!(scope(&[("var-job", "$__all"), ("var-job", "a")]).values("job"), ["$__all"]);
}

#[test]
fn the_window_of_a_rate_has_four_scrapes() {
    let expr = query("rate(x[$__rate_interval]) + $__range_s + count(y=~\"a$\")");
    let scope = scope(&[]);
    assert_eq!(scope.expr(&expr, 1.0), "rate(x[4s]) + 900 + count(y=~\"a$\")");
    assert_eq!(scope.expr(&query("[$__rate_interval]"), 10.0), "[11s]");
    let slow = Query { every: Some(5.0), ..query("[$__rate_interval] [$__interval] $unknown") };
    assert_eq!(scope.expr(&slow, 5.0), "[20s] [5s] $unknown");
}

#[test]
fn a_link_knows_what_was_clicked() {
    let scope = scope(&[]);
    let labels = Labels::from([("slo".to_owned(), "a b".to_owned())]);
    let clicked = Clicked { labels: Some(&labels), cells: None };
    assert_eq!(
        scope.url("/d/slo?var-slo=${__field.labels.slo}&${__url_time_range}", clicked),
        "/d/slo?var-slo=a%20b&from=now-15m&to=now"
    );
    assert_eq!(scope.url("/x?a=${loki_datasource}&b=${__data.fields.job}", clicked), "/x?a=loki&b=");
}
