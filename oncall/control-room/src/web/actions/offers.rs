//! What can be done here, as data: groups by what it is about, in each the acts with their fields.

use switchboard::{STOPPABLE, SessionState};

use super::{
    firewall,
    form::{Group, Offer, choice, fixed, replicas, target, text},
};
use crate::{config::Call, room::Room};

/// All that is possible here.
pub(super) fn groups(room: &Room) -> Vec<Group> {
    let mut groups: Vec<Group> = services(room).iter().map(|service| of_service(room, service)).collect();
    groups.extend(
        services(room).iter().any(|service| service == firewall::EDGE).then(|| firewall::group(room)),
    );
    groups.extend([databases(room), cache(room), load(room), alerts(room), changes()]);
    groups.extend(room.eyes.tools.lab.is_some().then(parts));
    groups
}

/// Names of the services that have an admin port, each once, as they are configured.
fn services(room: &Room) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for instance in &room.eyes.instances {
        if !names.contains(&instance.service) {
            names.push(instance.service.clone());
        }
    }
    names
}

fn of_service(room: &Room, service: &str) -> Group {
    let mut offers = vec![
        Offer {
            action: "restart",
            word: "Restart",
            help: "Stops it in order and starts it again; several replicas one after the other. It helps \
                   against what a process has collected, and costs the requests in progress.",
            fields: vec![target(room, service)],
        },
        Offer {
            action: "remove_files",
            word: "Remove left-over files",
            help: "Removes spool files and checkpoints from its data folder, never its own data.",
            fields: vec![target(room, service)],
        },
        Offer {
            action: "scale",
            word: "Scale",
            help: "Sets the number of replicas. It helps where there is more work than one can do, and only \
                   if what they all use can take it.",
            fields: vec![
                fixed("target", service),
                text("replicas", "Replicas", "2", "A number from 1 to 20."),
            ],
        },
    ];
    offers.extend(is_balanced(room, service).then(|| drain(room, service)));
    offers.extend(is_balanced(room, service).then(|| undrain(room, service)));
    if has_topics(room, service) {
        offers.push(Offer {
            action: "redrive",
            word: "Put dead letters back",
            help: "Puts messages that it gave up on back on their topic. First fix what was wrong: otherwise \
                   they come back.",
            fields: vec![fixed("target", service), text("most", "At most", "", "A number; empty: 1000.")],
        });
    }
    Group { id: service.to_owned(), title: service.to_owned(), note: "", offers }
}

/// Whether the edge balances over several replicas of a service.
fn is_balanced(room: &Room, service: &str) -> bool {
    let behind = |call: &Call| call.caller == firewall::EDGE && call.callee == service;
    room.eyes.calls.iter().any(behind) && replicas(room, service).len() > 1
}

fn drain(room: &Room, service: &str) -> Offer {
    Offer {
        action: "drain",
        word: "Drain one replica",
        help: "The edge sends it no new requests. Drain a sick replica before you restart it or look at it. Never two at once; \
               it is back by itself when the time is over.",
        fields: vec![
            choice("target", "Which", replicas(room, service)),
            text("ttl", "For", "10m", "A time from 1s to 1h, such as 10m."),
        ],
    }
}

fn undrain(room: &Room, service: &str) -> Offer {
    Offer {
        action: "undrain",
        word: "Put it back",
        help: "The edge sends a drained replica requests again.",
        fields: vec![choice("target", "Which", replicas(room, service))],
    }
}

/// Whether a service sends or receives messages: it is joined to something that is called and calls, and is
/// no service itself.
fn has_topics(room: &Room, service: &str) -> bool {
    let calls = &room.eyes.calls;
    let is_broker = |name: &str| {
        let known = room.eyes.instances.iter().any(|instance| instance.service == name);
        !known && calls.iter().any(|call| call.caller == name) && calls.iter().any(|call| call.callee == name)
    };
    calls.iter().any(|call| {
        let (from, to) = (call.caller.as_str(), call.callee.as_str());
        (from == service && is_broker(to)) || (to == service && is_broker(from))
    })
}

fn databases(room: &Room) -> Group {
    let known: Vec<(String, String)> =
        room.eyes.tools.databases.keys().map(|name| (name.clone(), name.clone())).collect();
    let states = [SessionState::IdleInTransaction, SessionState::Idle, SessionState::Active];
    let states = states.map(|state| (state.name().to_owned(), state.to_string()));
    let offer = Offer {
        action: "end_sessions",
        word: "End sessions",
        help: "Ends sessions of a database. It helps against forgotten transactions that hold locks, and \
               clients that use up the connections. What they had not committed has to be done again.",
        fields: vec![
            choice("database", "Database", known.clone()),
            choice("state", "Sessions that are", states.to_vec()),
            text("older_than", "For more than", "10s", "A time such as 10s or 5m."),
            text("application", "Of the client", "", "The name that it gives itself; empty: all of them."),
            text("most", "At most", "", "A number, the oldest first; empty: all of them."),
        ],
    };
    let (note, offers) = if known.is_empty() {
        ("No database is known here: set DATABASES.", vec![])
    } else {
        ("", vec![offer])
    };
    Group { id: "postgres".to_owned(), title: "PostgreSQL".to_owned(), note, offers }
}

