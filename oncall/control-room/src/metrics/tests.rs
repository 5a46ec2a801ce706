//! Series are there from the start, and their labels are closed sets.

use super::*;

fn recovered(start: Start, seconds: f64) -> Measures {
    Measures {
        start,
        started_at: "2026-06-01T12:00:00Z".parse().unwrap(),
        detect: None,
        acknowledge: None,
        mitigate: None,
        recover: Some(seconds),
        budget: None,
    }
}

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.render(None).1).unwrap()
}

#[test]
fn every_series_exists_from_the_start_and_unknown_values_are_other() {
    let metrics = Metrics::default();
    let room = RoomMetrics::register(&metrics);
    for series in [
        r#"control_room_incidents{severity="SEV-1",state="triage"} 0"#,
        r#"control_room_notifications_total{channel="bell",outcome="unknown"} 0"#,
        r#"control_room_pages_total{severity="page",status="resolved"} 0"#,
        r#"control_room_page_delay_seconds_count{severity="ticket"} 0"#,
        r#"control_room_webhooks_total{outcome="refused",source="pagerduty"} 0"#,
        r#"control_room_drill_runs_total{verdict="timed-out"} 0"#,
        "control_room_incident_detect_seconds_count 0",
        r#"control_room_incident_median_high_seconds{since="fault",until="recover"} 0"#,
        "control_room_watchdog_silent 0",
    ] {
        assert!(text(&metrics).contains(series), "{series}");
    }
    room.webhook("somebody", "taken");
    room.page(Some("critical"), Some("firing"), Some(TimeDelta::seconds(2)));
    let after = text(&metrics);
    assert!(after.contains(r#"control_room_webhooks_total{outcome="taken",source="other"} 1"#), "{after}");
    assert!(after.contains(r#"control_room_page_delay_seconds_sum{severity="other"} 2"#), "{after}");
}

#[test]
fn who_is_on_call_changes_without_a_moment_of_nobody_and_counters_never_fall() {
    let metrics = Metrics::default();
    let room = RoomMetrics::register(&metrics);
    let people = |name: &str| BTreeSet::from([("first-line".to_owned(), name.to_owned())]);
    room.on_call(people("ada"));
    room.on_call(people("grace"));
    let after = text(&metrics);
    assert!(after.contains(r#"control_room_on_call{person="grace",schedule="first-line"} 1"#), "{after}");
    assert!(!after.contains("ada"), "{after}");
    for (count, total) in [(3, 3), (5, 5), (4, 5), (6, 7)] {
        room.notified(&[("slack".to_owned(), "sent".to_owned(), count)]);
        let series =
            format!("control_room_notifications_total{{channel=\"slack\",outcome=\"sent\"}} {total}");
        assert!(text(&metrics).contains(&series), "{series}");
    }
}

#[test]
fn a_median_has_its_interval_and_is_gone_with_its_incidents() {
    let metrics = Metrics::default();
    let room = RoomMetrics::register(&metrics);
    let all = [60.0, 60.0, 60.0].map(|seconds| recovered(Start::Alert, seconds));
    room.medians(&Overview::by_start(all, 1));
    let after = text(&metrics);
    for name in ["median", "median_low", "median_high"] {
        let series = |since: &str, value: u32| {
            format!("control_room_incident_{name}_seconds{{since=\"{since}\",until=\"recover\"}} {value}\n")
        };
        assert!(after.contains(&series("alert", 60)), "{name}: {after}");
        assert!(after.contains(&series("symptom", 0)), "{name}: {after}");
    }
    room.medians(&BTreeMap::new());
    assert!(!text(&metrics).contains("until=\"recover\"} 60"), "nothing is left of them");
}
