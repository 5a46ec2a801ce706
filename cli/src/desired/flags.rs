//! Flags of services: their protections, seen and switched on the admin port of every instance that is ready, canary and baseline
//! included.
//!
//! What an instance was told is lost if it restarts, and one that is new was told nothing. Then each instance of its service gets its
//! flags again, even where a change by hand would stay.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use futures::future::join_all;
use observe::Peer;
use release::desired::{Act, Seen, Setting};
use serde_json::Value;

use super::{
    calls::{Call, send},
    edges::{DIFFERS, Look, PATIENCE},
    member::Member,
};

/// The instances of the services that have flags.
pub(super) struct Flags {
    token: Option<String>,
    /// Those that were ready at the last look, by their names.
    instances: BTreeMap<String, Instance>,
}

struct Instance {
    service: String,
    admin: String,
    process: Option<String>,
    peer: Peer,
    /// Whether it answered at the last look.
    answers: bool,
    /// Whether this process was told everything.
    told: bool,
}

impl Flags {
    pub(super) fn new(token: Option<String>) -> Self {
        Self { token, instances: BTreeMap::new() }
    }

    /// Whether they are set from here.
    pub(super) fn have(setting: &Setting) -> bool {
        matches!(setting, Setting::Flag { .. })
    }

    /// How these flags are. Asks nobody if there are none.
    pub(super) async fn look(&mut self, settings: BTreeSet<Setting>, members: &[Member]) -> Look {
        let named = |service: &str| settings.iter().any(|setting| setting.service() == Some(service));
        self.meet(members.iter().filter(|member| member.ready && named(&member.service)));
        // All at once: one that hangs delays no other.
        let asked = self.instances.iter().map(|(name, instance)| async move {
            let answer = instance.peer.get("/protections", &[]).await;
            (name.clone(), answer.map_err(|error| error.to_string()))
        });
        let answers: BTreeMap<String, Result<Value, String>> = join_all(asked).await.into_iter().collect();
        self.found(settings, &answers)
    }

    /// Takes who is ready now.
    fn meet<'m>(&mut self, ready: impl Iterator<Item = &'m Member>) {
        let mut before = std::mem::take(&mut self.instances);
        for Member { name, service, admin, process, .. } in ready {
            let peer = || Peer::at(admin).token(self.token.clone()).patience(PATIENCE);
            let admin = admin.clone();
            let instance = match before.remove(name).filter(|known| known.process == *process) {
                Some(known) if known.admin == admin => known,
                // The same one at another address.
                Some(known) if process.is_some() => Instance { admin, peer: peer(), ..known },
                _ => Instance {
                    peer: peer(),
                    service: service.clone(),
                    admin,
                    process: process.clone(),
                    answers: false,
                    told: false,
                },
            };
            self.instances.insert(name.clone(), instance);
        }
    }

    /// Takes the answers, by the names of the instances.
    fn found(
        &mut self,
        settings: BTreeSet<Setting>,
        answers: &BTreeMap<String, Result<Value, String>>,
    ) -> Look {
        let (mut silent, mut news) = (Vec::new(), BTreeSet::new());
        for (name, instance) in &mut self.instances {
            let answer = answers.get(name);
            instance.answers = matches!(answer, Some(Ok(_)));
            if instance.answers && !instance.told {
                instance.told = true;
                news.insert(instance.service.clone());
            }
            if let Some(Err(why)) = answer {
                silent.push(format!("{name} does not answer, and gets its flags once it does: {why}"));
            }
        }
        let seen = settings.iter().map(|setting| (setting.clone(), self.seen(setting, answers))).collect();
        let new = |setting: &Setting| setting.service().is_some_and(|service| news.contains(service));
        Look { seen, silent, lost: settings.into_iter().filter(new).collect(), ..Look::default() }
    }

    fn seen(&self, setting: &Setting, answers: &BTreeMap<String, Result<Value, String>>) -> Seen {
        let Setting::Flag { service, flag } = setting else {
            return Seen::Unknown("it is no flag".to_owned());
        };
        let own = self.instances.iter().filter(|(_, instance)| instance.service == *service);
        let answered = own.filter_map(|(name, _)| answers.get(name)?.as_ref().ok());
        let mut found = answered.map(|answer| enabled(answer, flag));
        let Some(first) = found.next() else {
            return Seen::Unknown(format!("no instance of {service} is ready and answers"));
        };
        if found.any(|other| other != first) {
            return Seen::Value(DIFFERS.to_owned());
        }
        first.map_or(Seen::Absent, |on| Seen::Value(on.to_string()))
    }

    /// Switches it on every instance that answered at the last look, even if one of them refuses. Without a value, a protection is on.
    /// May be repeated.
    ///
    /// # Errors
    /// When it is no flag, or an instance refuses.
    pub(super) async fn perform(&mut self, act: &Act) -> Result<()> {
        let Setting::Flag { service, flag } = &act.setting else { bail!("{} is no flag", act.setting) };
        let path = format!("/protections/{flag}");
        let call = match &act.to {
            Some(on) => Call::Set { path, query: vec![("enabled", on.clone())] },
            None => Call::Withdraw { path },
        };
        let call = &call;
        let own = self.instances.iter_mut().filter(|(_, instance)| instance.service == *service);
        let told = own.map(|(name, instance)| async move {
            let sent =
                if instance.answers { send(&instance.peer, call).await.map(|()| true) } else { Ok(false) };
            instance.told &= matches!(sent, Ok(true));
            sent.err().map(|error| format!("{name}: {error}"))
        });
        let refused: Vec<String> = join_all(told).await.into_iter().flatten().collect();
        if refused.is_empty() { Ok(()) } else { bail!("{}", refused.join("; ")) }
    }
}

