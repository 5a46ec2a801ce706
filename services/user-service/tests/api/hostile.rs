//! Malformed, oversized and wrongly typed input at every endpoint: always a 4xx problem that names the error, soon.

use std::time::Duration;

use http::Method;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use testkit::{Answer, needs};

use crate::rig::{Rig, path};

const CASES: u32 = 150;

/// Any JSON, including objects with our field names.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[a-z]{100,300}".prop_map(Value::from),
    ];
    let key = prop_oneof![Just("name"), Just("email"), Just("tier"), Just("id"), Just("x")];
    leaf.prop_recursive(2, 16, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A body that no route accepts, except by chance.
fn any_body() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any_json().prop_map(|json| json.to_string()),
        2 => ".{0,200}",
        1 => (1usize..4).prop_map(|mib| format!("{{\"name\":\"{}\"}}", "x".repeat(mib << 20))),
        1 => Just("[".repeat(10_000)),
        1 => Just(json!({"name": "a\u{0}b", "email": "a\u{0}@b"}).to_string()),
    ]
}

/// Path segment or query value, percent-encoded byte by byte where needed.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => ".{1,60}", 1 => "[0-9a-f-]{30,40}", 1 => "[a-z]{2000,4000}"]
        .prop_map(|text| text.bytes().map(|byte| format!("%{byte:02x}")).collect())
}

/// Sends every generated request and checks the response.
fn judge<S: Strategy>(strategy: S, send: impl Fn(&Rig, S::Value) -> BoxedAnswer<'_>)
where
    S::Value: Clone,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let rig = runtime.block_on(Rig::start());
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&strategy, |input| {
        let answer = runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(10), send(&rig, input)).await });
        let answer = answer.map_err(|_| TestCaseError::fail("no answer in ten seconds"))?;
        refused_or_fine(&answer)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    runtime.block_on(async { rig.read(0).await.expect_status(200).status });
}

type BoxedAnswer<'a> = futures::future::BoxFuture<'a, Answer>;

/// 2xx is possible (some input is valid); any other response is a 4xx problem, and a 400 names a field.
fn refused_or_fine(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{answer:?}");
    if answer.status >= 400 {
        prop_assert_eq!(answer.header("content-type"), "application/problem+json", "{:?}", answer);
        let problem = answer.json();
        prop_assert_eq!(problem["status"].as_u64(), Some(u64::from(answer.status)));
        if answer.status == 400 {
            let named = problem["errors"].as_object().is_some_and(|errors| !errors.is_empty());
            prop_assert!(named, "no field named: {}", answer.body);
        }
    }
    Ok(())
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[test]
fn create_user_refuses_anything_but_a_user() {
    needs!(Postgres, Redis);
    judge(any_body(), |rig, body| Box::pin(rig.public.send(Method::POST, "/users", JSON, body)));
}

#[test]
fn update_user_refuses_anything_but_a_change() {
    needs!(Postgres, Redis);
    judge((any_body(), 0..3u32), |rig, (body, n)| {
        Box::pin(async move { rig.public.send(Method::PATCH, &path(n), JSON, body).await })
    });
}

#[test]
fn get_and_update_refuse_anything_but_an_id() {
    needs!(Postgres, Redis);
    judge((any_text(), any::<bool>()), |rig, (id, get)| {
        let method = if get { Method::GET } else { Method::PATCH };
        Box::pin(async move { rig.public.send(method, &format!("/users/{id}"), JSON, "{}".to_owned()).await })
    });
}

#[test]
fn list_users_refuses_anything_but_a_page() {
    needs!(Postgres, Redis);
    let name =
        prop_oneof![Just("limit"), Just("cursor"), Just("limit=5&cursor"), Just("limit=5&limit"), Just("x")];
    judge((name, any_text()), |rig, (name, value)| {
        Box::pin(async move { rig.public.get(&format!("/users?{name}={value}")).await })
    });
}

#[test]
fn other_methods_paths_and_content_types_are_refused() {
    needs!(Postgres, Redis);
    let method = prop_oneof![
        Just(Method::PUT),
        Just(Method::DELETE),
        Just(Method::POST),
        Just(Method::PATCH),
        Just(Method::OPTIONS)
    ];
    let target = prop_oneof![
        Just("/users".to_owned()),
        Just(path(0)),
        Just("/openapi.json".to_owned()),
        Just("/".to_owned()),
        any_text().prop_map(|text| format!("/{text}"))
    ];
    let kind = prop_oneof![
        Just("text/plain"),
        Just(""),
        Just("application/xml"),
        Just("application/json; charset=x")
    ];
    judge((method, target, kind), |rig, (method, target, kind)| {
        Box::pin(
            async move { rig.public.send(method, &target, &[("content-type", kind)], "x".to_owned()).await },
        )
    });
}

#[test]
fn the_admin_port_refuses_bad_faults_and_protections() {
    needs!(Postgres, Redis);
    let target = prop_oneof![
        any_text().prop_map(|name| format!("/faults/{name}")),
        any_text().prop_map(|value| format!("/faults/http-error?rate={value}")),
        any_text().prop_map(|value| format!("/faults/http-error?ttl={value}")),
        any_text().prop_map(|name| format!("/faults/http-error?{name}=1")),
        Just("/faults/http-error?ttl=2h".to_owned()),
        Just("/faults/http-error?rate=1.5".to_owned()),
        Just("/faults/http-error?rate=NaN".to_owned()),
        any_text().prop_map(|name| format!("/protections/{name}?enabled=false")),
        any_text().prop_map(|value| format!("/protections/timeout?enabled={value}")),
    ];
    judge(target, |rig, target| {
        Box::pin(async move {
            let answer = rig.admin.put(&target).await;
            assert!(answer.status >= 400, "{target} was taken: {answer:?}");
            answer
        })
    });
}
