//! What reached the phone of the person on call: alerts that fired and cleared, pages to people, messages. `lab pages` reads it.

mod page;
#[cfg(test)]
mod tests;

pub use page::{Page, PageKind};

use crate::{
    bus::{Bus, Kind},
    error::{Error, Result},
    store::{Store, Writing, time},
};

/// How many pages are kept.
const KEPT: i64 = 10_000;

/// The phone. Cheap to clone.
#[derive(Clone)]
pub struct Phone {
    store: Store,
    bus: Bus,
}

impl Phone {
    /// The phone of this store.
    ///
    /// # Errors
    /// When its pages cannot be read.
    pub async fn open(store: &Store, bus: &Bus) -> anyhow::Result<Self> {
        let phone = Self { store: store.clone(), bus: bus.clone() };
        phone.after(0, 1).await?;
        Ok(phone)
    }

    /// At most `limit` pages with a larger id, oldest first.
    ///
    /// # Errors
    /// When the file fails or has a row that cannot be read.
    pub async fn after(&self, id: i64, limit: usize) -> Result<Vec<Page>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT id, data FROM phone WHERE id > ? ORDER BY id LIMIT ?")
                .bind(id)
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(self.store.read())
                .await?;
        let pages = rows.into_iter().map(|(id, data)| {
            let page: Page = serde_json::from_str(&data)?;
            Ok::<_, Error>(Page { id, ..page })
        });
        pages.collect()
    }

    /// Keeps a page; its id is given here.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn keep(&self, page: Page) -> Result<()> {
        let mut writing = self.store.begin().await?;
        Self::keep_in(&mut writing, &page).await?;
        writing.commit(&self.bus).await?;
        Ok(())
    }

    /// Keeps a page in a transaction, and forgets the oldest.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn keep_in(writing: &mut Writing<'_>, page: &Page) -> Result<()> {
        let row = sqlx::query("INSERT INTO phone (at, data) VALUES (?, ?)")
            .bind(time::micros(page.received_at))
            .bind(serde_json::to_string(page)?)
            .execute(&mut **writing)
            .await?;
        let id = row.last_insert_rowid();
        sqlx::query("DELETE FROM phone WHERE id <= ?").bind(id - KEPT).execute(&mut **writing).await?;
        writing
            .journal(page.received_at, Kind::Page, page.incident, false, &Page { id, ..page.clone() })
            .await
    }
}
