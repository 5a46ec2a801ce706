//! Every route, with valid and invalid requests.

use contracts::users::{SEEDED_USERS, seeded_user_id, seeded_user_tier};
use serde_json::{Value, json};
use sqlx::Connection;
use testkit::{Postgres, Redis, needs};

use crate::rig::{Rig, path, start};

#[tokio::test(flavor = "multi_thread")]
async fn get_user_answers_a_seeded_user() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    for n in [0, 19, SEEDED_USERS - 1] {
        let user = rig.read(n).await.expect_status(200).json();
        assert_eq!(user["id"], seeded_user_id(n).to_string());
        assert_eq!(user["tier"], seeded_user_tier(n).as_str());
        assert!(user["email"].as_str().unwrap().contains(&format!(".{n}@")), "{user}");
        assert!(user["created_at"].as_str().unwrap().ends_with('Z'), "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_user_answers_404_for_an_unknown_user_and_400_for_a_bad_id() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let problem = rig.read(SEEDED_USERS).await.expect_problem(404, "not-found");
    assert!(problem.get("detail").is_some(), "{problem}");
    for bad in ["/users/1", "/users/not-a-uuid", "/users/%00", "/users/01900000-0000-7000-8000-00000000000g"]
    {
        rig.public.get(bad).await.expect_invalid("id");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_users_walks_all_users_in_order_and_ends() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = rig.public.get(&format!("/users?limit=100{cursor}")).await.expect_status(200).json();
        let users = page["users"].as_array().unwrap();
        assert_eq!(users.len(), 100);
        ids.extend(users.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next_cursor"] else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(ids.len(), SEEDED_USERS as usize);
    assert!(ids.is_sorted());
    assert_eq!(rig.public.get("/users").await.json()["users"].as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_users_names_the_parameter_that_is_wrong() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let other_shape = format!("cursor={}", seeded_user_id(1));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=", "limit"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        (other_shape.as_str(), "cursor"),
        ("page=2", "page"),
    ] {
        rig.public.get(&format!("/users?{query}")).await.expect_invalid(field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn create_user_answers_201_with_location_and_the_user_can_be_read() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let created = rig.public.post("/users", &json!({"name": "Zoë", "email": "zoe@example.com"})).await;
    let user = created.expect_status(201).json();
    assert_eq!((user["name"].as_str(), user["tier"].as_str()), (Some("Zoë"), Some("free")));
    assert_eq!(created.header("location"), format!("/users/{}", user["id"].as_str().unwrap()));
    assert_eq!(rig.public.get(created.header("location")).await.expect_status(200).json(), user);
}

#[tokio::test(flavor = "multi_thread")]
async fn create_user_names_the_field_that_is_wrong() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let long = "x".repeat(101);
    for (body, field) in [
        (json!({"email": "a@b"}), "/name"),
        (json!({"name": "", "email": "a@b"}), "/name"),
        (json!({"name": long, "email": "a@b"}), "/name"),
        (json!({"name": "a\u{0}b", "email": "a@b"}), "/name"),
        (json!({"name": 7, "email": "a@b"}), "/name"),
        (json!({"name": "Ada"}), "/email"),
        (json!({"name": "Ada", "email": "nowhere"}), "/email"),
        (json!({"name": "Ada", "email": "a@b", "tier": "gold"}), "/tier"),
        (json!({"name": "Ada", "email": "a@b", "admin": true}), "/admin"),
    ] {
        rig.public.post("/users", &body).await.expect_invalid(field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_whatever_its_capitalisation() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.public.post("/users", &json!({"name": "Ada", "email": "Ada@example.com"})).await.expect_status(201);
    let again = rig.public.post("/users", &json!({"name": "Ada", "email": "ada@EXAMPLE.com"})).await;
    let problem = again.expect_problem(409, "email-taken");
    assert!(problem["errors"]["/email"].is_string(), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn update_user_changes_only_the_given_fields() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let before = rig.read(1).await.json();
    let after = rig.public.patch(&path(1), &json!({"tier": "premium"})).await.expect_status(200).json();
    assert_eq!((&after["name"], &after["tier"]), (&before["name"], &json!("premium")));
    let named = rig.public.patch(&path(1), &json!({"name": "New"})).await.expect_status(200).json();
    assert_eq!((&named["name"], &named["tier"]), (&json!("New"), &json!("premium")));
    assert_eq!(rig.read(1).await.json(), named);
}

#[tokio::test(flavor = "multi_thread")]
async fn update_user_answers_404_for_an_unknown_user_and_names_wrong_fields() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.public.patch(&path(SEEDED_USERS), &json!({"name": "X"})).await.expect_problem(404, "not-found");
    rig.public.patch("/users/1", &json!({"name": "X"})).await.expect_invalid("id");
    for (body, field) in
        [(json!({"name": " "}), "/name"), (json!({"tier": 1}), "/tier"), (json!({"email": "a@b"}), "/email")]
    {
        rig.public.patch(&path(1), &body).await.expect_invalid(field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_start_at_once_seed_one_set_of_users() {
    needs!(Postgres, Redis);
    let url = Postgres::shared().await.database("users").await;
    let redis = Redis::start().await;
    let redis_url = redis.url();
    let (one, two) = tokio::join!(start(&url, &redis_url, &[]), start(&url, &redis_url, &[]));
    let third = start(&url, &redis_url, &[]).await;
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM users").fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, i64::from(SEEDED_USERS));
    drop((one, two, third));
}
