//! What a knee means for tomorrow: replicas, databases, money, and when what there is runs out.

use std::fmt::Write as _;

use statistics::queue::{Station, bottleneck};

use super::{
    CONNECTIONS, Database, Findings, PARTITIONS, REDIS, SHARE, months_until, most_replicas, plan::GIB,
    replicas,
};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Writes the sections.
pub(super) fn write(out: &mut String, findings: &Findings) {
    plan(out, findings);
    runs_out(out, findings);
    queues(out, findings);
}

fn plan(out: &mut String, findings: &Findings) {
    let Findings { knee, assumptions, database, .. } = findings;
    let (prices, days) = (&assumptions.prices, assumptions.keep_days);
    let (currency, source) = (&prices.currency, &prices.source);
    // A scenario that places none is counted in journeys.
    let (orders, unit) = if findings.orders > 0.0 { (findings.orders, "order") } else { (1.0, "journey") };
    let _ = writeln!(
        out,
        "\n## What a number of {unit}s needs\n\nOne journey in {:.1} counts as one {unit}. Replicas are used up to {:.0} % of the knee, \
         and one of them may fail (N+1).\nWhat they leave is kept for {days:.0} days. Prices: {source}.\n\n| {unit}s/s | journeys/s | replicas \
         of each service | connections | of them busy | transactions/s | GiB per day | GiB kept | {currency} per million {unit}s |\n\
         |---|---|---|---|---|---|---|---|---|",
        1.0 / orders,
        SHARE * 100.0
    );
    for wanted in planned(knee * orders, &assumptions.orders) {
        let rate = wanted / orders;
        let needed = replicas(rate, *knee, SHARE);
        let (sizes, storage) = match database {
            Some(database) => {
                let per_million = prices.storage_per_million(database.bytes_per_journey, days);
                (sizes(database, busy(&findings.stations, rate), rate, needed, days), per_million)
            }
            None => ("? | ? | ? | ? | ?".to_owned(), 0.0),
        };
        let price = (prices.per_million(rate, needed) + storage) / orders;
        let _ = writeln!(out, "| {wanted:.0} | {rate:.0} | {needed} | {sizes} | {price:.2} |");
    }
    if database.is_none() {
        out.push_str("\nThe size of the databases is unknown, and not in the price: no exporter of PostgreSQL answered.\n");
    }
    out.push_str(
        "\nConnections are those of all pools, one replica of each service more included, as during a rollout. Of them, as many run a \
         statement at a time: the databases need at most that number of cores.\nThis counts on replicas that do not slow each other \
         down. They share the databases and the broker, whose limits are below.\n",
    );
}

/// Rates to plan for, the lowest first: those that were asked for, or round numbers from half of the knee to ten times
/// it.
fn planned(knee: f64, wanted: &[f64]) -> Vec<f64> {
    let mut rates = wanted.to_vec();
    if rates.is_empty() {
        let round = (-3..=9).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
        rates.extend(round.filter(|rate| (knee * 0.5..=knee * 10.0).contains(rate)));
    }
    rates.sort_by(f64::total_cmp);
    rates
}

/// Sessions that run a statement at `rate` journeys per second, by Little's law; `None` if no time of service is known.
fn busy(stations: &[Station], rate: f64) -> Option<f64> {
    let sessions = stations.iter().filter(|station| station.name.starts_with(CONNECTIONS));
    let busy: f64 = sessions.map(|station| station.service * station.visits * rate).sum();
    (busy > 0.0).then_some(busy)
}

fn sizes(database: &Database, busy: Option<f64>, rate: f64, replicas: u32, days: f64) -> String {
    // One more of each during a rollout.
    let connections = database.connections_per_replica * (f64::from(replicas) + 1.0);
    let per_day = database.bytes_per_journey * rate * SECONDS_PER_DAY / GIB;
    let (commits, kept) = (database.commits_per_journey * rate, per_day * days);
    let busy = busy.map_or("?".to_owned(), |busy| format!("{busy:.1}"));
    format!("{connections:.0} | {busy} | {commits:.0} | {per_day:.1} | {kept:.0}")
}

fn runs_out(out: &mut String, findings: &Findings) {
    let (today, growth) = (findings.assumptions.today, findings.assumptions.growth);
    let _ = writeln!(
        out,
        "\n## When it runs out\n\nFrom {today:.0} journeys per second today, with {growth:.1} % more each month. Queues are used up to \
         {:.0} %.\n\n| what | journeys/s | months |\n|---|---|---|",
        SHARE * 100.0
    );
    for (what, limit) in ends(findings) {
        let months = match months_until(limit, today, growth) {
            Some(months) if months <= 0.0 => "already".to_owned(),
            Some(months) => format!("{months:.1}"),
            None => "never".to_owned(),
        };
        let _ = writeln!(out, "| {what} | {limit:.0} | {months} |");
    }
}

