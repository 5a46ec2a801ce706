//! PostgreSQL: which sessions end, and what a statement may do.

use serde_json::json;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use switchboard::Tools;
use testkit::{Postgres, needs};

use crate::support::{action, nowhere, only, with_database};

/// A session of a client with this name.
async fn session(url: &str, application: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL");
    PgConnection::connect_with(&options.application_name(application)).await.expect("a session")
}

async fn works(session: &mut PgConnection) -> bool {
    sqlx::query("SELECT 1").execute(session).await.is_ok()
}

async fn holds_a_transaction(session: &mut PgConnection) {
    for statement in ["BEGIN", "SELECT 1"] {
        sqlx::raw_sql(statement).execute(&mut *session).await.expect("it works");
    }
}

fn end(state: &str, more: &serde_json::Value) -> switchboard::Action {
    let mut value = json!({ "action": "end_sessions", "database": "orders", "state": state });
    value["older_than"] = json!("0s");
    for (name, given) in more.as_object().into_iter().flatten() {
        value[name] = given.clone();
    }
    action(value)
}

#[tokio::test]
async fn sessions_in_the_wanted_state_end_and_no_others() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("orders").await;
    let tools = with_database("orders", &url);
    let (mut holder, mut idle) = (session(&url, "psql").await, session(&url, "order-api").await);
    holds_a_transaction(&mut holder).await;
    assert!(works(&mut idle).await);
    let act = end("idle-in-transaction", &json!({}));
    let would = only(act.describe(&nowhere(), &tools, None).await.unwrap());
    assert!(would.starts_with("would end 1 session of orders (psql 1)"), "{would}");
    assert!(works(&mut holder).await, "a dry run ends nothing");
    let done = only(act.run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("ended 1 session of orders (psql 1), the oldest idle in transaction"), "{done}");
    assert!(!works(&mut holder).await, "it is gone");
    assert!(works(&mut idle).await, "it was in another state");
    let again = only(act.run(&nowhere(), &tools, None).await.unwrap());
    assert!(again.contains("nothing to end"), "{again}");
}

#[tokio::test]
async fn the_name_of_the_client_and_the_limit_narrow_it_down() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("orders").await;
    let tools = with_database("orders", &url);
    let mut jobs = [session(&url, "job").await, session(&url, "job").await];
    let mut other = session(&url, "order-api").await;
    for session in jobs.iter_mut().chain([&mut other]) {
        assert!(works(session).await);
    }
    let young = json!({ "older_than": "1h" });
    let none = only(end("idle", &young).describe(&nowhere(), &tools, None).await.unwrap());
    assert!(none.contains("nothing to end"), "{none}");
    let oldest = end("idle", &json!({ "application": "job", "most": 1 }));
    let done = only(oldest.run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("ended 1 session of orders (job 1)"), "{done}");
    let [first, second] = &mut jobs;
    assert_eq!((works(first).await, works(second).await), (false, true), "the oldest goes first");
    assert!(works(&mut other).await);
}

#[tokio::test]
async fn a_role_that_is_no_superuser_reads_and_ends_sessions_and_changes_nothing() {
    needs!(Postgres);
    let server = Postgres::shared().await;
    let (owner, url) = server.owned_database("orders").await;
    let mut service = session(&url, "order-api").await;
    let schema = "CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)";
    sqlx::raw_sql(schema).execute(&mut service).await.unwrap();
    let mut admin = session(&server.url("postgres"), "admin").await;
    let role = format!("room_{owner}");
    let grants = format!(
        "CREATE ROLE {role} LOGIN NOSUPERUSER; \
         GRANT pg_monitor, pg_signal_backend, pg_read_all_data TO {role}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(grants)).execute(&mut admin).await.unwrap();
    let tools = with_database("orders", &url.replacen(&owner, &role, 1));
    let text = "select id from orders where id = ($1::text)::int";
    let rows = tools.sql("orders", text, &["7".to_owned()]).await.unwrap();
    assert_eq!(serde_json::to_value(rows).unwrap(), json!([{ "id": 7 }]));
    assert!(works(&mut service).await);
    // A superuser's session is not for it to end, and must not keep the others from ending.
    let superuser = server.url(&owner);
    let mut watching = session(&superuser, "admin").await;
    assert!(works(&mut watching).await);
    let done = only(end("idle", &json!({})).run(&nowhere(), &tools, None).await.unwrap());
    assert!(done.starts_with("ended 1 session of orders (order-api 1)"), "{done}");
    assert!(!works(&mut service).await && works(&mut watching).await);
}

#[tokio::test]
async fn a_statement_reads_binds_its_values_as_text_and_has_a_time_limit() {
    needs!(Postgres);
    let url = Postgres::shared().await.database("orders").await;
    let tools: Tools = with_database("orders", &url);
    let mut owner = session(&url, "order-api").await;
    let schema = "CREATE TABLE orders (id int); CREATE SEQUENCE numbers";
    sqlx::raw_sql(schema).execute(&mut owner).await.unwrap();
    let text = "select $1::text as one, ($2::text)::int + 1 as two, null as three, \
                current_setting('statement_timeout') as stops;";
    let values = ["'; drop table orders; --", "41"].map(str::to_owned);
    let rows = tools.sql("orders", text, &values).await.unwrap();
    let expected = json!([{ "one": "'; drop table orders; --", "two": 42, "three": null, "stops": "5s" }]);
    assert_eq!(serde_json::to_value(rows).unwrap(), expected);
    assert!(tools.sql("orders", "select 1 where false", &[]).await.unwrap().is_empty());
    for (text, said) in [
        ("insert into orders values (1)", "syntax error"),
        ("select 1) as \"the row\"; drop table orders; select (1", "cannot insert multiple commands"),
        ("select nothing from orders", "column \"nothing\" does not exist"),
        ("select nextval('numbers')", "read-only transaction"),
    ] {
        let error = tools.sql("orders", text, &[]).await.unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    let rows = tools.sql("orders", "select count(*) as count from orders", &[]).await.unwrap();
    assert_eq!(rows[0]["count"], 0);
}
