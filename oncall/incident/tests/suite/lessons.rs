//! Measures, and the draft of a postmortem.

use incident::{
    EntryKind, Event, Evidence, Impact, Measures, Role, Source, State, Task, Viewer, What,
    measures::{Overview, Start},
    postmortem::{Curve, Draft, Point, draft},
};

use crate::support::{after, alert, by_ada, by_rule, cleared, fired, moved, opening, replay};

fn note(seconds: i64, kind: EntryKind, happened: i64, text: &str, evidence: Vec<Evidence>) -> Event {
    let what =
        What::Noted { kind, happened_at: after(happened), text: text.to_owned(), evidence, sealed: false };
    Event { at: after(seconds), by: Source::System("prometheus".to_owned()), what }
}

/// An incident with everything in it.
fn story() -> Vec<Event> {
    let burn = alert("a", Some("order-api"), 8);
    let query = Evidence {
        query: "sum(rate(http_requests_total{status=\"500\"}[1m])) | 0".to_owned(),
        answer: "12 per second".to_owned(),
        link: Some("http://localhost:9090/graph".to_owned()),
    };
    let impact = Impact {
        users: Some(120),
        orders: Some(340),
        cents: Some(1_234_505),
        budgets: vec![("order-availability".to_owned(), 0.412)],
    };
    let task = Task {
        id: 1,
        text: "Alert on | the cache".to_owned(),
        owner: Some("ben".to_owned()),
        due: "2026-07-01".parse().ok(),
        follow_up: true,
        done_at: None,
    };
    vec![
        by_rule(10, opening(7, &[])),
        by_rule(10, fired(&burn)),
        note(11, EntryKind::Symptom, 2, "errors rise", vec![query]),
        by_rule(
            12,
            What::Paged {
                person: "ada".to_owned(),
                channel: "bell".to_owned(),
                step: Some("0.0.0".to_owned()),
            },
        ),
        by_ada(42, What::Acknowledged),
        by_ada(43, What::Assigned { role: Role::Commander, person: "ada".to_owned() }),
        by_ada(50, What::HypothesisStated { id: 1, text: "the <cache> is down".to_owned() }),
        by_ada(60, What::HypothesisConfirmed { id: 1, why: "misses at 100 %".to_owned() }),
        by_ada(62, moved(State::Mitigated)),
        by_rule(70, cleared(&burn, 68)),
        by_rule(71, What::Recovered { what: "order availability".to_owned(), since: after(67) }),
        by_rule(73, What::ImpactMeasured { impact }),
        by_rule(75, moved(State::Resolved)),
        by_ada(80, What::TaskAdded { task }),
    ]
}

#[test]
fn measures_count_from_the_first_symptom_when_the_truth_is_not_known() {
    let measures = Measures::of(&replay(&story()), Viewer::Trainee);
    assert_eq!((measures.start, measures.started_at), (Start::Symptom, after(2)));
    assert_eq!(measures.detect, Some(10.0), "from the symptom to the page");
    assert_eq!(measures.acknowledge, Some(30.0), "from the page to a person");
    assert_eq!(measures.mitigate, Some(60.0));
    assert_eq!(measures.recover, Some(65.0), "until the indicator was good, not until it was resolved");
    assert_eq!(measures.budget, Some(0.412));
}

#[test]
fn what_has_not_happened_is_not_measured() {
    let incident = replay(&[by_rule(0, opening(1, &[])), by_rule(0, fired(&alert("a", None, 0)))]);
    let measures = Measures::of(&incident, Viewer::Trainee);
    assert_eq!(measures.start, Start::Alert);
    assert_eq!([measures.detect, measures.acknowledge, measures.mitigate, measures.recover], [None; 4]);
    // A program that takes over is no person.
    let agent = Event { by: Source::Agent("bot".to_owned()), ..by_rule(5, What::Acknowledged) };
    let incident = replay(&[by_rule(0, opening(1, &[])), agent]);
    assert_eq!(Measures::of(&incident, Viewer::Trainee).acknowledge, None);
}

