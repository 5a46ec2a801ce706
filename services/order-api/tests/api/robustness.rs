//! Hostile input at every public and admin endpoint: always a 4xx problem that names the error; never a 5xx, a panic or a
//! hang (the client of `testkit` turns a hang into a failure).

use http::Method;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use testkit::{Answer, Http};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::OnceCell,
};

use crate::lab::{Lab, Parts, SOON, order, run};

/// A lab without any fault.
async fn calm() -> &'static Lab {
    static CALM: OnceCell<Lab> = OnceCell::const_new();
    CALM.get_or_init(|| async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        lab.admin.delete("/faults/risky").await;
        lab
    })
    .await
}

/// The request was valid, or the response says what is wrong with it.
fn is_civil(answer: &Answer) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{answer:?}");
    if answer.status >= 400 {
        prop_assert_eq!(answer.header("content-type"), "application/problem+json", "{:?}", answer);
        let problem = answer.json();
        prop_assert_eq!(&problem["status"], &json!(answer.status));
        prop_assert!(problem["title"].is_string() && problem["type"].is_string(), "{}", problem);
    }
    Ok(())
}

fn names(answer: &Answer, field: &str) -> Result<(), TestCaseError> {
    is_civil(answer)?;
    prop_assert_eq!(answer.status, 400, "{:?}", answer);
    prop_assert!(answer.json()["errors"].get(field).is_some(), "`{}` not among {}", field, answer.body);
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{0,12}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A valid order with one field made invalid, and the field's name.
fn one_wrong_field() -> impl Strategy<Value = (Value, String)> {
    let wrong_number = prop_oneof![
        any_json().prop_filter("a number may be right", |value| !value.is_number()),
        (i64::MIN..0).prop_map(Value::from),
        (100_000_001..i64::MAX).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!(1e300)),
    ];
    let wrong_text = prop_oneof![
        any_json().prop_filter("a string may be right", |value| !value.is_string()),
        "[A-Za-z0-9]{0,8}[^A-Za-z0-9._-][^\"]{0,8}".prop_map(Value::from),
        "[a-z]{65,200}".prop_map(Value::from),
        Just(json!("")),
    ];
    let line = 0..2_usize;
    prop_oneof![
        (line.clone(), select(vec!["quantity", "unit_price_cents"]), wrong_number)
            .prop_map(|(line, field, value)| (format!("/items/{line}/{field}"), value)),
        (line, wrong_text.clone()).prop_map(|(line, value)| (format!("/items/{line}/sku"), value)),
        wrong_text.prop_map(|value| ("/user_id".to_owned(), value)),
        any_json()
            .prop_filter("no list", |value| !value.is_array())
            .prop_map(|value| ("/items".to_owned(), value)),
    ]
    .prop_map(|(field, value)| {
        let mut body = order(1);
        *body.pointer_mut(&field).unwrap() = value;
        (body, field)
    })
}

