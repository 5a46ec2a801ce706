//! Flags and environment.

use std::{net::SocketAddr, str::FromStr};

/// An in-memory cluster of three brokers with the Kafka protocol, reachable at one constant address.
#[derive(Debug, Clone, clap::Parser)]
#[command(version, about)]
pub(crate) struct Config {
    /// Address to bootstrap from. The brokers themselves listen on free loopback ports, which clients learn from here.
    #[arg(long, env = "KAFKA_ADDR", default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub(crate) listen: SocketAddr,
    /// Address of the admin port: health, metrics, brokers up and down, round-trip time.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9107", value_name = "HOST:PORT")]
    pub(crate) admin_addr: SocketAddr,
    /// Limits for clients of the admin port.
    #[command(flatten)]
    pub(crate) limits: chassis_serve::Limits,
    /// Topics to create, such as orders:12; others are created with 4 partitions when they are first used.
    #[arg(
        long = "topic",
        env = "KAFKA_TOPICS",
        value_name = "NAME:PARTITIONS",
        value_delimiter = ',',
        default_values = ["orders:12", "orders.dlq:1", "order-outcomes:12", "order-outcomes.dlq:1"]
    )]
    pub(crate) topics: Vec<Topic>,
    /// Number of brokers.
    #[arg(long, env = "KAFKA_BROKER_COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub(crate) brokers: u8,
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    /// Its name.
    pub(crate) name: String,
    /// 1 to 128.
    pub(crate) partitions: i32,
}

impl FromStr for Topic {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not NAME:PARTITIONS with 1 to 128 partitions, such as orders:12");
        let (name, partitions) = text.rsplit_once(':').ok_or_else(wrong)?;
        let partitions =
            partitions.parse().ok().filter(|count| (1..=128).contains(count)).ok_or_else(wrong)?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 249 || !name.chars().all(legal) {
            return Err(wrong());
        }
        Ok(Self { name: name.to_owned(), partitions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_a_name_and_a_number_of_partitions() {
        assert_eq!("orders.dlq:1".parse(), Ok(Topic { name: "orders.dlq".to_owned(), partitions: 1 }));
        for wrong in ["orders", "orders:0", "orders:x", ":3", "or ders:3", "orders:129"] {
            assert!(wrong.parse::<Topic>().is_err(), "{wrong}");
        }
    }
}
