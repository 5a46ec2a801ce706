//! Bad input is a 4xx that names the field.

use axum::{
    Router,
    routing::{get, post},
};
use chassis_http::{Json, Path, Query};
use http::Method;
use serde::Deserialize;
use serde_json::json;

use crate::support::{Service, start};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    name: String,
    sizes: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u32>,
}

async fn picky() -> Service {
    let put = |Json(thing): Json<Thing>| async move { format!("{} {}", thing.name, thing.sizes.len()) };
    let list = |Query(page): Query<Page>| async move { format!("{:?}", page.limit) };
    let show = |Path(id): Path<uuid::Uuid>| async move { id.to_string() };
    let routes = Router::new().route("/things", post(put).get(list)).route("/things/{id}", get(show));
    start(routes, &["--body-limit=1KiB"]).await
}

#[tokio::test]
async fn a_body_is_refused_by_field() {
    let service = picky().await;
    let post = async |body| service.public.post("/things", &body).await;
    post(json!({"name": "a", "sizes": [1, 2]})).await.expect_status(200);
    post(json!({"name": "a", "sizes": [1, "b"]})).await.expect_invalid("/sizes/1");
    post(json!({"name": "a"})).await.expect_invalid("/sizes");
    post(json!({"name": "a", "sizes": [], "colour": 1})).await.expect_invalid("/colour");
    post(json!(7)).await.expect_invalid("body");
    post(json!({"name": "a".repeat(2000), "sizes": []})).await.expect_problem(413, "payload-too-large");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let service = picky().await;
    let send = |kind: &'static str, body: &'static str| async {
        service.public.send(Method::POST, "/things", &[("content-type", kind)], body.to_owned()).await
    };
    send("application/json; charset=utf-8", r#"{"name":"a","sizes":[]}"#).await.expect_status(200);
    let problem = send("application/json", "{\"name\": ").await.expect_invalid("body");
    assert!(
        problem["errors"]["body"].as_str().is_some_and(|text| text.contains("line 1 column")),
        "{problem}"
    );
    send("application/json", "{\"name\": \"\u{0}\"}").await.expect_invalid("body");
    send("text/plain", "{}").await.expect_problem(415, "unsupported-media-type");
    let bare = service.public.send(Method::POST, "/things", &[], "{}".to_owned()).await;
    bare.expect_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn query_and_path_are_refused_by_parameter() {
    let service = picky().await;
    service.public.get("/things?limit=3").await.expect_status(200);
    for query in ["limit=x", "limit=-1", "limit=%00", "limit=99999999999", "limit=1&limit=2"] {
        service.public.get(&format!("/things?{query}")).await.expect_invalid("limit");
    }
    service.public.get("/things?size=3").await.expect_invalid("size");
    for id in ["1", "%ff", "%00", "00000000-0000-0000-0000-00000000000g"] {
        service.public.get(&format!("/things/{id}")).await.expect_invalid("id");
    }
}
