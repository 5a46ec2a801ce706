//! The control room: the page that a person opens when the alert has come, and the API behind it.
//!
//! * [`desk`] -- incidents: what arrives, which incident it joins, what people do. Composes the pure `incident`.
//! * [`objectives`] -- service level objectives that the API declared beside the files. Composes the pure `slo`.
//! * [`duty`] -- who is on call and who is next, by `oncall.yaml`. Composes the pure `rota`.
//! * [`notify`] -- the outbox of notifications, and war rooms.
//! * [`eyes`], [`watch`] -- what is going on: polled from Prometheus and the others, noted in timelines, diagnosed.
//! * [`papers`], [`changes`], [`phone`] -- postmortems, changes of the system, what reached people.
//! * [`actions`] -- what changes the system, with dry run, undo and an entry in the journal.
//! * [`drills`] -- failures as exercises: runs, their verdicts, scores and reports. Composes the pure `drill`.
//! * [`runbooks`] -- runbooks that run, and automation behind its guardrails. Composes the pure `runbook`.
//! * [`releases`] -- new versions, step by step, with a judge and a way back. Composes the pure `release`.
//! * [`api`], [`web`], [`access`] -- JSON and pages, and who may do what.
//! * [`mcp`] -- what agents ask and do, as tools and as routes.
//! * [`store`], [`bus`] -- SQLite and the journal; news for everyone in the process.
//!
//! Works while the patient does not: it has its own store and no faults, and it needs neither the broker nor the databases
//! of the shop. It shows what it cannot reach as unreachable, and continues.

pub mod access;
pub mod actions;
pub mod api;
pub mod bus;
pub mod changes;
pub mod config;
pub mod content;
pub mod desk;
pub mod drills;
pub mod duty;
pub mod error;
pub mod eyes;
mod life;
pub mod mcp;
pub mod metrics;
pub mod notify;
pub mod objectives;
pub mod papers;
pub mod phone;
pub mod releases;
pub mod room;
pub mod runbooks;
pub mod store;
pub mod watch;
pub mod web;

use anyhow::Context as _;
use chassis_service::{App, Chassis, ServiceInfo};

use crate::{
    access::Access, actions::Actions, bus::Bus, changes::Changes, config::RoomConfig, content::Content,
    desk::Desk, drills::Drills, duty::Duty, eyes::Eyes, metrics::RoomMetrics, notify::Notify,
    objectives::Objectives, papers::Papers, phone::Phone, releases::Releases, runbooks::Runbooks,
    store::Store, watch::Watch,
};
pub use life::live;
pub use room::{Parts, Room};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "control-room", version: env!("CARGO_PKG_VERSION") };

/// Assembles the control room and starts its timers.
///
/// # Errors
/// When its file cannot be opened, `oncall.yaml` is wrong, or the configuration is unsafe.
pub async fn build(config: &RoomConfig, chassis: Chassis) -> anyhow::Result<App> {
    config.check()?;
    let room = assemble(config, chassis).await?;
    duty::start(&room);
    notify::start(&room);
    watch::start(&room);
    actions::start(&room);
    drills::start(&room);
    runbooks::start(&room);
    releases::start(&room);
    let common = config.common();
    let chassis = room.chassis.clone();
    let routes = api::routes(&room).and(web::routes(&room)).counted_when_asked();
    let routes = routes.and(mcp::routes(&room));
    let app = App::new(&common, chassis).offering(routes);
    Ok(web::grafana::port(config).into_iter().fold(app, App::listening))
}

/// The parts, with nothing running yet.
///
/// # Errors
/// As [`build`].
pub async fn assemble(config: &RoomConfig, chassis: Chassis) -> anyhow::Result<Room> {
    let metrics = RoomMetrics::register(&chassis.metrics);
    let store = Store::open(config.file.as_deref()).await.context("the control room's file")?;
    let bus = Bus::default();
    let content = Content::open(config.checkout.as_deref())?;
    let desk = Desk::open(&store, &bus, config.graph(), config.speed()).await?;
    let changes = Changes::open(&store, &bus).await?;
    let phone = Phone::open(&store, &bus).await?;
    let papers = Papers::open(&store, &bus, config.postmortems.as_deref());
    let objectives = Objectives::open(&store, &bus, &content).await?;
    let duty = Duty::open(&store, &bus, config.oncall.as_deref(), config.speed()).await?;
    let notify = Notify::open(&store, &bus, config)?;
    let eyes = Eyes::new(config);
    let watch = Watch::default();
    let actions = Actions::new(&eyes, &store, &bus);
    let drills = Drills::open(&store, &bus, &content).await?;
    let runbooks = Runbooks::open(&store, &bus, &content, config.speed()).await?;
    runbooks.by_default(config.automation).await?;
    let releases = Releases::open(&store, &bus).await?;
    let access = Access::open(&store, config).await?;
    let config = config.clone();
    Ok(Room::new(Parts {
        config,
        chassis,
        metrics,
        store,
        bus,
        content,
        desk,
        changes,
        phone,
        papers,
        objectives,
        duty,
        notify,
        eyes,
        watch,
        actions,
        drills,
        runbooks,
        releases,
        access,
    }))
}
