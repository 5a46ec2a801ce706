//! Wrong specs get an error that says what is wrong and where; nothing is guessed.

use slo::{lint, spec};

use crate::{
    support::{catalogue, specs},
    wrong::WRONG,
};

/// A sound spec to break; numbered lines are easier to compare than a long literal.
fn sound() -> String {
    let specs = specs();
    specs.into_iter().find(|(name, _)| name == "order-freshness.yaml").expect("committed").1
}

fn line_of(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|line| line.contains(needle)).unwrap_or_else(|| panic!("no line with {needle}"))
}

/// Every problem of a text, including lints.
fn problems(text: &str) -> Vec<String> {
    match spec::read("x.yaml", text) {
        Ok(slo) => lint::errors(&slo, &catalogue()).iter().map(ToString::to_string).collect(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_objective_is_hurt_by_its_own_service_and_by_those_that_its_spec_names() {
    let found = crate::support::slo("order-correctness");
    for (service, hurts) in [("order-worker", true), ("order-api", true), ("user-service", false)] {
        assert_eq!(found.is_hurt_by(service), hurts, "{service}");
    }
    assert!(!crate::support::slo("order-freshness").is_hurt_by("order-worker"), "nobody names it");
    let wrong =
        problems(&sound().replace("sre-lab/owner: ", "sre-lab/hurt-by: Order API\n    sre-lab/owner: "));
    assert!(wrong.len() == 1 && wrong[0].contains("expected services separated by commas"), "{wrong:?}");
}

#[test]
fn the_committed_specs_are_sound() {
    for (name, text) in specs() {
        let slo = spec::read(&name, &text).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(format!("{}.yaml", slo.name), name, "the file has the name of the objective");
        assert_eq!(problems(&text), Vec::<String>::new());
    }
}

#[test]
fn a_problem_has_file_line_field_and_what_would_be_right() {
    for (old, new, at, says) in WRONG {
        let text = sound();
        assert!(text.contains(old), "{old}");
        let broken = text.replacen(old, new, 1);
        let found = problems(&broken);
        let expected = format!("x.yaml:{}: {says}", line_of(&broken, at));
        assert!(
            found.iter().any(|problem| problem.starts_with(&expected)),
            "{new}\nexpected {expected}\nfound    {found:#?}"
        );
    }
}

#[test]
fn a_bound_that_no_bucket_has_is_named_with_the_existing_ones() {
    let specs = specs();
    let text = &specs.iter().find(|(name, _)| name == "order-latency.yaml").expect("committed").1;
    let broken = text.replace("value: 0.25", "value: 0.3");
    let [problem] = &problems(&broken)[..] else { panic!("{:?}", problems(&broken)) };
    let line = line_of(&broken, "value: 0.3");
    assert!(
        problem.starts_with(&format!("x.yaml:{line}: spec.objectives[0].value: 0.3 s is not the bound")),
        "{problem}"
    );
    assert!(problem.contains("0.1, 0.25, 0.5"), "{problem}");
    for (old, new, says) in [
        ("op: lte", "op: gt", "spec.objectives[0].op: expected `lte`, found `gt`"),
        ("      value: 0.25\n", "", "spec.objectives[0].value: missing"),
        ("      op: lte\n", "", "spec.objectives[0].op: missing"),
    ] {
        let found = problems(&text.replace(old, new));
        assert!(found.iter().any(|problem| problem.contains(says)), "{says}: {found:?}");
    }
}

#[test]
fn several_problems_are_shown_at_once() {
    let broken = sound()
        .replace("target: 0.99", "target: 2")
        .replace("duration: 30d", "duration: soon")
        .replace("kind: SLO", "kind: X");
    assert_eq!(problems(&broken).len(), 3);
}

#[test]
fn invalid_yaml_or_another_document_is_an_error_and_not_a_crash() {
    for text in ["", "\t", "[1, 2]", "apiVersion: [", "a: 1\na: 2\n", "--- \n---\n", "\u{0}", "&a [*a]"] {
        let found = problems(text);
        assert!(
            found.iter().all(|problem| problem.starts_with("x.yaml:")) && !found.is_empty(),
            "{text:?}: {found:?}"
        );
    }
}

#[test]
fn two_objectives_with_the_same_name_are_refused_with_both_positions() {
    let text = sound();
    let wrong =
        spec::read_all([("a.yaml", text.as_str()), ("b.yaml", text.as_str())]).unwrap_err().to_string();
    let line = line_of(&text, "name: order-freshness");
    assert!(
        wrong.starts_with(&format!("b.yaml:{line}: metadata.name: `order-freshness` overlaps with")),
        "{wrong}"
    );
    assert!(wrong.contains(&format!("a.yaml:{line}")), "{wrong}");
}

#[test]
fn a_calendar_window_is_read_in_utc_only() {
    let calendar = |duration: &str, zone: &str| {
        let with = format!(
            "duration: {duration}\n      calendar: {{ startTime: 2026-01-01 00:00:00, timeZone: {zone} }}"
        );
        sound().replace("duration: 30d", &with).replace("isRolling: true", "isRolling: false")
    };
    for duration in ["1d", "1w", "1M", "1Y"] {
        assert_eq!(problems(&calendar(duration, "UTC")), Vec::<String>::new(), "{duration}");
    }
    let found = problems(&calendar("1M", "Europe/Berlin"));
    assert!(found[0].contains("Prometheus rules know no other time zone"), "{found:?}");
    let found = problems(&calendar("2M", "UTC"));
    assert!(found[0].contains("expected 1d, 1w, 1M or 1Y"), "{found:?}");
}

#[test]
fn a_throughput_is_read_and_a_rate_that_no_window_can_judge_is_refused() {
    let text = include_str!("../order-throughput.yaml");
    let slo = spec::read("x.yaml", text).expect("a sound spec");
    let slo::Sli::Throughput(flow) = &slo.sli else { panic!("{:?}", slo.sli) };
    assert_eq!((flow.floor, flow.from), (0.5, 1.0));
    assert_eq!(flow.done.name, "orders_settled_total");
    for (old, new, says) in [
        (
            "30/min",
            "30",
            "sre-lab/throughput: expected events per s, min or h above 0, such as 30/min, found `30`",
        ),
        ("30/min", "0/s", "sre-lab/throughput: expected events per s"),
        ("30/min", "2/s", "sre-lab/offered: 1 per second is less than the 2 that have to be done"),
        ("30/min", "6/min", "sre-lab/throughput: 0.1 per second are fewer than two events in 5s"),
        ("orders_settled_total", "orders_setled_total", "unknown metric `orders_setled_total`"),
    ] {
        let found = problems(&text.replace(old, new));
        assert!(found.iter().any(|problem| problem.contains(says)), "{new}: {found:?}");
    }
}

/// The day is an argument: a test that reads the clock would fail one morning.
#[test]
fn an_objective_that_nobody_reviews_is_a_warning() {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a day");
    let warnings = |text: &str, today: &str| {
        let slo = spec::read("x.yaml", text).expect("a sound spec");
        lint::warnings(&slo, day(today)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let text = sound();
    assert_eq!(warnings(&text, "2027-05-31"), Vec::<String>::new(), "the day itself is in time");
    let line = line_of(&text, "sre-lab/review");
    let [passed] = &warnings(&text, "2027-06-01")[..] else { panic!("one warning") };
    assert!(
        passed.starts_with(&format!("x.yaml:{line}: metadata.annotations.sre-lab/review: 2027-05-31 has")),
        "{passed}"
    );
    let without = text.replace("    sre-lab/review: 2027-05-31\n", "");
    let [missing] = &warnings(&without, "2027-01-01")[..] else { panic!("one warning") };
    assert!(missing.contains("sre-lab/review: missing: expected the day"), "{missing}");
    for (name, text) in specs() {
        assert!(spec::read(&name, &text).expect("a sound spec").review.is_some(), "{name} has no review");
    }
}
