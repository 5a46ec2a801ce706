//! What is in force, and its one owner. New routes replace it as a whole, and carry over what somebody has drained.
//! A change of it, and a drain, therefore wait for their turn: a replica that is drained while new routes are
//! being made would otherwise be drained in the routes that they replace, and get requests all the same.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::Live;
use crate::{
    domain::{drain::Refused, table::Table},
    metrics::ProxyMetrics,
};

/// What is in force.
pub struct InForce {
    live: ArcSwap<Live>,
    /// Held while it is replaced and while a replica is drained or put back. Requests never wait for it, and nobody
    /// reads a file while they hold it.
    turn: Mutex<()>,
    proxy: ProxyMetrics,
    started: Instant,
}

/// Why weights are not set.
#[derive(Debug, PartialEq, Eq)]
pub enum Unset {
    /// There is no such route.
    Unknown,
    /// They do not fit the route; what is expected.
    Wrong(String),
}

/// Why a replica is not drained.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// No upstream has it.
    Unknown,
    /// This upstream cannot do without it.
    Needed(Arc<str>, Refused),
}

impl InForce {
    /// Of what the file of the routes says at the start.
    pub(crate) fn new(table: Table, proxy: ProxyMetrics, started: Instant) -> Self {
        let live = ArcSwap::from_pointee(Live::new(table, None, &proxy, started.elapsed()));
        Self { live, turn: Mutex::default(), proxy, started }
    }

    /// As it is now: a request keeps it until it is answered.
    #[must_use]
    pub fn load(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Puts other routes into force. Weights that were set end; what is drained stays so, if its upstream still has it.
    pub(crate) fn replace(&self, table: Table) {
        let Ok(()) = self.change(|before, now| {
            for route in before.reweighted() {
                tracing::warn!(route, "the weights that were set have ended: the files have changed");
            }
            Ok::<_, Infallible>(Live::new(table, Some(before), &self.proxy, now))
        });
    }

    /// Gives a route other weights until the files change: then the one who writes them, such as a release, decides
    /// again. `None`: those of the file.
    ///
    /// # Errors
    /// [`Unset`].
    pub fn weigh(&self, route: &str, weights: Option<&BTreeMap<String, u32>>) -> Result<(), Unset> {
        self.change(|before, now| {
            let mut known = before.table().routes.iter().enumerate();
            let (place, found) = known.find(|(_, known)| known.name == route).ok_or(Unset::Unknown)?;
            let to = weights.map(|weights| found.weighed(weights)).transpose().map_err(Unset::Wrong)?;
            Ok(before.weighed(place, to, &self.proxy, now))
        })
    }

    /// Drains a replica for this time in every upstream that has it, or in none if one of them cannot do without it.
    /// With `dry` it only says whether that may be.
    ///
    /// # Errors
    /// [`Kept`].
    pub fn drain(&self, endpoint: &str, ttl: Duration, dry: bool) -> Result<(), Kept> {
        let _turn = self.turn.lock();
        let (live, now) = (self.load(), self.started.elapsed());
        let having: Vec<_> =
            live.upstreams().filter_map(|upstream| Some((upstream, upstream.at(endpoint)?))).collect();
        if having.is_empty() {
            return Err(Kept::Unknown);
        }
        // First all of them without doing it: one that refuses keeps the others as they are.
        for dry in [true, dry] {
            for (upstream, index) in &having {
                let needed = |why| Kept::Needed(Arc::clone(&upstream.name), why);
                upstream.drain(*index, ttl, now, dry).map_err(needed)?;
            }
        }
        Ok(())
    }

    /// Puts a drained replica back, or every one; upstream and address of each that was drained.
    pub fn undrain(&self, endpoint: Option<&str>) -> Vec<(Arc<str>, String)> {
        let _turn = self.turn.lock();
        let (live, now) = (self.load(), self.started.elapsed());
        let mut back = Vec::new();
        for upstream in live.upstreams() {
            let Some((drained, _)) = upstream.drained(now) else { continue };
            let is_meant = endpoint.is_none_or(|endpoint| endpoint == drained);
            if is_meant && upstream.at(&drained).is_some_and(|index| upstream.undrain(index, now)) {
                back.push((Arc::clone(&upstream.name), drained));
            }
        }
        back
    }

    /// Replaces it by what is made of it, if anything is.
    fn change<E>(&self, make: impl FnOnce(&Live, Duration) -> Result<Live, E>) -> Result<(), E> {
        let _turn = self.turn.lock();
        let live = make(&self.load(), self.started.elapsed())?;
        self.live.store(Arc::new(live));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            mpsc::{RecvTimeoutError, channel},
        },
        thread,
    };

