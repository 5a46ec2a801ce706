//! `POST /orders`.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::lab::{Lab, Parts, order, run, shared};

#[test]
fn place_order_answers_202_with_the_orders_location_and_total() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let before = lab.scrape().await;
        let answer = lab.http.post("/orders", &order(1)).await;
        answer.expect_status(202);
        let body = answer.json();
        let id = body["id"].as_str().unwrap();
        assert_eq!(answer.header("location"), format!("/orders/{id}"));
        assert_eq!(Uuid::parse_str(id).unwrap().get_version_num(), 7);
        assert_eq!((&body["status"], &body["total_cents"]), (&json!("pending"), &json!(305)));
        assert!(lab.scrape().await.delta(&before, "orders_accepted_total", &[]) >= 1.0);

        let read = lab.http.get(answer.header("location")).await;
        assert_eq!(read.expect_status(200).json()["total_cents"], 305);
    });
}

#[test]
fn place_order_names_every_field_that_is_wrong() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let with = |patch: &dyn Fn(&mut Value)| {
            let mut body = order(1);
            patch(&mut body);
            body
        };
        let cases: [(Value, &str); 9] = [
            (with(&|b| b["items"] = json!([])), "/items"),
            (with(&|b| b["items"] = json!(vec![b["items"][0].clone(); 51])), "/items"),
            (with(&|b| b["items"][1]["quantity"] = json!(0)), "/items/1/quantity"),
            (with(&|b| b["items"][1]["quantity"] = json!(-1)), "/items/1/quantity"),
            (with(&|b| b["items"][0]["unit_price_cents"] = json!(100_000_001)), "/items/0/unit_price_cents"),
            (with(&|b| b["items"][0]["unit_price_cents"] = json!(1.5)), "/items/0/unit_price_cents"),
            (with(&|b| b["items"][0]["sku"] = json!("no space")), "/items/0/sku"),
            (with(&|b| b["user_id"] = json!("me")), "/user_id"),
            (with(&|b| b["items"][0]["sku"] = json!("nul\u{0}")), "/items/0/sku"),
        ];
        for (body, field) in cases {
            lab.http.post("/orders", &body).await.expect_invalid(field);
        }
    });
}

#[test]
fn place_order_refuses_a_user_that_does_not_exist() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let mut body = order(1);
        body["user_id"] = json!(Uuid::now_v7());
        let problem = shared().await.http.post("/orders", &body).await.expect_problem(422, "user-not-found");
        assert!(problem["errors"]["/user_id"].is_string());
    });
}

#[test]
fn wrong_totals_are_stored_and_published_without_any_other_symptom() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        lab.admin.put("/faults/wrong-total?cents=7&ttl=1m").await.expect_status(200);
        let struck = lab.place(&order(1)).await;
        lab.admin.delete("/faults/wrong-total").await;
        let sound = lab.place(&order(1)).await;

        assert_eq!(lab.settled(&struck).await["total_cents"], 312);
        assert_eq!(lab.settled(&sound).await["total_cents"], 305);
        let worker = lab.scrape_worker().await;
        assert_eq!(worker.value("order_totals_checked_total", &[("result", "mismatch")]), 1.0);
        assert_eq!(worker.value("order_totals_checked_total", &[("result", "match")]), 1.0);
        lab.at_rest(&[struck, sound]).await;
    });
}

#[test]
fn wrong_totals_of_a_canary_are_found_as_those_of_a_canary() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let flags = ["--release-track", "canary", "--faults-at-start", "wrong-total?cents=7"];
        let api_flags = flags.map(str::to_owned).into();
        let lab = Lab::start(Parts { api_flags, ..Parts::default() }).await;
        let struck = lab.place(&order(1)).await;
        lab.settled(&struck).await;
        let worker = lab.scrape_worker().await;
        let wrong = |track: &str| {
            worker.value("order_totals_checked_total", &[("result", "mismatch"), ("track", track)])
        };
        assert_eq!(["stable", "baseline", "canary"].map(wrong), [0.0, 0.0, 1.0]);
        lab.at_rest(&[struck]).await;
    });
}
