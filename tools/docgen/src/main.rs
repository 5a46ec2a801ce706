//! Writes the generated pages of `docs/` from the code; with `--check`, fails if a committed page differs.

mod adr;
mod capacity;
mod configuration;
mod failure_modes;
mod faults;
mod pairs;
mod rooms;
mod steps;

use std::{fs, path::Path};

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser};

use faults::ServiceFaults;

/// Writes the generated pages of docs/ from the code.
#[derive(Debug, Parser)]
struct Args {
    /// Write nothing; exit with 1 if a committed page differs from the code.
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let read =
        |name: &str| fs::read_to_string(docs.join(name)).with_context(|| format!("reading docs/{name}"));
    let pages = [
        ("adr/README.md", adr::index(&docs.join("adr"))?),
        ("architecture.md", rooms::page(&read("architecture.md")?, &read("rooms.yaml")?)?),
        ("configuration.md", configuration_page()),
        (
            "failure-modes.md",
            failure_modes::page(
                &docs.join("../drills"),
                &docs.join("measured/drills.json"),
                &read("failure-modes.yaml")?,
            )?,
        ),
        ("faults.md", faults_page()),
    ];
    let steps = steps::pages(&docs.join("../runbooks"))?;
    let measured = capacity::pages(&docs.join("../load/capacity.json"), &read("internet-scale.md")?)?;
    let pairs = pairs::pages(&docs.join("drills"), &read("SUMMARY.md")?)?;
    let mut stale = Vec::new();
    let pages = pages.map(|(name, text)| (name.to_owned(), text)).into_iter();
    for (name, text) in pages.chain(steps).chain(measured).chain(pairs) {
        let path = docs.join(&name);
        if fs::read_to_string(&path).is_ok_and(|current| current == text) {
            continue;
        }
        if args.check {
            stale.push(name);
        } else {
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            println!("wrote docs/{name}");
        }
    }
    if !stale.is_empty() {
        bail!("docs/{} differ from the code; run `just generate` and commit", stale.join(", docs/"));
    }
    Ok(())
}

fn configuration_page() -> String {
    configuration::page(&[
        order_api::OrderApiConfig::command(),
        user_service::UserServiceConfig::command(),
        order_worker::OrderWorkerConfig::command(),
        edge::EdgeConfig::command(),
        notifier::NotifierConfig::command(),
        load::config::LoadConfig::command(),
        load::probe::config::ProbeConfig::command(),
        lab_kafka::config::KafkaConfig::command(),
        lab_objects::config::ObjectsConfig::command(),
        lab_traces::config::TracesConfig::command(),
        control_room::config::RoomConfig::command(),
    ])
}

fn faults_page() -> String {
    let service = |name, admin, catalogue| ServiceFaults { name, admin, catalogue };
    faults::markdown(&[
        service("order-api", "localhost:9101", order_api::faults::CATALOGUE),
        service("user-service", "localhost:9102", user_service::faults::CATALOGUE),
        service("order-worker", "localhost:9103", order_worker::faults::CATALOGUE),
        service("edge", "localhost:9100", edge::faults::CATALOGUE),
        service("notifier", "localhost:9112", notifier::faults::CATALOGUE),
    ])
}