#[test]
fn many_incidents_are_a_median_a_percentile_and_an_interval() {
    let of = |seconds: f64| Measures {
        mitigate: Some(seconds),
        ..Measures::of(&replay(&story()), Viewer::Trainee)
    };
    let overview = Overview::of(&[of(10.0), of(20.0), of(30.0), of(4000.0)], 1);
    let mitigate = overview.mttm.expect("four values");
    assert_eq!((mitigate.n, mitigate.median), (4, 25.0));
    assert!(mitigate.interval.0 <= 25.0 && 25.0 <= mitigate.interval.1, "{mitigate:?}");
    assert_eq!(overview.mttd.expect("four values").median, 10.0);
    assert_eq!(Overview::of(&[], 1).mttr, None);
}

#[test]
fn times_that_begin_at_different_things_are_summarized_apart() {
    let of = |start: Start, seconds: f64| Measures {
        start,
        mitigate: Some(seconds),
        ..Measures::of(&replay(&story()), Viewer::Trainee)
    };
    let all = [of(Start::Alert, 90.0), of(Start::Symptom, 60.0), of(Start::Alert, 30.0)];
    let overviews = Overview::by_start(all, 1);
    let mitigate = |start: Start| overviews.get(&start).and_then(|overview| overview.mttm);
    assert_eq!(mitigate(Start::Alert).map(|summary| (summary.n, summary.median)), Some((2, 60.0)));
    assert_eq!(mitigate(Start::Symptom).map(|summary| summary.interval), Some((60.0, 60.0)));
    assert_eq!(mitigate(Start::Fault), None);
    for start in Start::ALL {
        let written = serde_json::to_value(start).expect("a text");
        assert_eq!(written, start.name());
    }
}

#[test]
fn the_draft_has_every_section_and_every_fact() {
    let incident = replay(&story());
    let points = [(0, 1.0), (10, 0.7), (60, 1.0)].map(|(seconds, value)| Point { at: after(seconds), value });
    let curve = Curve {
        title: "order availability".to_owned(),
        objective: 0.999,
        points: points.to_vec(),
        from: after(2),
        until: Some(after(67)),
    };
    let text = draft(
        &incident,
        &Draft { viewer: Viewer::Trainee, curve: Some(&curve), picture: Some("INC-7.svg"), now: after(90) },
    );
    let headings: Vec<&str> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        headings,
        [
            "# INC-7: Orders fail",
            "## Summary",
            "## Impact",
            "## Detection",
            "## Timeline",
            "## Indicator",
            "## Contributing factors",
            "## What went well",
            "## What went badly",
            "## Where we were lucky",
            "## Action items",
        ]
    );
    for fact in [
        "| Severity | SEV-2 |",
        "| Responders | ada (commander) |",
        "It was resolved at 2026-06-01 12:01:15 UTC.",
        "120 users were affected.",
        "They were worth $12345.05.",
        "41.2 % of the error budget of order-availability was spent.",
        "Detected after 10 s (until the first page).",
        "Mitigated after 1 min (until users were no longer affected).",
        "| 12:00:02 | errors rise | prometheus | `sum(rate(http_requests_total{status=\"500\"}[1m])) \\| 0` → 12 per second → [open](http://localhost:9090/graph) |",
        "| 12:00:12 | ada paged by bell | control room |  |",
        "| 12:01:08 | Alerta cleared | control room |  |",
        "![order availability](INC-7.svg)",
        "70 % at worst, at 12:00:10 UTC",
        "the &lt;cache&gt; is down — confirmed: misses at 100 %",
        "The first person who was paged took over within 30 s.",
        "| 1 | Alert on \\| the cache | ben | 2026-07-01 |  |",
    ] {
        assert!(text.contains(fact), "no {fact} in:\n{text}");
    }
    for table in text.lines().filter(|line| line.starts_with("| 1") && line.contains("12:0")) {
        assert_eq!(table.replace("\\|", "").matches('|').count(), 5, "a row has its four cells: {table}");
    }
    for word in ["root cause", "fault of", "careless", "human error"] {
        assert!(!text.to_lowercase().contains(word), "{word}");
    }
}

#[test]
fn the_draft_of_an_incident_about_which_nothing_is_known_asks() {
    let text = draft(
        &replay(&[by_rule(0, opening(1, &[]))]),
        &Draft { viewer: Viewer::Trainee, curve: None, picture: None, now: after(1) },
    );
    for question in [
        "Nobody has measured it",
        "No curve was recorded",
        "Nobody acknowledged it.",
        "No alert told us.",
        "What would have prevented it",
    ] {
        assert!(text.contains(question), "{question}: {text}");
    }
    assert!(text.contains("It is still triage."));
}
