//! `GET /risky`: the simplest failure.

use testkit::eventually;

use crate::lab::{Lab, Parts, SOON, run};

async fn failures(lab: &Lab, calls: u32) -> u32 {
    let mut failed = 0;
    for _ in 0..calls {
        let answer = lab.http.get("/risky").await;
        if answer.status == 200 {
            assert_eq!(answer.body, r#"{"status":"ok"}"#);
            continue;
        }
        answer.expect_problem(500, "internal");
        let told = answer.body.to_lowercase();
        for word in ["fault", "inject", "simulat", "chaos"] {
            assert!(!told.contains(word), "{told}");
        }
        failed += 1;
    }
    failed
}

#[test]
fn a_fifth_of_the_calls_fails_out_of_the_box_and_none_after_delete() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        // 80 expected of 400; the bounds are five standard deviations wide.
        let failed = failures(&lab, 400).await;
        assert!((40..=120).contains(&failed), "{failed} of 400");

        lab.admin.put("/faults/risky?rate=1&ttl=1m").await.expect_status(200);
        assert_eq!(failures(&lab, 20).await, 20);

        lab.admin.delete("/faults/risky").await;
        assert_eq!(failures(&lab, 50).await, 0);
        let errors = [("endpoint", "/risky"), ("status", "500")];
        assert_eq!(lab.scrape().await.value("http_requests_total", &errors), f64::from(failed + 20));
    });
}

#[test]
fn the_twenty_percent_return_when_the_tuned_rate_expires() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        lab.admin.put("/faults/risky?rate=0&ttl=2s").await.expect_status(200);
        assert_eq!(failures(&lab, 20).await, 0);
        eventually(SOON, || async {
            let status = lab.http.get("/risky").await.status;
            if status == 500 { Ok(()) } else { Err(format!("still {status}")) }
        })
        .await;
    });
}