/// What ends, and at which rate of journeys; the first to end first. More replicas move the first one only.
fn ends(findings: &Findings) -> Vec<(String, f64)> {
    let knee = findings.knee * SHARE;
    let mut ends = vec![("one replica of each service".to_owned(), knee)];
    if let Some(database) = &findings.database {
        let most = most_replicas(database.max_connections, database.connections_per_replica);
        let what = format!(
            "{:.0} connections of PostgreSQL, enough for {most} replicas of each service (N+1)",
            database.max_connections
        );
        ends.push((what, knee * f64::from(most.saturating_sub(1))));
    }
    let shared = |station: &&Station| station.name == REDIS || station.name.starts_with(PARTITIONS);
    for station in findings.stations.iter().filter(shared) {
        ends.push((format!("{} ({})", station.name, station.servers), station.capacity() * SHARE));
    }
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    ends
}

/// Everything that was measured as a place with servers and a queue.
fn queues(out: &mut String, findings: &Findings) {
    let Some((first, capacity)) = bottleneck(&findings.stations) else { return };
    let _ = writeln!(
        out,
        "\n## What has a queue\n\nMeasured in the first step beyond the knee, with one replica of everything. Of these, **{}** is full \
         first, at {capacity:.0} journeys per second.\n`load simulate` calculates with them: \
         [Towards internet scale](internet-scale.md).\n\n| station | servers | service ms | visits per journey | full at journeys/s |\n\
         |---|---|---|---|---|",
        first.name
    );
    for station in &findings.stations {
        let Station { name, servers, service, visits, .. } = station;
        let _ = writeln!(
            out,
            "| {name} | {servers} | {:.3} | {visits:.2} | {:.0} |",
            service * 1_000.0,
            station.capacity()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{super::findings::example, *};

    fn text(findings: &Findings) -> String {
        let mut out = String::new();
        write(&mut out, findings);
        out
    }

    #[test]
    fn a_number_of_orders_has_replicas_databases_and_a_price() {
        let assumptions = super::super::Assumptions { orders: vec![120.0], ..example().assumptions };
        let page = text(&Findings { assumptions, ..example() });
        // 300 journeys/s are 120 orders/s; 300 / 180 is two replicas and a spare one, and a fourth during a rollout.
        // 400 bytes * 300/s are 9.66 GiB a day; 300 * 1.4 transactions; 300 * 2 statements of 10 ms.
        let hour = 0.06 * 3.0 + 0.60 + 0.45;
        let storage = 0.30 * 400.0 * 1e6 / GIB * 90.0 / 30.417;
        let price = (hour / (300.0 * 3_600.0) * 1e6 + storage) / 0.4;
        let row = format!("| 120 | 300 | 3 | 120 | 6.0 | 420 | 9.7 | 869 | {price:.2} |");
        assert!(page.contains(&row), "{row}\n{page}");
        assert!(page.contains("One journey in 2.5 counts as one order"), "{page}");
    }

    #[test]
    fn round_numbers_around_the_knee_are_planned_for_unless_others_are_asked_for() {
        assert_eq!(planned(120.0, &[]), [100.0, 200.0, 500.0, 1_000.0]);
        assert_eq!(planned(120.0, &[900.0, 70.0]), [70.0, 900.0]);
        assert_eq!(busy(&[], 100.0), None);
    }

    #[test]
    fn what_ends_first_comes_first() {
        let order: Vec<f64> = ends(&example()).into_iter().map(|(_, limit)| limit).collect();
        assert!(order.is_sorted(), "{order:?}");
        // 200 connections are enough for five replicas, one of them spare: 4 * 180.
        assert!(order.iter().any(|limit| (limit - 720.0).abs() < 1e-9), "{order:?}");
        let grown = Findings {
            assumptions: super::super::Assumptions { today: 1e6, ..example().assumptions },
            ..example()
        };
        assert!(text(&grown).contains("| already |") && !text(&grown).contains("| never |"));
        let still = Findings {
            assumptions: super::super::Assumptions { growth: 0.0, ..example().assumptions },
            ..example()
        };
        assert!(text(&still).contains("| never |"));
    }

    #[test]
    fn the_station_with_the_least_capacity_is_named() {
        // Ten connections, 2 visits of 10 ms: 500 journeys/s; one core, 1.6 visits of 1 ms: 625.
        let page = text(&example());
        assert!(page.contains("**connections of order-api** is full first, at 500 journeys"), "{page}");
        assert!(page.contains("| connections of order-api | 10 | 10.000 | 2.00 | 500 |"), "{page}");
    }
}