    use chassis_telemetry::metrics::Metrics;

    use super::*;
    use crate::domain::table;

    const TTL: Duration = Duration::from_secs(600);
    /// How long a change that has to wait for its turn is watched: one that need not wait takes microseconds.
    const AWHILE: Duration = Duration::from_millis(200);
    const SICK: &str = "127.0.0.1:2";

    /// Routes to one upstream with these replicas.
    fn to(ports: &[u16]) -> Table {
        let replicas: Vec<String> = ports.iter().map(|port| format!("'http://127.0.0.1:{port}'")).collect();
        let text = format!(
            "upstreams: {{up: {{endpoints: [{}]}}}}\nroutes: [{{name: all, prefix: /, to: [{{upstream: up}}]}}]\n",
            replicas.join(", ")
        );
        table::read("routes.yaml", &text, Duration::from_secs(60)).expect("routes")
    }

    fn in_force() -> InForce {
        InForce::new(to(&[1, 2]), ProxyMetrics::register(&Metrics::new()), Instant::now())
    }

    fn drained(in_force: &InForce) -> Vec<String> {
        let (live, now) = (in_force.load(), in_force.started.elapsed());
        live.upstreams().filter_map(|upstream| Some(upstream.drained(now)?.0)).collect()
    }

    /// Somebody else does `act` after the new routes have taken over what was drained, and before they are in force.
    fn meanwhile(in_force: &InForce, ports: &[u16], act: impl FnOnce(&InForce) + Send) {
        let (done, is_done) = channel();
        thread::scope(|scope| {
            let Ok(()) = in_force.change(|before, now| {
                let live = Live::new(to(ports), Some(before), &in_force.proxy, now);
                scope.spawn(move || {
                    act(in_force);
                    let _ = done.send(());
                });
                assert_eq!(is_done.recv_timeout(AWHILE), Err(RecvTimeoutError::Timeout), "they wait");
                Ok::<_, Infallible>(live)
            });
        });
    }

    #[test]
    fn who_drains_while_new_routes_are_made_drains_in_the_new_ones() {
        let in_force = in_force();
        meanwhile(&in_force, &[1, 2, 3], |in_force| in_force.drain(SICK, TTL, false).expect("others serve"));
        assert_eq!(drained(&in_force), [SICK]);
        meanwhile(&in_force, &[3, 2], |in_force| {
            let back: Vec<String> = in_force.undrain(None).into_iter().map(|(_, at)| at).collect();
            assert_eq!(back, [SICK]);
        });
        assert!(drained(&in_force).is_empty(), "what was put back is not drained again by the new routes");
    }

    #[test]
    fn in_whatever_order_files_and_people_come_nothing_that_was_drained_is_lost() {
        for round in 0..500 {
            let (in_force, begin) = (in_force(), Barrier::new(3));
            let weights = BTreeMap::from([("up".to_owned(), 7)]);
            thread::scope(|scope| {
                scope.spawn(|| {
                    begin.wait();
                    in_force.replace(to(&[3, 2, 1]));
                    in_force.replace(to(&[2, 1]));
                });
                scope.spawn(|| {
                    begin.wait();
                    in_force.drain(SICK, TTL, false).expect("others serve");
                });
                scope.spawn(|| {
                    begin.wait();
                    in_force.weigh("all", Some(&weights)).expect("a route");
                });
            });
            assert_eq!(drained(&in_force), [SICK], "round {round}");
            thread::scope(|scope| {
                scope.spawn(|| in_force.replace(to(&[1, 2])));
                scope.spawn(|| in_force.undrain(Some(SICK)));
            });
            assert!(drained(&in_force).is_empty(), "round {round}");
        }
    }

    #[test]
    fn a_replica_that_no_upstream_has_or_that_one_needs_is_not_drained() {
        let in_force = in_force();
        assert_eq!(in_force.drain("127.0.0.1:9", TTL, false), Err(Kept::Unknown));
        in_force.drain(SICK, TTL, true).expect("others serve");
        assert!(drained(&in_force).is_empty(), "only asked");
        in_force.replace(to(&[2]));
        assert_eq!(in_force.drain(SICK, TTL, false), Err(Kept::Needed("up".into(), Refused::Only)));
        assert!(in_force.undrain(None).is_empty());
    }
}
