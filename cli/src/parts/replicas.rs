//! How many instances of a service run here, and what each of them is called.
//!
//! The first instance has the service's name and its usual ports; the others have a number behind it, `order-api-2`. The edge
//! balances over all instances of order-api and user-service; order-api calls one user-service each; what comes through the queue
//! is shared among all.

/// Services that can have several instances.
const SERVICES: &[&str] = &["order-api", "user-service", "order-worker", "edge"];
/// The services behind the edge: also the names of its upstreams. They can be released, because it splits their requests.
pub(crate) const BEHIND: [&str; 2] = ["order-api", "user-service"];
/// Most instances of one service: each has its own entries in the table of ports.
const MOST: u16 = 3;

/// How many instances of a service were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replicas {
    service: &'static str,
    count: u16,
}

/// Reads `SERVICE=N`.
///
/// # Errors
/// A sentence with the expected form.
pub(crate) fn parse(text: &str) -> Result<Replicas, String> {
    let (name, count) =
        text.split_once('=').ok_or_else(|| "expected SERVICE=N, such as order-api=2".to_owned())?;
    let Some(service) = SERVICES.iter().copied().find(|service| *service == name) else {
        return Err(format!("no service is called `{name}`; there are: {}", SERVICES.join(", ")));
    };
    match count.parse() {
        Ok(count) if (1..=MOST).contains(&count) => Ok(Replicas { service, count }),
        _ => Err(format!("expected 1 to {MOST} instances of {name}, not `{count}`")),
    }
}

/// The instances of `service`; of several choices the last one counts.
pub(crate) fn instances(chosen: &[Replicas], service: &'static str) -> Vec<Instance> {
    let choice = chosen.iter().rev().find(|choice| choice.service == service);
    let count = choice.map_or(1, |choice| choice.count);
    (1..=count).map(|number| Instance { service, number }).collect()
}

/// One of the processes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instance {
    /// The service: also the name of its program.
    pub(crate) service: &'static str,
    number: u16,
}

impl Instance {
    /// The instance of a service that has no others.
    pub(crate) const fn only(service: &'static str) -> Self {
        Self { service, number: 1 }
    }

    /// Name of the part, and of its public port.
    pub(crate) fn name(self) -> String {
        match self.number {
            1 => self.service.to_owned(),
            number => format!("{}-{number}", self.service),
        }
    }

    /// Whether it is not the first one.
    pub(crate) const fn is_further(self) -> bool {
        self.number > 1
    }

    /// The instance of `service` that it calls: its own number, or, if there are fewer, they take turns.
    pub(crate) fn peer(self, chosen: &[Replicas], service: &'static str) -> Self {
        let all = instances(chosen, service);
        all[usize::from(self.number - 1) % all.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::{
        edge::{EDGE, EDGE_OWN},
        ports::PORTS,
    };

    fn names(chosen: &[Replicas], service: &'static str) -> Vec<String> {
        instances(chosen, service).into_iter().map(Instance::name).collect()
    }

    #[test]
    fn the_last_choice_counts_and_the_first_instance_has_the_name_of_the_service() {
        let chosen = ["order-api=3", "user-service=2", "order-api=2"].map(|text| parse(text).unwrap());
        assert_eq!(names(&chosen, "order-api"), ["order-api", "order-api-2"]);
        assert_eq!(names(&chosen, "user-service"), ["user-service", "user-service-2"]);
        assert_eq!(names(&chosen, "order-worker"), ["order-worker"]);
        let api = instances(&chosen, "order-api");
        assert_eq!(api[1].peer(&chosen, "user-service").name(), "user-service-2");
        assert_eq!(api[1].peer(&chosen, "order-worker").name(), "order-worker");
    }

    #[test]
    fn a_wrong_choice_is_refused_with_what_would_be_right() {
        for (text, said) in [
            ("order-api", "SERVICE=N"),
            ("order-ap=2", "order-api, user-service, order-worker"),
            ("redis=2", "order-api, user-service, order-worker"),
            ("order-api=0", "1 to 3 instances of order-api, not `0`"),
            ("order-api=4", "1 to 3"),
            ("order-api=two", "not `two`"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn every_instance_that_can_be_chosen_has_its_ports() {
        for &service in SERVICES {
            let chosen = [parse(&format!("{service}={MOST}")).unwrap()];
            for name in names(&chosen, service) {
                let has = |port: &str| PORTS.iter().any(|spec| spec.name == port);
                assert!(has(&format!("{name}-admin")), "{name} has no admin port");
                assert_eq!(has(&name), has(service), "{name}: a public port, as {service} has one or not");
            }
            assert!(service != EDGE || PORTS.iter().any(|spec| spec.name == EDGE_OWN));
        }
    }
}
