use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn text(ok: u64, failed: u64, slow: u64, started: u64) -> String {
    let all = ok + failed;
    format!(
        "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n\
         http_requests_total{{method=\"POST\",endpoint=\"/orders\",status=\"202\"}} {ok}\n\
         http_requests_total{{method=\"POST\",endpoint=\"/orders\",status=\"500\"}} {failed}\n\
         http_requests_total{{method=\"GET\",endpoint=\"/risky\",status=\"500\"}} 1e6\n\
         http_request_duration_seconds_bucket{{method=\"POST\",endpoint=\"/orders\",le=\"0.25\"}} {} # {{trace_id=\"ab\"}} 0.1\n\
         http_request_duration_seconds_bucket{{method=\"POST\",endpoint=\"/orders\",le=\"1\"}} {all}\n\
         http_request_duration_seconds_bucket{{method=\"POST\",endpoint=\"/orders\",le=\"+Inf\"}} {all}\n\
         http_request_duration_seconds_count{{method=\"POST\",endpoint=\"/orders\"}} {all}\n\
         process_cpu_seconds_total {}\nprocess_resident_memory_bytes 2.5e+07\nprocess_start_time_seconds {started}\n",
        all - slow,
        all as f64 / 100.0,
    )
}

fn reading(text: &str, seconds: i64) -> Reading {
    Reading::parse(text, at(seconds), &BTreeSet::from(["/risky".to_owned()])).unwrap()
}

#[test]
fn two_readings_are_the_counts_between_them() {
    let (one, two) = (reading(&text(90, 10, 5, 7), 0), reading(&text(180, 20, 25, 7), 1));
    let arm = two.since(&one).unwrap();
    assert_eq!(arm.requests, Count { bad: 10, all: 100 });
    assert_eq!(arm.latency, Latency { buckets: vec![(0.25, 80), (1.0, 20)], over: 0 });
    assert!((arm.saturation["cpu"] - 0.01).abs() < 1e-9);
    assert!((arm.saturation["memory"] - 2.5e7).abs() < 1.0);
    let block = block((&one, &two), (&one, &two), 800).unwrap();
    assert_eq!((block.everyone, block.until), (1000, at(1)));
}

#[test]
fn a_process_that_was_started_again_has_no_counts_and_one_instant_is_no_time() {
    let (one, again) = (reading(&text(90, 10, 5, 7), 0), reading(&text(180, 20, 25, 9), 1));
    assert_eq!(again.since(&one), None);
    assert_eq!(one.since(&one), None);
    // Counters that went back, whatever the process says.
    assert_eq!(reading(&text(80, 10, 5, 7), 1).since(&one), None);
    assert_eq!(block((&one, &again), (&one, &one), 0), None);
}

#[test]
fn series_of_prometheus_are_the_same_reading_as_the_text_that_it_scraped() {
    let without = BTreeSet::from(["/risky".to_owned()]);
    let text = text(90, 10, 5, 7);
    let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| sample(line).unwrap());
    let series: Vec<(BTreeMap<String, String>, f64)> = samples
        .map(|sample| {
            let known = ["endpoint", "status", "le"];
            let labels =
                known.iter().filter_map(|name| Some(((*name).to_owned(), sample.label(name)?.to_owned())));
            let name = ("__name__".to_owned(), sample.name.to_owned());
            (labels.chain([name]).collect(), sample.value)
        })
        .collect();
    let all = series.iter().map(|(labels, value)| (labels, *value));
    assert_eq!(Reading::of(all, at(0), &without).unwrap(), reading(&text, 0));
    assert!(series.iter().all(|(labels, _)| SERIES.contains(&labels["__name__"].as_str())));
    assert!(Reading::of([], at(0), &without).is_err(), "an instance that is not scraped");
}

#[test]
fn several_instances_are_their_sum_and_another_one_among_them_is_another_process() {
    let labels = |name: &str, pod: &str| {
        let pairs = [("__name__", name), ("pod", pod), ("status", "200")];
        BTreeMap::from(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
    };
    let pods = |all: [(&str, f64, f64); 2], seconds: i64| {
        let series: Vec<(BTreeMap<String, String>, f64)> = all
            .into_iter()
            .flat_map(|(pod, requests, started)| {
                [
                    (labels("http_requests_total", pod), requests),
                    (labels("process_start_time_seconds", pod), started),
                    (labels("process_cpu_seconds_total", pod), requests / 100.0),
                ]
            })
            .collect();
        let series = series.iter().map(|(labels, value)| (labels, *value));
        Reading::of(series, at(seconds), &BTreeSet::new()).unwrap()
    };
    let one = pods([("a", 10.0, 7.0), ("b", 20.0, 9.0)], 0);
    let two = pods([("a", 40.0, 7.0), ("b", 60.0, 9.0)], 1);
    let arm = two.since(&one).unwrap();
    assert_eq!(arm.requests, Count { bad: 0, all: 70 });
    assert!((arm.saturation["cpu"] - 0.01).abs() < 1e-9);
    let again = pods([("a", 70.0, 7.0), ("b", 0.0, 90.0)], 2);
    assert_eq!(again.since(&two), None);
}

#[test]
fn what_another_service_found_about_its_work_is_a_share_of_its_own() {
    let at = |right: f64, wrong: f64, seconds: i64| {
        let series = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let checked = |result: &str| {
            let name = ("__name__", "order_totals_checked_total");
            series(&[name, ("instance", "127.0.0.1:9103"), ("track", "canary"), ("result", result)])
        };
        let all = [
            (series(&[("__name__", "process_start_time_seconds"), ("instance", "127.0.0.1:9132")]), 7.0),
            (checked("match"), right),
            (checked("mismatch"), wrong),
        ];
        let all = all.iter().map(|(labels, value)| (labels, *value));
        Reading::of(all, self::at(seconds), &BTreeSet::new()).unwrap()
    };
    let arm = at(4.0, 9.0, 1).since(&at(3.0, 2.0, 0)).unwrap();
    assert_eq!(arm.shares, BTreeMap::from([("wrong-totals".to_owned(), Count { bad: 7, all: 8 })]));
}

#[test]
fn a_text_that_is_no_scrape_is_refused() {
    let none = BTreeSet::new();
    for (text, expected) in [
        ("", "process_start_time_seconds"),
        ("http_requests_total", "is no sample"),
        ("http_requests_total{status=\"200\" 7", "is no sample"),
        ("<html>", "is no sample"),
    ] {
        let error = Reading::parse(text, at(0), &none).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n){0,200}") {
        let _ = Reading::parse(&text, at(0), &BTreeSet::new());
    }

    #[test]
    fn counts_are_never_more_than_there_were(a in 0..1000_u64, b in 0..1000_u64, more in 0..1000_u64, bad in 0..1000_u64) {
        let slow = a.min(b) / 2;
        let (one, two) = (reading(&text(a, b, slow, 7), 0), reading(&text(a + more, b + bad, slow, 7), 1));
        let arm = two.since(&one).unwrap();
        prop_assert_eq!(arm.requests, Count { bad, all: more + bad });
        prop_assert_eq!(arm.latency.all(), more + bad);
    }
}
