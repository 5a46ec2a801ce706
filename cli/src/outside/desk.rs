//! The orders to the part `chaos`, as files in the lab's folder: nobody else can write there, so they need no port and no
//! token, and they outlive a restart of the part.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use chrono::Utc;
use serde::Deserialize;
use supervisor::write_private;
use tokio::time::sleep;

use super::orders::{Done, Order, Orders, What};
use crate::home::Home;

/// Longest wait until an order is carried out: the part looks ten times a second.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for another command: it waits for the part at most twice.
const TURN: Duration = Duration::from_secs(15);
/// Between two looks at whether it is.
const LOOK: Duration = Duration::from_millis(20);

/// Where orders are given.
#[derive(Debug, Clone)]
pub(crate) struct Desk(PathBuf);

impl Desk {
    /// That of a lab.
    pub(crate) fn of(home: &Home) -> Self {
        Self(home.dir.join("chaos"))
    }

    /// A file on it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is in force; nothing if nothing was ever ordered.
    ///
    /// # Errors
    /// When the file cannot be read, or is not one of orders.
    pub(crate) fn orders(&self) -> Result<Orders> {
        self.read("orders.json")
    }

    fn read<T: Default + for<'a> Deserialize<'a>>(&self, name: &str) -> Result<T> {
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Says what was carried out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn done(&self, done: &Done) -> Result<()> {
        Ok(write_private(&self.file("done.json"), &serde_json::to_string(done)?)?)
    }

    /// Gives an order; returns when it is carried out.
    ///
    /// # Errors
    /// When another one acts on the same thing, or the part refuses or does not answer. Then nothing is in force.
    pub(crate) async fn give(&self, order: Order) -> Result<()> {
        let _turn = self.turn().await?;
        let what = order.what.clone();
        let orders = self.orders()?.with(order, Utc::now())?;
        let given = match self.settle(&orders).await {
            Ok(done) => done.refused.into_iter().next().map_or(Ok(()), |why| Err(anyhow!(why))),
            Err(error) => Err(error),
        };
        if given.is_err() {
            // The error is why; what is not taken back ends by itself.
            let _ = self.end(Some(&what)).await;
        }
        given
    }

    /// Ends what acts on the same thing, or everything; returns when it has ended.
    ///
    /// # Errors
    /// When the part does not answer.
    pub(crate) async fn take_back(&self, what: Option<&What>) -> Result<()> {
        let _turn = self.turn().await?;
        self.end(what).await
    }

    /// The turn of one command, until it is dropped or its process ends: two that read the orders in the same moment
    /// would write the same revision, and one order would be lost.
    async fn turn(&self) -> Result<File> {
        let path = self.file("lock");
        fs::create_dir_all(&self.0).with_context(|| format!("cannot create {}", self.0.display()))?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < TURN => sleep(LOOK).await,
                Err(TryLockError::WouldBlock) => {
                    bail!("another `lab chaos` has been giving orders for {} s: try again", TURN.as_secs())
                }
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
        }
    }

    /// What is refused now are orders of others: what is not ordered any more cannot be.
    async fn end(&self, what: Option<&What>) -> Result<()> {
        self.settle(&self.orders()?.without(what, Utc::now())).await.map(|_| ())
    }

    /// Writes the orders, and waits until the part has seen them.
    async fn settle(&self, orders: &Orders) -> Result<Done> {
        write_private(&self.file("orders.json"), &serde_json::to_string(orders)?)?;
        let begun = Instant::now();
        loop {
            let done: Done = self.read("done.json")?;
            if done.revision >= orders.revision {
                return Ok(done);
            }
            if begun.elapsed() > PATIENCE {
                bail!("the part `chaos` has not answered for {} s: see `lab status`", PATIENCE.as_secs());
            }
            sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use chrono::TimeDelta;
    use tokio::time::timeout;

    use super::*;
    use crate::outside::orders::tests::order;

    #[tokio::test]
    async fn a_command_waits_until_another_one_has_given_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk(folder.path().join("chaos"));
        let turn = desk.turn().await.unwrap();
        let until = Utc::now() + TimeDelta::seconds(60);
        let mut given = pin!(desk.give(order("postgres", until)));
        // Absence is the subject.
        assert!(timeout(Duration::from_millis(50), &mut given).await.is_err());
        assert_eq!(desk.orders().unwrap(), Orders::default());
        // Meanwhile, the other one has given its own.
        let other = Orders::default().with(order("user-service", until), Utc::now()).unwrap();
        write_private(&desk.file("orders.json"), &serde_json::to_string(&other).unwrap()).unwrap();
        drop(turn);
        desk.done(&Done { revision: 2, refused: Vec::new() }).unwrap();
        timeout(Duration::from_secs(5), given).await.unwrap().unwrap();
        let both = desk.orders().unwrap();
        assert_eq!((both.revision, both.list.len()), (2, 2));
    }

    #[tokio::test]
    async fn what_is_taken_back_has_ended_even_if_an_order_of_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk(folder.path().join("chaos"));
        desk.done(&Done { revision: 9, refused: vec!["process 17 has ended".to_owned()] }).unwrap();
        desk.take_back(None).await.unwrap();
        let until = Utc::now() + TimeDelta::seconds(60);
        let refused = desk.give(order("postgres", until)).await.unwrap_err();
        assert_eq!(refused.to_string(), "process 17 has ended");
        assert_eq!(desk.orders().unwrap().list, [], "what is refused is not in force");
    }
}
