//! Which requests a document becomes.

use super::*;

fn document() -> Value {
    json!({
        "info": {"title": "Pets"},
        "paths": {
            "/pets": {
                "get": {
                    "parameters": [
                        {"name": "limit", "in": "query", "required": true, "schema": {"type": "integer", "minimum": 1, "maximum": 50}},
                        {"name": "cursor", "in": "query", "schema": {"type": "string"}}
                    ],
                    "responses": {"200": {"content": {"application/json": {"schema": {
                        "type": "object", "properties": {"pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}
                    }}}}}
                },
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
                    "responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}, "422": {}}
                }
            },
            "/pets/{pet_id}": {"get": {"responses": {"200": {}, "404": {}}}},
            "/owners/{id}": {"get": {"responses": {"200": {}}}}
        },
        "components": {"schemas": {"Pet": {
            "type": "object", "required": ["id", "age", "mood"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "age": {"type": ["integer", "null"], "minimum": 0, "maximum": 30},
                "mood": {"enum": ["calm", "wild"]},
                "note": {"type": "string"}
            }
        }}}
    })
}

fn options(writes: bool) -> Options {
    Options { target: "http://127.0.0.1:1".to_owned(), rate: 5.0, seconds: 30, writes }
}

fn read(text: &str) -> crate::scenario::Scenario {
    crate::scenario::read("pets.yaml", text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

#[test]
fn ids_come_from_the_list_or_from_what_was_created() {
    let text = scenario(&document(), &options(false)).unwrap();
    assert!(text.contains("# Left out, since nothing says which ids exist: GET /owners/{id}"), "{text}");
    let reads = read(&text);
    let one = reads.journeys.iter().find(|journey| journey.name == "get-pets-pet-id").unwrap();
    assert_eq!(one.steps[0].save, [("pet_id".to_owned(), "/pets/0/id".to_owned())]);
    assert!(reads.steps().all(|(_, step)| step.method == http::Method::GET));

    let writes = read(&scenario(&document(), &options(true)).unwrap());
    let one = writes.journeys.iter().find(|journey| journey.name == "get-pets-pet-id").unwrap();
    assert_eq!(
        (&one.steps[0].method, one.steps[0].status.as_slice()),
        (&http::Method::POST, [201].as_slice())
    );
    assert_eq!(one.steps[0].save, [("pet_id".to_owned(), "/id".to_owned())]);
    let body = one.steps[0].body.as_ref().unwrap();
    assert!(body.get("note").is_none() && body["age"].as_str().unwrap().starts_with("${"), "{body}");
}

#[test]
fn what_a_request_needs_is_there_headers_parts_of_schemas_and_names() {
    let cat = json!({"allOf": [
        {"$ref": "#/components/schemas/Pet"},
        {"type": "object", "required": ["lives"], "properties": {"lives": {"type": "integer", "minimum": 1, "maximum": 9}}}
    ]});
    let mut document = document();
    document["security"] = json!([{"bearer": []}]);
    document["paths"]["/cats"] = json!({
        "post": {
            "parameters": [
                {"name": "X-Tenant", "in": "header", "required": true, "schema": {"type": "string", "enum": ["north", "south"]}},
                {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}},
                {"name": "Accept", "in": "header", "required": true, "schema": {"type": "string"}},
                {"name": "q", "in": "query", "required": true, "schema": {"type": "string", "example": "a b&c"}}
            ],
            "requestBody": {"content": {"application/json": {"schema": cat}}},
            "responses": {"201": {"content": {"application/json": {"schema": cat}}}}
        }
    });
    document["paths"]["/cats/{cat_id}"] = json!({"get": {"responses": {"200": {}}}});
    document["paths"]["/cats-cat/id"] = json!({"get": {"responses": {"200": {}}}});
    document["paths"]["/cats/cat-id"] = json!({"get": {"responses": {"200": {}}}});
    let text = scenario(&document, &options(true)).unwrap();
    assert!(text.contains("# The document asks for credentials"), "{text}");
    let read = read(&text);
    let step = |name: &str| read.steps().find(|(_, step)| step.name == name).unwrap().1.clone();
    let post = step("post-cats");
    let headers: Vec<&str> = post.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["idempotency-key", "x-tenant"], "{text}");
    let body = post.body.unwrap();
    assert!(["id", "age", "mood", "lives"].iter().all(|name| body.get(*name).is_some()), "{body}");
    assert!(text.contains("/cats?q=a%20b%26c"), "{text}");
    let saved = ("cat_id".to_owned(), "/id".to_owned());
    assert!(read.steps().any(|(_, step)| step.save.contains(&saved)), "{text}");
    let names: BTreeSet<&str> = read.journeys.iter().map(|journey| journey.name.as_str()).collect();
    assert!(names.len() == read.journeys.len() && names.contains("get-cats-cat-id-2"), "{names:?}");
}

#[test]
fn a_value_that_may_be_null_has_one_and_addresses_are_not_used_twice() {
    let user = json!({
        "type": "object", "required": ["tier", "email"],
        "properties": {
            "tier": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["free"]}]},
            "email": {"type": "string", "minLength": 3}
        }
    });
    let document = json!({"paths": {"/users": {"post": {
        "requestBody": {"content": {"application/json": {"schema": user}}}, "responses": {"201": {}}
    }}}});
    let read = read(&scenario(&document, &options(true)).unwrap());
    let body = read.journeys[0].steps[0].body.clone().unwrap();
    assert_eq!(body, json!({"tier": "${tier}", "email": "${email}@example.org"}));
    assert!(
        read.data.iter().any(|(name, data)| name == "email" && matches!(data, crate::scenario::Data::Fresh))
    );
}

#[test]
fn the_documents_of_the_shop_become_scenarios() {
    for text in [
        include_str!("../../../docs/openapi/order-api.json"),
        include_str!("../../../docs/openapi/user-service.json"),
    ] {
        let document = serde_json::from_str(text).unwrap();
        for writes in [false, true] {
            let made = read(&scenario(&document, &options(writes)).unwrap());
            assert!(made.journeys.len() >= 3, "{made:?}");
        }
    }
}

#[test]
fn operations_are_below_the_path_of_the_first_server() {
    let below = |server: Value| base_path(&json!({ "servers": [server, {"url": "/other"}] }));
    assert_eq!(below(json!({"url": "/api/v3/"})), "/api/v3");
    assert_eq!(below(json!({"url": "https://api.example.org/v1"})), "/v1");
    assert_eq!(below(json!({"url": "https://api.example.org"})), "");
    let variable = json!({"url": "/{stage}/v2", "variables": {"stage": {"default": "test"}}});
    assert_eq!(below(variable), "/test/v2");
    assert_eq!(base_path(&json!({})), "");
}

#[test]
fn a_document_without_operations_is_refused() {
    assert!(scenario(&json!({"openapi": "3.1.0"}), &options(true)).is_err());
}
