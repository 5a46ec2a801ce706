//! Objectives that are declared beside `dashboards/slos`. Nobody measures them here: `tests/watch` does.

use http::Method;
use serde_json::{Value, json};

use crate::rig::Rig;

const CHECKOUT: &str = "/api/v1/slos/checkout";

/// Of a file's events.
fn checkout() -> Value {
    json!({
        "title": "Checkout works", "service": "order-api", "owner": "shop",
        "promise": "Anyone who checks out gets a response.", "reason": "A lost checkout is lost revenue.",
        "indicator": "order-availability", "objective": 0.995, "window": "7d",
    })
}

/// Of events of its own.
fn counted() -> Value {
    let mut counted = checkout();
    counted.as_object_mut().expect("an object").remove("indicator");
    counted["bad"] = json!(r#"http_requests_total{service="order-api", status=~"5.."}"#);
    counted["total"] = json!(r#"http_requests_total{service="order-api"}"#);
    counted
}

#[tokio::test]
async fn an_objective_is_declared_read_changed_and_withdrawn() {
    let rig = Rig::start(&[]).await;
    let put = async |body: &Value| rig.send(Method::PUT, CHECKOUT, body).await;
    let made = put(&checkout()).await.expect_status(201).json();
    let mut expected = checkout();
    expected["name"] = json!("checkout");
    assert_eq!((&made["slo"], &made["owner"], &made["by"]), (&expected, &json!("api"), &json!("ada")));
    assert_eq!(
        (&made["in_force"], &made["state"]["status"]),
        (&json!(true), &json!("no_data")),
        "nobody measures it"
    );
    assert_eq!(made["state"]["period"], "168m", "on the lab's clock");

    // As it is written, beside those of the files.
    let list = rig.get("/api/v1/slos").await;
    let list = list["slos"].as_array().expect("a list");
    let owner = |name: &str| {
        let found = list.iter().find(|one| one["slo"]["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}"))["owner"].clone()
    };
    assert_eq!((owner("order-availability"), owner("checkout")), (json!("file"), json!("api")));

    put(&counted()).await.expect_status(200);
    let read = rig.get(CHECKOUT).await;
    assert_eq!((&read["slo"]["bad"], &read["slo"]["indicator"]), (&counted()["bad"], &Value::Null));
    let changes = rig.get("/api/v1/changes").await.to_string();
    for text in
        ["ada has declared the objective checkout: 99.5 % of events over 7d", "ada has changed the objective"]
    {
        assert!(changes.contains(text), "{text}: {changes}");
    }

    rig.send(Method::DELETE, CHECKOUT, &json!({})).await.expect_status(204);
    rig.http.get(CHECKOUT).await.expect_problem(404, "not-found");
    rig.send(Method::DELETE, CHECKOUT, &json!({})).await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn an_objective_of_a_file_is_read_and_not_changed() {
    let rig = Rig::start(&[]).await;
    let path = "/api/v1/slos/order-availability";
    let before = rig.get(path).await;
    assert_eq!((&before["owner"], &before["slo"]["window"]), (&json!("file"), &json!("30d")));
    assert_eq!(before["state"], Value::Null, "Prometheus does not answer");
    for method in [Method::PUT, Method::DELETE] {
        let answer = rig.send(method, path, &checkout()).await;
        answer.expect_problem(409, "not-now");
        assert!(answer.body.contains("and owns it"), "{answer:?}");
    }
    assert_eq!(rig.get(path).await, before);
}

#[tokio::test]
async fn a_mistake_is_named_as_in_a_file_and_changes_nothing() {
    let rig = Rig::start(&[]).await;
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    for (field, says, body) in [
        ("/objective", "above 0 and below 1", with(checkout(), "objective", json!(99.5))),
        ("/objective", "can never fire", with(checkout(), "objective", json!(0.5))),
        ("/window", "too short", with(checkout(), "window", json!("1d"))),
        ("/owner", "missing", with(checkout(), "owner", json!(""))),
        ("/service", "expected `order-api`", with(checkout(), "service", json!("user-service"))),
        ("/indicator", "expected one of", with(checkout(), "indicator", json!("nothing"))),
        ("/indicator", "in its place", with(checkout(), "total", json!("http_requests_total"))),
        ("/bad", "is missing", with(counted(), "bad", json!("{status=\"500\"}"))),
        ("/total", "must be counted in the whole", with(counted(), "total", json!("requests_total"))),
        (
            "/total",
            "unknown metric",
            with(
                with(counted(), "total", json!("requests_total")),
                "bad",
                json!("requests_total{status=\"500\"}"),
            ),
        ),
        // Another kind of value never reaches the reader.
        ("/objective", "", with(checkout(), "objective", json!("high"))),
    ] {
        let problem = rig.send(Method::PUT, CHECKOUT, &body).await.expect_invalid(field);
        assert!(problem["errors"][field].to_string().contains(says), "{says}: {problem}");
    }
    rig.send(Method::PUT, CHECKOUT, &with(checkout(), "sla", json!("none"))).await.expect_status(400);
    rig.send(Method::PUT, "/api/v1/slos/Checkout", &checkout()).await.expect_invalid("slo");
    rig.http.get(CHECKOUT).await.expect_problem(404, "not-found");
    assert!(!rig.get("/api/v1/changes").await.to_string().contains("heckout"));
}
