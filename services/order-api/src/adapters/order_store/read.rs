//! Reading orders: one by id, or a page of them, newest first.

use chassis_postgres::{DbError, QueryType};
use contracts::orders::Order;
use uuid::Uuid;

use super::{OrderStore, row::OrderRow};
use crate::domain::ListFilter;

/// The columns of [`OrderRow`], with the filter of one kind of list. One statement per kind, so that each has its own plan
/// and index. `$1` is the id below which the page starts, `$2` the number of rows.
macro_rules! list {
    ($filter:literal) => {
        concat!(
            "SELECT id, user_id, items, total_cents, status, created_at, settled_at FROM orders WHERE id < $1 ",
            $filter,
            " ORDER BY id DESC LIMIT $2"
        )
    };
}

const GET: &str =
    "SELECT id, user_id, items, total_cents, status, created_at, settled_at FROM orders WHERE id = $1";

impl OrderStore {
    /// One order.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn get(&self, id: Uuid) -> Result<Option<Order>, DbError> {
        let mut query = self.database.query(QueryType::Select, "get_order").await?;
        let row: Option<OrderRow> = sqlx::query_as(GET).bind(id).fetch_optional(&mut query).await?;
        Ok(row.map(Order::try_from).transpose()?)
    }

    /// Orders, newest first.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn list(&self, filter: &ListFilter) -> Result<Vec<Order>, DbError> {
        let below = filter.below.unwrap_or(Uuid::max());
        let rows = i64::from(filter.rows);
        let statement = match (filter.user_id, filter.status) {
            (None, None) => sqlx::query_as(list!("")).bind(below).bind(rows),
            (Some(user), None) => sqlx::query_as(list!("AND user_id = $3")).bind(below).bind(rows).bind(user),
            (None, Some(status)) => {
                sqlx::query_as(list!("AND status = $3")).bind(below).bind(rows).bind(status.as_str())
            }
            (Some(user), Some(status)) => sqlx::query_as(list!("AND user_id = $3 AND status = $4"))
                .bind(below)
                .bind(rows)
                .bind(user)
                .bind(status.as_str()),
        };
        let mut query = self.database.query(QueryType::Select, "list_orders").await?;
        let rows: Vec<OrderRow> = statement.fetch_all(&mut query).await?;
        drop(query);
        Ok(rows.into_iter().map(Order::try_from).collect::<Result<_, _>>()?)
    }
}
