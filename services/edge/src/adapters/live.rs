//! What the file of the routes says, ready for requests. A new file makes a new one as a whole; a request
//! keeps the one that it began with, so nothing is lost by a reload. An upstream that has not changed stays
//! the same, with what is known of its replicas.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc, time::Duration};

use chassis_telemetry::metrics::IntCounter;
use http::{HeaderMap, Method};
use parking_lot::Mutex;

use super::Upstream;
use crate::{
    domain::{
        bucket::Buckets,
        split::{Split, Wish},
        table::{Client, Limit, Route, Table},
    },
    metrics::{ProxyMetrics, RouteMeter},
};

/// Clients that a limit tells apart at a time.
const CLIENTS: usize = 20_000;

/// All routes.
pub struct Live {
    table: Table,
    upstreams: BTreeMap<String, Arc<Upstream>>,
    routes: Vec<Ways>,
    /// What the file says of the routes whose weights were set, by their names.
    of_file: BTreeMap<String, Vec<(String, u32)>>,
}

/// One route.
struct Ways {
    name: Arc<str>,
    split: Mutex<Split>,
    targets: Vec<Target>,
    limiter: Option<Limiter>,
}

/// Where a route may lead.
pub struct Target {
    /// The upstream.
    pub upstream: Arc<Upstream>,
    pub(crate) meter: RouteMeter,
}

/// A route as a request finds it.
pub struct Found<'a> {
    /// What the file says.
    pub route: &'a Route,
    /// Its name.
    pub name: &'a Arc<str>,
    ways: &'a Ways,
}

impl Live {
    /// Of what the file says; upstreams that `before` has too are taken from there.
    pub(crate) fn new(table: Table, before: Option<&Self>, metrics: &ProxyMetrics, now: Duration) -> Self {
        let known = |name: &str| before.and_then(|before| before.upstreams.get(name));
        let upstreams = table.upstreams.iter().map(|(name, spec)| {
            let upstream = match known(name).filter(|upstream| upstream.is(spec)) {
                Some(same) => Arc::clone(same),
                None => {
                    let new = Upstream::new(name, spec, metrics, now);
                    if let Some(before) = known(name) {
                        new.keep_drained(before, now);
                    }
                    Arc::new(new)
                }
            };
            (name.clone(), upstream)
        });
        let upstreams: BTreeMap<_, _> = upstreams.collect();
        let routes = table.routes.iter().map(|route| Ways::new(route, &upstreams, metrics)).collect();
        Self { table, upstreams, routes, of_file: BTreeMap::new() }
    }

    /// The same with other weights for the route at `place`, or with those of its file.
    pub(crate) fn weighed(
        &self,
        place: usize,
        to: Option<Vec<(String, u32)>>,
        metrics: &ProxyMetrics,
        now: Duration,
    ) -> Self {
        let (mut table, mut of_file) = (self.table.clone(), self.of_file.clone());
        if let Some(route) = table.routes.get_mut(place) {
            match to {
                Some(to) => {
                    let before = std::mem::replace(&mut route.to, to);
                    // Set twice, it is still the first one that the file has.
                    of_file.entry(route.name.clone()).or_insert(before);
                }
                None => {
                    if let Some(to) = of_file.remove(&route.name) {
                        route.to = to;
                    }
                }
            }
        }
        Self { of_file, ..Self::new(table, Some(self), metrics, now) }
    }

    /// The routes whose weights were set.
    pub(crate) fn reweighted(&self) -> impl Iterator<Item = &str> {
        self.of_file.keys().map(String::as_str)
    }

    /// The route for a request.
    #[must_use]
    pub fn route(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        let place = self.table.route(method, path)?;
        let (route, ways) = self.table.routes.get(place).zip(self.routes.get(place))?;
        Some(Found { route, name: &ways.name, ways })
    }

    /// All upstreams.
    pub fn upstreams(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.upstreams.values()
    }

    /// All routes, as the file has them, but for weights that were set.
    #[must_use]
    pub fn table(&self) -> &Table {
        &self.table
    }
}

impl Ways {
    fn new(route: &Route, upstreams: &BTreeMap<String, Arc<Upstream>>, metrics: &ProxyMetrics) -> Self {
        // The reader has made sure that every name is there.
        let targets = route.to.iter().filter_map(|(name, _)| {
            let upstream = Arc::clone(upstreams.get(name)?);
            Some(Target { upstream, meter: RouteMeter::new(metrics, &route.name, name) })
        });
        // Its series exists where there is no limit, too.
        let limited = metrics.limited(&route.name);
        let weights: Vec<u32> = route.to.iter().map(|(_, weight)| *weight).collect();
        Self {
            name: route.name.as_str().into(),
            split: Mutex::new(Split::new(&weights)),
            targets: targets.collect(),
            limiter: route.limit.as_ref().map(|limit| Limiter::new(limit, limited)),
        }
    }
}

impl<'a> Found<'a> {
    /// Takes a request's worth from what its client may send.
    ///
    /// # Errors
    /// If it has asked too often: the time until it may again.
    pub fn admit(&self, headers: &HeaderMap, peer: Option<IpAddr>, now: Duration) -> Result<(), Duration> {
        self.ways.limiter.as_ref().map_or(Ok(()), |limiter| limiter.take(headers, peer, now))
    }

    /// Where the request goes.
    #[must_use]
    pub fn choose(&self, headers: &HeaderMap) -> Option<&'a Target> {
        let ways: &'a Ways = self.ways;
        if let [only] = &ways.targets[..] {
            return Some(only);
        }
        let wish = self.route.canary_header.as_ref().and_then(|name| headers.get(name));
        let place = ways.split.lock().choose(Wish::of(wish.map(http::HeaderValue::as_bytes)));
        ways.targets.get(place)
    }
}

/// A bound for each client.
pub struct Limiter {
    limit: Limit,
    buckets: Mutex<Buckets<Key>>,
    refused: IntCounter,
}

/// What a client is told apart by.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Peer(Option<IpAddr>),
    Header(Box<[u8]>),
}

impl Limiter {
    pub(crate) fn new(limit: &Limit, refused: IntCounter) -> Self {
        let buckets = Mutex::new(Buckets::new(limit.allowance, CLIENTS));
        Self { limit: limit.clone(), buckets, refused }
    }

    /// What it allows.
    #[must_use]
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Takes a request's worth from the bucket of its client.
    ///
    /// # Errors
    /// If it has asked too often: the time until it may again.
    pub fn take(&self, headers: &HeaderMap, peer: Option<IpAddr>, now: Duration) -> Result<(), Duration> {
        let named = match &self.limit.by {
            Client::Header(name) => headers.get(name),
            Client::Peer => None,
        };
        let key =
            named.map_or_else(|| Key::Peer(peer.map(network)), |name| Key::Header(name.as_bytes().into()));
        let taken = self.buckets.lock().take(key, now);
        taken.inspect_err(|_| self.refused.inc())
    }
}

/// What counts as one client: an IPv4 address, or the network that an IPv6 host can choose its addresses
/// from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
