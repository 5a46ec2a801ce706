//! `GET /orders/{id}` and `GET /orders`.

use contracts::users::seeded_user_id;
use uuid::Uuid;

use crate::lab::{declined, order, run, shared};

#[test]
fn get_order_shows_the_order_as_it_was_placed() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let placed = order(4);
        let id = lab.place(&placed).await;
        let read = lab.http.get(&format!("/orders/{id}")).await.expect_status(200).json();
        assert_eq!((&read["user_id"], &read["items"]), (&placed["user_id"], &placed["items"]));
        assert!(read["created_at"].as_str().unwrap().ends_with('Z'), "{read}");

        let settled = lab.settled(&id).await;
        let expected = if declined(&id) { "rejected" } else { "completed" };
        assert_eq!(settled["status"], expected);
        assert!(settled["settled_at"].is_string());
    });
}

#[test]
fn get_order_answers_404_for_an_unknown_id_and_400_for_an_invalid_one() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        lab.http.get(&format!("/orders/{}", Uuid::now_v7())).await.expect_problem(404, "not-found");
        lab.http.get("/orders/7").await.expect_invalid("id");
    });
}

#[test]
fn list_orders_pages_through_one_users_orders_newest_first() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        let mut placed = Vec::new();
        for _ in 0..5 {
            placed.push(lab.place(&order(5)).await);
        }
        placed.reverse();
        let mut seen = Vec::new();
        let mut path = format!("/orders?user_id={}&limit=2", seeded_user_id(5));
        loop {
            let page = lab.http.get(&path).await.expect_status(200).json();
            let orders = page["orders"].as_array().unwrap();
            assert!(orders.len() <= 2);
            seen.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/orders?user_id={}&limit=2&cursor={cursor}", seeded_user_id(5));
        }
        assert_eq!(seen, placed);
    });
}

#[test]
fn list_orders_filters_by_status() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        // Above the payment limit: always declined.
        let mut dear = order(6);
        dear["items"][0]["unit_price_cents"] = 100_000_000.into();
        let rejected = lab.place(&dear).await;
        assert_eq!(lab.settled(&rejected).await["status"], "rejected");

        for (filter, expected) in [("rejected", 1), ("completed", 0), ("pending", 0)] {
            let path = format!("/orders?user_id={}&status={filter}", seeded_user_id(6));
            let orders = lab.http.get(&path).await.expect_status(200).json();
            assert_eq!(orders["orders"].as_array().unwrap().len(), expected, "{filter}");
        }
        let all = lab.http.get("/orders?status=rejected&limit=100").await.expect_status(200).json();
        assert!(all["orders"].as_array().unwrap().iter().any(|order| order["id"] == rejected.as_str()));
    });
}

#[test]
fn list_orders_names_the_parameter_that_is_wrong() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = shared().await;
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=many", "limit"),
            ("cursor=abc", "cursor"),
            ("status=lost", "status"),
            ("user_id=1", "user_id"),
            ("color=red", "color"),
        ] {
            lab.http.get(&format!("/orders?{query}")).await.expect_invalid(field);
        }
    });
}
