//! What the edge costs: the same reads of users through it and past it, in one lab. Throughput of many connections, which
//! shares the cores between the edge and the service; and the latency of one connection, which waits for nobody.
//!
//! The runs are interleaved, and the median counts.

use std::{
    io::Write as _,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{
    client::{Connection, hammer},
    lab::Lab,
    report::{self, Bars},
};

/// Keep-alive connections of a run for throughput.
const CONNECTIONS: usize = 32;
/// Users that are read: few, so that all of them come from the cache.
const USERS: u64 = 100;
/// Bars of the design: least share of the throughput past the edge, and most milliseconds that it adds at p99.
const BARS: (f64, f64) = (0.7, 1.0);

/// Runs both ways in turn and prints their ratio and their difference.
pub(crate) async fn run(time: Duration, rounds: usize, bars: &mut Bars) -> anyhow::Result<()> {
    println!("edge: reads of users through the edge and past it");
    let lab = Lab::up(&["--no-load", "--trace-ratio", "0.01"])?;
    let at = |name| anyhow::Ok(SocketAddr::from(([127, 0, 0, 1], lab.port(name)?)));
    let (edge, service) = (at("edge")?, at("user-service")?);
    // The cache and the connections are warm.
    for way in [edge, service] {
        throughput(way, Duration::from_secs(2)).await?;
    }
    let (mut ratios, mut added) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (through, past) = (throughput(edge, time).await?, throughput(service, time).await?);
        let (slow, fast) = (p99(edge, time).await?, p99(service, time).await?);
        println!(
            "  round {round}: through {through:>6.0}/s, p99 {slow:.2} ms  past {past:>6.0}/s, p99 {fast:.2} ms"
        );
        ratios.push(through / past);
        added.push(slow - fast);
    }
    bars.check("through the edge / past it", report::median(&mut ratios), BARS.0, true);
    bars.check("added by the edge at p99, in ms", report::median(&mut added), BARS.1, false);
    Ok(())
}

/// The n-th read of a connection.
fn read(connection: usize, n: u64, out: &mut Vec<u8>) {
    let user = (connection as u64 * 7919 + n) % USERS;
    // Writing to a vector cannot fail.
    let _ = write!(out, "GET /users/01900000-0000-7000-8000-{user:012x} HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/// Answers per second of all connections.
async fn throughput(way: SocketAddr, time: Duration) -> anyhow::Result<f64> {
    let rate = hammer(way, CONNECTIONS, time, read).await?;
    ensure!(rate.other == 0, "{} of {} reads failed", rate.other, rate.ok + rate.other);
    Ok(rate.per_second())
}

/// The time that 99 of 100 reads of one connection take at most, in milliseconds.
async fn p99(way: SocketAddr, time: Duration) -> anyhow::Result<f64> {
    let (mut connection, begun) = (Connection::open(way).await?, Instant::now());
    let (mut took, mut bytes) = (Vec::new(), Vec::new());
    while begun.elapsed() < time {
        bytes.clear();
        read(0, took.len() as u64, &mut bytes);
        let sent = Instant::now();
        let status = connection.call(&bytes).await?;
        took.push(sent.elapsed().as_secs_f64() * 1000.0);
        ensure!(status == 200, "a read was answered with {status}");
    }
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() * 99 / 100])
}
