//! What exists, as the repository says: faults from docs/faults.md, alerts from the rules, metrics from golden scrapes and
//! from the catalogues of the exporters and of the lab itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use drill::World;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn file(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of a folder with this ending, in order.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let path = root().join(folder);
    let entries = fs::read_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort_unstable();
    names.into_iter().map(|name| format!("{folder}/{name}")).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What the lab has.
pub(crate) fn world() -> World {
    let uses = [
        ("load", "edge"),
        ("edge", "order-api"),
        ("edge", "user-service"),
        ("load", "order-api"),
        ("load", "user-service"),
        ("order-api", "user-service"),
        ("order-api", "postgres"),
        ("order-api", "lab-kafka"),
        ("user-service", "postgres"),
        ("user-service", "redis"),
        ("order-worker", "lab-kafka"),
        ("order-worker", "postgres"),
        // Through the topics between them.
        ("order-worker", "order-api"),
    ];
    let edges = uses.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let protections = "circuit-breaker retry-budget bulkhead timeout load-shedding single-flight ttl-jitter stale-on-error \
         regex-guard";
    World {
        components: set(&[
            "edge",
            "order-api",
            "user-service",
            "order-worker",
            "load",
            "postgres",
            "redis",
            "lab-kafka",
            "alertmanager",
            "notifier",
        ]),
        faults: faults(&file("docs/faults.md")),
        alerts: words_after("alert: "),
        runbooks: files("runbooks", ".md").iter().map(|path| stem(path)).collect(),
        metrics: metrics(),
        protections: set(&protections.split(' ').collect::<Vec<_>>()),
        rules: files("waf/incidents", ".yaml").iter().map(|path| stem(path)).collect(),
        // `switchboard::STOPPABLE`.
        parts: set(&["alertmanager", "order-worker", "postgres", "user-service"]),
        // `switchboard::SCRIPTS`.
        scripts: set(&[
            "backup-bucket",
            "backup-key",
            "backup-login",
            "data-folder",
            "fulfillment-password",
            "half-failover",
            "orders-login",
            "replica-replay",
            "users-table",
        ]),
        databases: set(&["orders", "users", "fulfillment"]),
        edges,
        drills: files("drills", ".yaml").iter().map(|path| stem(path)).collect(),
    }
}

/// Name of a file without folder and ending.
pub(crate) fn stem(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// Faults by service, with their parameters and those that every fault has.
fn faults(page: &str) -> BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> {
    let (head, index) = page.split_once("\n## Index\n").expect("the index of faults");
    let common = parameters(head);
    let mut faults: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>> = BTreeMap::new();
    for section in index.split("\n## ").skip(1) {
        let name = section.lines().next().expect("a heading").trim().to_owned();
        let services = section.lines().find_map(|line| line.strip_prefix("- **Services**: "));
        let mut parameters = parameters(section);
        parameters.extend(common.clone());
        for service in services.expect("the services of a fault").split(", ") {
            faults.entry(service.to_owned()).or_default().insert(name.clone(), parameters.clone());
        }
    }
    faults
}

/// Rows of a table of parameters: name, and what it takes.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.trim_end_matches('`').to_owned();
        Some((name, cells.next()?.trim().to_owned()))
    });
    rows.collect()
}

fn rules() -> Vec<String> {
    let folders = ["dashboards/rules", "dashboards/rules/lab", "dashboards/log-rules"];
    folders.iter().flat_map(|folder| files(folder, ".yml")).map(|path| file(&path)).collect()
}

/// First words after a key in the rules.
fn words_after(key: &str) -> BTreeSet<String> {
    let rules = rules();
    let lines = rules.iter().flat_map(|text| text.lines());
    let words = lines
        .filter_map(|line| Some(line.trim_start_matches([' ', '-']).strip_prefix(key)?.trim().to_owned()));
    words.collect()
}

/// Metrics of the golden scrapes and of the exporters of the stores, recorded series, and what Prometheus adds.
fn metrics() -> BTreeSet<String> {
    let services = ["edge", "order-api", "user-service", "order-worker", "notifier"];
    let mut scrapes: Vec<String> = services
        .iter()
        .map(|name| file(&format!("services/{name}/tests/api/snapshots/metrics.txt")))
        .collect();
    scrapes.extend(["metrics", "probe"].map(|name| file(&format!("load/tests/snapshots/{name}.txt"))));
    scrapes.extend(
        ["lab", "postgres", "redis"].map(|name| file(&format!("oncall/dashgen/catalogue/{name}.txt"))),
    );
    scrapes.push(file("oncall/control-room/tests/watch/snapshots/metrics.txt"));
    let mut metrics = words_after("record: ");
    metrics.extend(set(&["up", "ALERTS", "scrape_samples_scraped"]));
    for line in scrapes.iter().flat_map(|text| text.lines()) {
        let mut words = line.split(' ');
        let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
        metrics.insert(name.to_owned());
        if kind == "histogram" {
            metrics.extend(["_bucket", "_sum", "_count"].map(|suffix| format!("{name}{suffix}")));
        }
    }
    metrics
}