/// Whether a protection is on; nothing if no protection has this name.
fn enabled(answer: &Value, flag: &str) -> Option<bool> {
    let all = answer.get("protections")?.as_array()?;
    let own = all.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(flag))?;
    own.get("enabled")?.as_bool()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flag(service: &str) -> Setting {
        Setting::Flag { service: service.to_owned(), flag: "circuit-breaker".to_owned() }
    }

    fn all() -> BTreeSet<Setting> {
        BTreeSet::from([flag("order-api"), flag("user-service")])
    }

    fn meet(flags: &mut Flags, parts: &[(&str, &str, u32)]) {
        let one = |(name, service, pid): &(&str, &str, u32)| Member {
            name: (*name).to_owned(),
            service: (*service).to_owned(),
            admin: "http://127.0.0.1:1".to_owned(),
            process: Some(pid.to_string()),
            ready: true,
        };
        let members: Vec<Member> = parts.iter().map(one).collect();
        flags.meet(members.iter());
    }

    fn says(answers: &[(&str, Option<bool>)]) -> BTreeMap<String, Result<Value, String>> {
        let one = |(name, on): &(&str, Option<bool>)| {
            let says = |on: bool| json!({ "protections": [{ "name": "circuit-breaker", "enabled": on }] });
            ((*name).to_owned(), on.map(says).ok_or_else(|| "it hangs".to_owned()))
        };
        answers.iter().map(one).collect()
    }

    fn value(text: &str) -> Seen {
        Seen::Value(text.to_owned())
    }

    #[test]
    fn a_flag_is_what_every_instance_says() {
        let mut flags = Flags::new(None);
        meet(&mut flags, &[("order-api", "order-api", 1), ("order-api-2", "order-api", 2)]);
        let look = flags.found(all(), &says(&[("order-api", Some(false)), ("order-api-2", Some(false))]));
        assert_eq!(look.seen[&flag("order-api")], value("false"));
        assert!(matches!(look.seen[&flag("user-service")], Seen::Unknown(_)), "none is ready");
        let look = flags.found(all(), &says(&[("order-api", Some(false)), ("order-api-2", Some(true))]));
        assert_eq!(look.seen[&flag("order-api")], value(DIFFERS));
        let other = Setting::Flag { service: "order-api".to_owned(), flag: "seatbelt".to_owned() };
        let answers = says(&[("order-api", Some(false)), ("order-api-2", Some(true))]);
        assert_eq!(flags.found(BTreeSet::from([other.clone()]), &answers).seen[&other], Seen::Absent);
    }

    #[test]
    fn a_new_instance_and_one_that_restarted_get_the_flags_of_their_service_once() {
        let mut flags = Flags::new(None);
        let answers = says(&[
            ("order-api", Some(false)),
            ("order-api-canary", Some(true)),
            ("user-service", Some(true)),
        ]);
        let (api, users) = (("order-api", "order-api", 1), ("user-service", "user-service", 3));
        meet(&mut flags, &[api, users]);
        assert_eq!(flags.found(all(), &answers).lost, all());
        meet(&mut flags, &[api, users]);
        assert!(flags.found(all(), &answers).lost.is_empty());
        for parts in [
            &[api, ("order-api-canary", "order-api", 2), users],
            &[api, ("order-api-canary", "order-api", 4), users],
        ] {
            meet(&mut flags, parts);
            assert_eq!(flags.found(all(), &answers).lost, BTreeSet::from([flag("order-api")]));
            assert!(flags.found(all(), &answers).lost.is_empty(), "once");
        }
    }

    #[tokio::test]
    async fn an_instance_that_did_not_answer_is_named_and_gets_its_flags_once_it_does() {
        let mut flags = Flags::new(None);
        meet(&mut flags, &[("order-api", "order-api", 1)]);
        flags.found(all(), &says(&[("order-api", Some(true))]));
        let look = flags.found(all(), &says(&[("order-api", None)]));
        assert_eq!(look.silent, ["order-api does not answer, and gets its flags once it does: it hangs"]);
        assert!(matches!(look.seen[&flag("order-api")], Seen::Unknown(_)));
        let off = Act { setting: flag("order-api"), to: Some("false".to_owned()) };
        flags.perform(&off).await.unwrap();
        let look = flags.found(all(), &says(&[("order-api", Some(true))]));
        assert_eq!(look.lost, BTreeSet::from([flag("order-api")]));
        // Nobody listens there.
        assert!(flags.perform(&off).await.unwrap_err().to_string().starts_with("order-api: "));
        assert!(!flags.instances["order-api"].told);
    }
}
