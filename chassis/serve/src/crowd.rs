//! All connections of a port. If too many of them wait for their client, the one that has waited longest is given notice, and
//! closed if no request arrives on it in time; one with a request in progress never is. So 500 idle or trickling connections cannot lock
//! out anyone, not even a client at the same address, and 500 clients that connect together are all served.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use crate::{connection::State, limits::Limits};

/// Memory for the bodies of requests that are not complete, in bytes, for all connections of a port together.
const BODIES: usize = 32 << 20;

/// Time for a request to arrive on a connection that was given notice: enough for a client that has just connected.
const NOTICE: Duration = Duration::from_secs(1);
/// The same if there are far too many: enough for what the kernel has already received.
const SHORT_NOTICE: Duration = Duration::from_millis(50);
/// Multiple of the bound from which notice is short.
const FAR: usize = 4;

/// The connections of one port.
pub(crate) struct Crowd {
    most: usize,
    most_per_client: usize,
    members: Mutex<Members>,
    /// Bytes of incomplete bodies.
    held: AtomicUsize,
}

#[derive(Default)]
struct Members {
    next: u64,
    all: HashMap<u64, Member>,
    per_client: HashMap<IpAddr, usize>,
}

struct Member {
    state: Arc<State>,
    client: IpAddr,
}

/// A place in the crowd; dropped with its connection.
pub(crate) struct Place {
    crowd: Arc<Crowd>,
    id: u64,
}

impl Crowd {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            most: limits.max_connections as usize,
            most_per_client: limits.max_connections_per_client as usize,
            members: Mutex::default(),
            held: AtomicUsize::new(0),
        }
    }

    /// A place for a new connection; others may be given notice for it.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr, state: &Arc<State>) -> Place {
        let client = client(address);
        let mut members = self.members();
        // Counting is only for the rare case in which it matters.
        if members.per_client.get(&client).is_some_and(|&all| all >= self.most_per_client) {
            members.make_room(self.most_per_client, |member| member.client == client);
        }
        if members.all.len() >= self.most {
            members.make_room(self.most, |_| true);
        }
        let id = members.next;
        members.next += 1;
        *members.per_client.entry(client).or_default() += 1;
        members.all.insert(id, Member { state: Arc::clone(state), client });
        Place { crowd: Arc::clone(self), id }
    }

    /// Closes the connection that has waited longest for its client, if there is one.
    pub(crate) fn close_longest(&self) {
        self.members().make_room(0, |_| true);
    }

    /// Dismisses all that are between two requests.
    pub(crate) fn dismiss_idle(&self) {
        self.members()
            .all
            .values()
            .filter(|member| member.state.is_idle())
            .for_each(|member| member.state.dismiss());
    }

    /// Closes all that have waited since before `then`.
    pub(crate) fn close_waiting_since_before(&self, then: u64) {
        for member in self.members().all.values() {
            if member.state.waits_since().is_some_and(|since| since < then) {
                member.state.close();
            }
        }
    }

    /// More of an incomplete body arrived. If all together are too large, the longest-waiting one loses its connection, at
    /// once: its memory is needed now. Returns whether.
    pub(crate) fn holds(&self, bytes: usize) -> bool {
        let held = self.held.fetch_add(bytes, Relaxed) + bytes;
        if held <= BODIES {
            return false;
        }
        let members = self.members();
        let longest = members.waiting(|member| member.state.is_reading()).longest;
        longest.inspect(|state| state.close()).is_some()
    }

    /// A body is complete, or gone.
    pub(crate) fn released(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Relaxed);
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock()
    }
}

impl Members {
    /// Gives notice to the longest-waiting connection that `concerns` selects, if `most` of them already wait without notice.
    fn make_room(&self, most: usize, concerns: impl Fn(&Member) -> bool) {
        let waiting = self.waiting(concerns);
        if waiting.staying >= most
            && let Some(state) = waiting.longest
        {
            state.give_notice(if waiting.all < FAR * most { NOTICE } else { SHORT_NOTICE });
        }
    }

    /// The connections that `concerns` selects and that wait for their client. Only the time counts, not earlier requests: an
    /// attacker can send those too, so they would only lock out new clients.
    fn waiting(&self, concerns: impl Fn(&Member) -> bool) -> Waiting<'_> {
        let mut waiting = Waiting { all: 0, staying: 0, longest: None };
        let mut earliest = u64::MAX;
        for Member { state, .. } in self.all.values().filter(|member| concerns(member)) {
            let Some(since) = state.waits_since() else { continue };
            waiting.all += 1;
            if state.is_leaving() || state.is_ending() {
                continue;
            }
            waiting.staying += 1;
            if since < earliest {
                earliest = since;
                waiting.longest = Some(state);
            }
        }
        waiting
    }
}

/// Connections that wait for their client.
struct Waiting<'a> {
    all: usize,
    /// Those without notice.
    staying: usize,
    /// The longest-waiting one of these.
    longest: Option<&'a Arc<State>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut members = self.crowd.members();
        let Some(Member { client, .. }) = members.all.remove(&self.id) else { return };
        if let Some(all) = members.per_client.get_mut(&client) {
            *all -= 1;
            if *all == 0 {
                members.per_client.remove(&client);
            }
        }
    }
}

/// What counts as one client: an IPv4 address, or the network that an IPv6 host can choose its addresses from.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Protocol, clock::Clock, connection::turn::Turn};

    fn crowd(most: u32, per_client: u32) -> Arc<Crowd> {
        let limits =
            Limits { max_connections: most, max_connections_per_client: per_client, ..Limits::default() };
        Arc::new(Crowd::new(&limits))
    }

    fn state() -> Arc<State> {
        on(Clock::start())
    }

    fn on(clock: Clock) -> Arc<State> {
        Arc::new(State::new(clock, Protocol::Http1, [10, 0, 0, 1].into()))
    }

    #[tokio::test]
    async fn the_client_at_its_bound_loses_a_waiting_connection_and_no_other_does() {
        let crowd = crowd(100, 2);
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let states: Vec<_> = (0..4).map(|_| state()).collect();
        let _other = crowd.enter(b, &states[0]);
        let _busy = crowd.enter(a, &states[1]);
        let _turn = Turn::begin(&states[1]);
        let _idle = crowd.enter(a, &states[2]);
        let _third = crowd.enter(a, &states[3]);
        assert!(states.iter().all(|state| !state.is_leaving()), "one works and only one waits");
        let _fourth = crowd.enter(a, &state());
        let ending: Vec<bool> = states.iter().map(|state| state.is_leaving()).collect();
        assert!(!ending[0] && !ending[1] && (ending[2] ^ ending[3]), "{ending:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_waits_longest_is_closed() {
        let crowd = crowd(2, 100);
        let clock = Clock::start();
        let address: IpAddr = [10, 0, 0, 1].into();
        let (early, late) = (on(clock), on(clock));
        let _one = crowd.enter(address, &early);
        let _two = crowd.enter(address, &late);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        // Answered only now: its wait restarts.
        drop(Turn::begin(&early).answers());
        let _three = crowd.enter(address, &on(clock));
        assert_eq!((early.is_leaving(), late.is_leaving()), (false, true));
        // A late request saves it.
        drop(Turn::begin(&late));
        assert!(!late.is_leaving());
    }

    #[test]
    fn hosts_of_one_ipv6_network_are_one_client() {
        let of = |text: &str| client(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
