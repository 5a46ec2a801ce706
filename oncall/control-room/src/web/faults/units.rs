//! The replicas of all services and their switches, asked at once.

use maud::{Markup, html};
use switchboard::{FaultPoint, Protection, Replica};
use tokio::task::JoinSet;

use crate::{
    actions::{elsewhere, token},
    error::Result,
    eyes::PATIENCE,
    room::Room,
    web::parts::unreachable,
};

/// A replica and its switches, or why they are not known.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) faults: std::result::Result<Vec<FaultPoint>, String>,
    pub(super) protections: std::result::Result<Vec<Protection>, String>,
}

/// The replicas of a service, or of all, by name. One that does not answer is among them.
pub(super) async fn read(room: &Room, service: Option<&str>) -> Result<Vec<Unit>> {
    let replicas = room.eyes.place.replicas(service, token(room)).await.map_err(elsewhere)?;
    let order: Vec<String> = replicas.iter().map(ToString::to_string).collect();
    let mut tasks = JoinSet::new();
    for replica in replicas {
        tasks.spawn(one(replica));
    }
    let mut units = tasks.join_all().await;
    // As they are configured: in the order of a request.
    units.sort_by_key(|unit| order.iter().position(|name| *name == unit.name));
    Ok(units)
}

async fn one(replica: Replica) -> Unit {
    let late = || format!("it did not answer within {} s", PATIENCE.as_secs());
    let faults = tokio::time::timeout(PATIENCE, replica.faults());
    let protections = tokio::time::timeout(PATIENCE, replica.protections());
    let (faults, protections) = tokio::join!(faults, protections);
    Unit {
        service: replica.service.clone(),
        name: replica.to_string(),
        faults: faults.map_or_else(|_| Err(late()), |answer| answer.map_err(|error| error.to_string())),
        protections: protections
            .map_or_else(|_| Err(late()), |answer| answer.map_err(|error| error.to_string())),
    }
}

/// Names of the services, each once.
pub(super) fn services(units: &[Unit]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for unit in units {
        if !names.contains(&unit.service.as_str()) {
            names.push(&unit.service);
        }
    }
    names
}

/// Why a replica's switches are not known.
pub(super) fn trouble(unit: &Unit) -> Markup {
    html! {
        @if let Some(why) = unit.faults.as_ref().err().or(unit.protections.as_ref().err()) {
            (unreachable(&unit.name, why))
        }
    }
}
