//! The four figures of delivery, of what is in the store and of the incidents that came from it.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use release::{cause::Trouble, dora};
use tokio::time::interval;

use super::{Releases, rows, view::DeliveryView};
use crate::{error::Result, room::Room};

/// The time that the figures are about.
const PERIOD: TimeDelta = TimeDelta::days(30);
/// How often they are exported: incidents change them between two releases.
const EVERY: Duration = Duration::from_secs(60);
/// The same releases have the same interval every time.
const SEED: u64 = 7;

/// Exports them now and again; never returns.
pub(super) async fn export(room: Room) {
    let mut ticks = interval(EVERY);
    loop {
        ticks.tick().await;
        room.releases.measure(&room).await;
    }
}

impl Releases {
    /// The four figures of the last 30 days, with the incidents in memory that came from a release.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn delivery(&self, room: &Room) -> Result<DeliveryView> {
        let until = Utc::now();
        let from = until - PERIOD;
        let mut reader = self.0.store.read().acquire().await?;
        let deliveries = rows::deliveries(&mut reader, from).await?;
        drop(reader);
        let incidents = room.desk.recent(usize::MAX);
        let troubles = incidents.iter().filter_map(|incident| Trouble::of(incident));
        let speed = room.config.speed();
        let caused: Vec<_> = troubles.filter_map(|trouble| trouble.caused(&deliveries, speed)).collect();
        let figures = dora::figures(&deliveries, &caused, (from, until + TimeDelta::seconds(1)), SEED);
        Ok(DeliveryView { from, until, figures })
    }

    /// Exports the four figures.
    pub(super) async fn measure(&self, room: &Room) {
        match self.delivery(room).await {
            Ok(delivery) => room.metrics.releases.delivery(&delivery.figures),
            Err(error) => tracing::warn!(%error, "the figures of delivery are not known"),
        }
    }
}
