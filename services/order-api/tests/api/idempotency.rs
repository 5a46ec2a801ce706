//! `Idempotency-Key`: repeating a request places no second order.

use futures::future::join_all;
use http::Method;
use serde_json::Value;
use testkit::{Answer, Http};
use uuid::Uuid;

use crate::lab::{Lab, Parts, order, run, shared};

async fn place(http: &Http, key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    http.send(Method::POST, "/orders", &headers, body.to_string()).await
}

#[test]
fn the_same_key_and_body_get_the_same_answer_and_place_one_order() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let key = Uuid::now_v7().to_string();
        let first = place(&lab.http, &key, &order(2)).await;
        let again = place(&lab.http, &key, &order(2)).await;
        assert_eq!((first.status, again.status), (202, 202));
        assert_eq!(first.body, again.body);
        assert_eq!(first.header("location"), again.header("location"));

        // Even after the order was settled: the answer tells what was accepted, not where the order stands.
        lab.settled(first.json()["id"].as_str().unwrap()).await;
        assert_eq!(place(&lab.http, &key, &order(2)).await.body, first.body);
    });
}

#[test]
fn the_same_key_with_another_body_is_a_conflict() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let key = Uuid::now_v7().to_string();
        place(&lab.http, &key, &order(2)).await.expect_status(202);
        let mut other = order(2);
        other["items"][0]["quantity"] = 3.into();
        place(&lab.http, &key, &other).await.expect_problem(409, "idempotency-conflict");
        place(&lab.http, &key, &order(3)).await.expect_problem(409, "idempotency-conflict");
    });
}

#[test]
fn concurrent_requests_with_one_key_place_one_order() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let user = 77;
        for _ in 0..5 {
            let key = Uuid::now_v7().to_string();
            let body = order(user);
            let answers = join_all((0..16).map(|_| place(&lab.http, &key, &body))).await;
            let first = &answers[0].expect_status(202).body;
            assert!(
                answers.iter().all(|answer| answer.status == 202 && answer.body == *first),
                "{answers:?}"
            );
        }
        let listed =
            lab.http.get(&format!("/orders?user_id={}", contracts::users::seeded_user_id(user))).await;
        assert_eq!(listed.json()["orders"].as_array().unwrap().len(), 5);
    });
}

#[test]
fn a_key_must_be_printable_short_and_single() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        for key in ["", "k\u{fc}", &"k".repeat(256)] {
            place(&lab.http, key, &order(2)).await.expect_invalid("Idempotency-Key");
        }
        let twice =
            [("content-type", "application/json"), ("idempotency-key", "a"), ("idempotency-key", "b")];
        let answer = lab.http.send(Method::POST, "/orders", &twice, order(2).to_string()).await;
        answer.expect_invalid("Idempotency-Key");
        place(&lab.http, &"k".repeat(255), &order(2)).await.expect_status(202);
    });
}

#[test]
fn user_service_is_not_asked_for_a_repetition() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let asked = async || lab.scrape().await.value("http_client_requests_total", &[]);
        place(&lab.http, "key", &order(2)).await.expect_status(202);
        let before = asked().await;
        assert!(before >= 1.0, "{before} questions");
        place(&lab.http, "key", &order(2)).await.expect_status(202);
        place(&lab.http, "key", &order(3)).await.expect_problem(409, "idempotency-conflict");
        assert_eq!(asked().await, before);
        place(&lab.http, "other", &order(2)).await.expect_status(202);
        assert!(asked().await > before);
    });
}

#[test]
fn a_repetition_is_answered_while_user_service_is_down() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let mut lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let first = place(&lab.http, "key", &order(2)).await;
        first.expect_status(202);
        lab.users.take().unwrap().stop().await;
        assert_eq!(place(&lab.http, "key", &order(2)).await.body, first.body);
        place(&lab.http, "other", &order(2)).await.expect_problem(503, "upstream-unavailable");
    });
}
