//! Which system a scenario is run against, and whether somebody is there.

use std::time::Duration;

use http::Uri;
use tokio::{net::TcpStream, time::timeout};

use super::Stop;
use crate::scenario::Scenario;

/// Longest wait for a connection before the run.
const PATIENCE: Duration = Duration::from_secs(3);

/// Replaces targets of the scenario: each of `wanted` is `URL` for all of them, or `NAME=URL`.
pub(super) fn replace(scenario: &mut Scenario, wanted: &[String]) -> Result<(), Stop> {
    for wanted in wanted {
        let (name, url) = match wanted.split_once('=') {
            // A URL may have = in it, but not before its scheme.
            Some((name, url)) if !name.contains(':') => (Some(name), url),
            _ => (None, wanted.as_str()),
        };
        let url = crate::http::base_url(url).map_err(|error| Stop::Usage(format!("--target: {error}")))?;
        match name {
            None => scenario.targets.values_mut().for_each(|target| *target = url.clone()),
            Some(name) => {
                let known = scenario.targets.keys().cloned().collect::<Vec<_>>().join(", ");
                let unknown = || Stop::Usage(format!("--target: `{name}` is not one of {known}"));
                *scenario.targets.get_mut(name).ok_or_else(unknown)? = url;
            }
        }
    }
    Ok(())
}

/// Connects once to each target that a step uses.
pub(super) async fn check(scenario: &Scenario) -> Result<(), Stop> {
    for (name, url) in &scenario.targets {
        if !scenario.steps().any(|(_, step)| step.target == *name) {
            continue;
        }
        let reached = timeout(PATIENCE, TcpStream::connect(address(url))).await;
        let why = match reached {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {} s", PATIENCE.as_secs()),
        };
        return Err(Stop::Nothing(format!(
            "nobody answers at {url} (target `{name}`): {why}. Is it running there? `./lab status` shows the lab's parts and \
             `./lab up` starts them; --target {name}=URL names another system"
        )));
    }
    Ok(())
}

fn address(url: &Uri) -> String {
    let host = url.host().unwrap_or_default();
    format!("{host}:{}", url.port_u16().unwrap_or(80))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> Scenario {
        crate::scenario::read("average.yaml", include_str!("../../scenarios/average.yaml")).unwrap()
    }

    #[test]
    fn a_target_is_replaced_by_name_or_all_at_once() {
        let mut one = scenario();
        replace(&mut one, &["user-service=http://10.0.0.1:80".to_owned()]).unwrap();
        assert_eq!(one.targets["user-service"].host(), Some("10.0.0.1"));
        assert_eq!(one.targets["order-api"], scenario().targets["order-api"]);
        let mut all = scenario();
        replace(&mut all, &["http://edge:8000".to_owned()]).unwrap();
        assert!(all.targets.values().all(|url| url.host() == Some("edge")));
        for wrong in ["nobody=http://x", "8001", "order-api=x y"] {
            let stop = replace(&mut scenario(), &[wrong.to_owned()]).unwrap_err();
            assert_eq!(stop.exit_code(), 64, "{stop}");
        }
    }
}
