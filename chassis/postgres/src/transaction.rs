//! A transaction, which a service holds while it works on the database.

use std::ops::{Deref, DerefMut};

use super::{Connection, DbError};

/// A measured transaction; rolled back when dropped without a commit. Use as `&mut *tx`.
#[derive(Debug)]
pub struct Transaction(pub(super) Connection);

impl Transaction {
    /// Commits.
    ///
    /// # Errors
    /// If the server did not confirm; whether the commit happened is then unknown.
    pub async fn commit(mut self) -> Result<(), DbError> {
        self.0.commit().await
    }
}

impl Deref for Transaction {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