async fn post(http: &Http, body: impl Into<String>) -> Answer {
    http.send(Method::POST, "/orders", &[("content-type", "application/json")], body.into()).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_of_any_bytes_is_answered_civilly(body in vec(any::<u8>(), 0..2000), kind in "[ -~]{0,40}") {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let http = &calm().await.http;
                let headers = [("content-type", kind.as_str())];
                is_civil(&http.try_send(Method::POST, "/orders", &headers, body.clone()).await.unwrap())?;
                let json = [("content-type", "application/json")];
                let answer = http.try_send(Method::POST, "/orders", &json, body).await.unwrap();
                is_civil(&answer)?;
                prop_assert!(answer.status >= 400, "{:?}", answer);
                Ok(())
            })?;
        }
    }

    #[test]
    fn a_body_of_any_json_is_refused_civilly(body in any_json()) {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let answer = post(&calm().await.http, body.to_string()).await;
                is_civil(&answer)?;
                prop_assert!(answer.status >= 400, "{:?}", answer);
                Ok(())
            })?;
        }
    }

    #[test]
    fn an_order_with_one_wrong_field_is_refused_naming_it((body, field) in one_wrong_field()) {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async { names(&post(&calm().await.http, body.to_string()).await, &field) })?;
        }
    }

    #[test]
    fn an_idempotency_key_of_any_bytes_is_answered_civilly(key in vec(any::<u8>(), 0..300)) {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let mut request = b"POST /orders HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2\r\n".to_vec();
                request.extend(b"content-type: application/json\r\nidempotency-key: ");
                request.extend(key.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
                request.extend(b"\r\n\r\n{}");
                let answer = raw(calm().await, &request).await;
                prop_assert!(answer.starts_with("HTTP/1.1 4"), "{}", answer);
                Ok(())
            })?;
        }
    }

    #[test]
    fn any_path_and_method_is_answered_civilly(
        method in select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]),
        root in select(vec!["", "/orders", "/orders/", "/risky", "/risky/", "/openapi.json", "/users"]),
        tail in "[!-~&&[^#?/]]{0,40}",
    ) {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let lab = calm().await;
                let path = if root.is_empty() { format!("/{tail}") } else { format!("{root}{tail}") };
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                for http in [&lab.http, &lab.admin] {
                    let Ok(answer) = http.try_send(method.clone(), &path, &[], "").await else { continue };
                    is_civil(&answer)?;
                }
                Ok::<(), TestCaseError>(())
            })?;
        }
    }

    #[test]
    fn an_invalid_order_id_is_refused_naming_it(id in "[A-Za-z0-9%._~-]{1,60}") {
        prop_assume!(uuid::Uuid::parse_str(&id).is_err() && id != "." && id != "..");
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async { names(&calm().await.http.get(&format!("/orders/{id}")).await, "id") })?;
        }
    }

    #[test]
    fn a_wrong_list_parameter_is_refused_naming_it(
        name in select(vec!["limit", "cursor", "status", "user_id"]),
        value in "[A-Za-z0-9._~-]{1,80}",
    ) {
        let right = name == "limit" && value.parse().is_ok_and(|limit: u32| (1..=100).contains(&limit));
        prop_assume!(!right && !["pending", "completed", "rejected"].contains(&value.as_str()));
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async { names(&calm().await.http.get(&format!("/orders?{name}={value}")).await, name) })?;
        }
    }

    #[test]
    fn a_wrong_plan_is_refused_naming_the_error(
        fault in select(vec!["http-error", "db-latency", "wrong-total", "risky"]),
        (param, value) in prop_oneof![
            (Just("rate"), "-?[2-9][0-9.]{0,8}|[a-z]{1,8}|NaN|inf"),
            (Just("ttl"), "[0-9]{1,9}|[2-9]h|61m|999999d|[a-z]{1,5}"),
            (Just("seed"), "-[1-9]|[a-z]{1,8}"),
            (Just("colour"), "[a-z]{1,8}"),
        ],
    ) {
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let lab = calm().await;
                names(&lab.admin.put(&format!("/faults/{fault}?{param}={value}")).await, param)
            })?;
        }
    }

    #[test]
    fn an_unknown_switch_is_refused_civilly(name in "[a-z0-9%~-]{1,40}", query in "[!-~&&[^#]]{0,60}") {
        prop_assume!(order_api::faults::CATALOGUE.iter().all(|fault| fault.spec().name != name));
        if testkit::available(&[testkit::Need::Postgres, testkit::Need::Redis]) {
            run(async {
                let lab = calm().await;
                for path in [format!("/faults/{name}?{query}"), format!("/protections/{name}?{query}")] {
                    for method in [Method::PUT, Method::DELETE, Method::GET, Method::POST] {
                        let Ok(answer) = lab.admin.try_send(method, &path, &[], "").await else { continue };
                        is_civil(&answer)?;
                        prop_assert!(answer.status >= 400, "{:?}", answer);
                    }
                }
                Ok(())
            })?;
        }
    }
}

#[test]
fn a_body_over_the_limit_is_refused() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = calm().await;
        let mut body = order(1);
        body["items"][0]["sku"] = "x".repeat(8 << 20).into();
        let Ok(answer) = lab
            .http
            .try_send(Method::POST, "/orders", &[("content-type", "application/json")], body.to_string())
            .await
        else {
            // The server may respond and close before it has read everything; the client then sees a broken pipe.
            return;
        };
        assert!((400..500).contains(&answer.status), "{answer:?}");
    });
}

#[test]
fn a_deeply_nested_body_is_refused() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let depth = 100_000;
        let body = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let answer = post(&calm().await.http, body).await;
        assert!((400..500).contains(&answer.status), "{answer:?}");
    });
}

#[test]
fn bytes_that_are_not_http_end_the_connection() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = calm().await;
        for request in [
            &b"\0\0\0\0\r\n\r\n"[..],
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST /orders HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        ] {
            let answer = raw(lab, request).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
        lab.http.get("/risky").await.expect_status(200);
    });
}

/// Sends bytes and reads until the server closes.
async fn raw(lab: &Lab, request: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(lab.api.public.unwrap()).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(SOON, exchange).await.expect("an end")
}