fn cache(room: &Room) -> Group {
    let offer = Offer {
        action: "purge_keys",
        word: "Remove keys",
        help: "Removes entries of the cache. What is asked for again is read from the database, which has \
               to take that.",
        fields: vec![
            text("pattern", "Keys that match", "users:*", "A pattern; * is all of them."),
            text("ttl_over", "That would stay for more than", "", "A time such as 15m; empty: all of them."),
            text("most", "At most", "", "A number; empty: all of them."),
        ],
    };
    let known = room.eyes.tools.redis.is_some();
    let (note, offers) =
        if known { ("", vec![offer]) } else { ("No Redis is known here: set REDIS_URL.", vec![]) };
    Group { id: "redis".to_owned(), title: "Redis".to_owned(), note, offers }
}

fn load(room: &Room) -> Group {
    let set = Offer {
        action: "set_load",
        word: "Set the load",
        help: "Lets in this many requests per second, as a limit at the door would. It helps against a \
               collapse that feeds itself: fewer requests, until it is over.",
        fields: vec![text("rps", "Requests per second", "", "A number; 0 lets nothing in.")],
    };
    let restart = Offer {
        action: "restart",
        word: "Restart",
        help: "Starts the load generator again, at its first rate.",
        fields: vec![fixed("target", "load")],
    };
    let known = room.eyes.tools.load.is_some();
    let (note, offers) = if known {
        ("Customers, as a generator plays them.", vec![set, restart])
    } else {
        ("No load generator is known here: set LOAD_ADMIN_URL.", vec![])
    };
    Group { id: "load".to_owned(), title: "Load".to_owned(), note, offers }
}

fn alerts(room: &Room) -> Group {
    let mut whose = vec![(String::new(), "all services".to_owned())];
    whose.extend(services(room).into_iter().map(|name| (name.clone(), name)));
    let alert = || text("alert", "Alert", "", "Its name, such as HighLatency.");
    let service = || choice("service", "Of", whose.clone());
    let silence = Offer {
        action: "silence",
        word: "Silence an alert",
        help: "It reaches nobody for a while. It changes nothing for customers: silence what is known, and \
               nothing else.",
        fields: vec![alert(), service(), text("ttl", "For", "10m", "A time such as 10m, at most 24h.")],
    };
    let expire = Offer {
        action: "expire_silence",
        word: "End a silence",
        help: "Ends the silence of exactly this alert and service.",
        fields: vec![alert(), service()],
    };
    let offers = vec![silence, expire];
    Group { id: "alerts".to_owned(), title: "Alerts".to_owned(), note: "", offers }
}

fn changes() -> Group {
    let offer = Offer {
        action: "rollback",
        word: "Roll a change back",
        help: "Takes back a release that is under way, or what came with a drill: a release, a flag, a configuration.",
        fields: vec![text("change", "Change", "", "REL-7, or its name as in the list of changes.")],
    };
    Group { id: "changes".to_owned(), title: "Changes".to_owned(), note: "", offers: vec![offer] }
}

/// What a lab on this machine runs beside its services.
fn parts() -> Group {
    let known = STOPPABLE.map(|part| (part.to_owned(), part.to_owned()));
    let offer = Offer {
        action: "start_part",
        word: "Start a part",
        help: "Starts a store, a service, or what notifies, if it does not run. It changes nothing if it does.",
        fields: vec![choice("target", "Which", known.to_vec())],
    };
    let failover = Offer {
        action: "failover",
        word: "Fail over",
        help: "Fences the primary of PostgreSQL and promotes its replica. Orders fail for a few seconds, and what the \
               replica has not received is lost. The fence cannot be taken back.",
        fields: vec![
            text("instance", "Instance", "", "The name of this lab; that of another one is refused."),
            choice(
                "force",
                "If nobody saw lately how far the replica is",
                vec![
                    ("false".to_owned(), "do nothing".to_owned()),
                    ("true".to_owned(), "accept the loss".to_owned()),
                ],
            ),
        ],
    };
    let offers = vec![offer, failover];
    Group { id: "parts".to_owned(), title: "Parts of the lab".to_owned(), note: "", offers }
}
