//! Routes as data: which requests go where, how long they may take, how often they are repeated, and how much
//! of them a client may send. `services/edge/routes.yaml` is an example.

mod read;

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderName, Method, uri::Authority};

pub use read::read;

use super::{bucket::Allowance, outlier};

/// Largest weight of an upstream.
pub const HEAVIEST: u32 = 10_000;

/// A whole file.
#[derive(Debug, Clone)]
pub struct Table {
    /// By name.
    pub upstreams: BTreeMap<String, Upstream>,
    /// Those with the longest prefix first.
    pub routes: Vec<Route>,
}

/// Replicas that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Host and port of each; at least one.
    pub endpoints: Vec<Authority>,
    /// Each of them is a balancer with replicas of its own.
    pub balanced: bool,
    /// When a replica is out.
    pub ejection: outlier::Rules,
}

/// One route.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Name, for metrics and logs.
    pub name: String,
    /// Whole segments of the path: `/orders` covers `/orders/7` and not `/orders-old`.
    pub prefix: String,
    /// Methods; empty: all.
    pub methods: Vec<Method>,
    /// Upstreams with their weights; the last one is the canary.
    pub to: Vec<(String, u32)>,
    /// Header by which a request chooses its side.
    pub canary_header: Option<HeaderName>,
    /// Time until the head of the answer, attempts included.
    pub timeout: Duration,
    /// Time for one attempt.
    pub attempt_timeout: Option<Duration>,
    /// Attempts after the first one.
    pub retries: u32,
    /// How often one client may ask.
    pub limit: Option<Limit>,
}

/// A bound for each client.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// How often it may ask.
    pub allowance: Allowance,
    /// What tells clients apart.
    pub by: Client,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// Their address.
    Peer,
    /// A header; those without it are told apart by their address.
    Header(HeaderName),
}

impl Table {
    /// The place of the route for a request.
    #[must_use]
    pub fn route(&self, method: &Method, path: &str) -> Option<usize> {
        self.routes.iter().position(|route| route.covers(method, path))
    }
}

impl Route {
    /// Its upstreams with other weights, by their names.
    ///
    /// # Errors
    /// What is expected: every upstream has a weight, nothing else has one, and one of them is above 0.
    pub fn weighed(&self, weights: &BTreeMap<String, u32>) -> Result<Vec<(String, u32)>, String> {
        let to = self.to.iter().map(|(name, _)| Some((name.clone(), *weights.get(name)?)));
        let to: Option<Vec<_>> = to.collect();
        let known = |name: &String| self.to.iter().any(|(upstream, _)| upstream == name);
        let sound = weights.keys().all(known)
            && weights.values().all(|weight| *weight <= HEAVIEST)
            && weights.values().any(|weight| *weight > 0);
        to.filter(|_| sound).ok_or_else(|| {
            let names: Vec<&str> = self.to.iter().map(|(name, _)| name.as_str()).collect();
            format!("a weight from 0 to {HEAVIEST} for each of {}, one of them above 0", names.join(", "))
        })
    }

    fn covers(&self, method: &Method, path: &str) -> bool {
        let below = match path.strip_prefix(self.prefix.as_str()) {
            Some(rest) => rest.is_empty() || rest.starts_with('/') || self.prefix.ends_with('/'),
            None => false,
        };
        below && (self.methods.is_empty() || self.methods.contains(method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../routes.yaml");
    const MINUTE: Duration = Duration::from_secs(60);

    fn refused(text: &str) -> String {
        read("routes.yaml", text, MINUTE).expect_err("a mistake").to_string()
    }

    #[test]
    fn the_shipped_routes_lead_to_the_services_of_the_lab() {
        let table = read("routes.yaml", TEXT, MINUTE).unwrap();
        for (method, path, upstream) in [
            (Method::POST, "/orders", "order-api"),
            (Method::GET, "/orders/7", "order-api"),
            (Method::GET, "/risky", "order-api"),
            (Method::GET, "/users", "user-service"),
            (Method::PATCH, "/users/7", "user-service"),
        ] {
            let route = table.route(&method, path).map(|place| &table.routes[place]);
            assert_eq!(route.map(|route| route.to[0].0.as_str()), Some(upstream), "{path}");
        }
        assert_eq!(table.route(&Method::GET, "/ordersome"), None);
        assert_eq!(table.route(&Method::GET, "/"), None);
    }

    #[test]
    fn the_longest_prefix_and_its_methods_decide() {
        let text = "
upstreams:
  a: {endpoints: ['http://127.0.0.1:1']}
  b: {endpoints: ['http://127.0.0.1:2', 'http://b:2']}
routes:
  - {name: all, prefix: /, to: [{upstream: a}]}
  - {name: writes, prefix: /x, methods: [POST, PUT], to: [{upstream: b}]}
  - {name: deep, prefix: /x/y, to: [{upstream: a, weight: 95}, {upstream: b, weight: 5}]}
";
        let table = read("routes.yaml", text, MINUTE).unwrap();
        for (method, path, name) in [
            (Method::GET, "/x", "all"),
            (Method::POST, "/x", "writes"),
            (Method::POST, "/x/y/z", "deep"),
            (Method::POST, "/x/yz", "writes"),
            (Method::GET, "/", "all"),
        ] {
            let found = table.route(&method, path).map(|place| table.routes[place].name.as_str());
            assert_eq!(found, Some(name), "{method} {path}");
        }
    }

    #[test]
    fn every_mistake_has_its_line_and_field() {
        let text = "
upstreams:
  a: {endpoints: ['https://127.0.0.1:1', '127.0.0.1']}
  b: {endpoints: []}
routes:
  - name: First One
    prefix: orders
    methods: [BREW/1]
    to: [{upstream: c}, {upstream: a, weight: 0}]
    timeout: 2m
    retries: 9
    limit: {rps: 0, burst: 0, by: colour}
";
        let wrong = refused(text);
        for expected in [
            "routes.yaml:3: upstreams.a.endpoints[0]: ",
            "routes.yaml:3: upstreams.a.endpoints[1]: ",
            "routes.yaml:4: upstreams.b.endpoints: ",
            "routes.yaml:6: routes[0].name: ",
            "routes.yaml:7: routes[0].prefix: ",
            "routes.yaml:8: routes[0].methods[0]: ",
            "routes.yaml:9: routes[0].to[0].upstream: `c` is not in `upstreams`",
            "routes.yaml:10: routes[0].timeout: ",
            "routes.yaml:11: routes[0].retries: ",
            "routes.yaml:12: routes[0].limit.rps: ",
            "routes.yaml:12: routes[0].limit.burst: ",
            "routes.yaml:12: routes[0].limit.by: ",
        ] {
            assert!(wrong.contains(expected), "{expected}\n---\n{wrong}");
        }
    }

    #[test]
    fn routes_that_nobody_could_reach_are_refused() {
        let two = "
upstreams: {a: {endpoints: ['http://127.0.0.1:1']}}
routes:
  - {name: one, prefix: /x, to: [{upstream: a}]}
  - {name: two, prefix: /x, to: [{upstream: a}]}
  - {name: one, prefix: /y, to: [{upstream: a, weight: 0}]}
";
        let wrong = refused(two);
        assert!(wrong.contains(":5: routes[1].prefix: "), "{wrong}");
        assert!(wrong.contains(":6: routes[2].name: "), "{wrong}");
        assert!(wrong.contains(":6: routes[2].to: "), "{wrong}");
    }
}
