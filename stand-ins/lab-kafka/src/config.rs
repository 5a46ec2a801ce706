//! Flags and environment.

use std::{net::SocketAddr, str::FromStr};

use chassis_service::{CommonConfig, PlainConfig};

/// A Kafka-protocol cluster of three brokers in memory, reachable at one constant address.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "lab-kafka", version)]
pub struct KafkaConfig {
    /// Address to bootstrap from. The brokers themselves listen on free loopback ports that clients learn from here.
    #[arg(long, env = "KAFKA_ADDR", default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    pub listen: SocketAddr,
    /// Address of the admin port: health, metrics, brokers up and down, round-trip time.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9107", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
    /// Topics to create; others are created with 4 partitions when they are first asked for. Each partition keeps up to 5 MiB.
    #[arg(
        long = "topic",
        env = "KAFKA_TOPICS",
        value_name = "NAME:PARTITIONS",
        value_delimiter = ',',
        default_values = ["orders:3", "orders.dlq:1", "order-outcomes:3", "order-outcomes.dlq:1"]
    )]
    pub topics: Vec<Topic>,
    /// Number of brokers.
    #[arg(long, env = "KAFKA_BROKER_COUNT", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub brokers: u8,
}

impl KafkaConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        self.plain.common(self.admin_addr)
    }
}

/// A topic to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// 1 to 128.
    pub partitions: i32,
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        KafkaConfig::command().debug_assert();
    }

    #[test]
    fn a_topic_is_a_name_and_a_number_of_partitions() {
        assert_eq!("orders.dlq:1".parse(), Ok(Topic { name: "orders.dlq".to_owned(), partitions: 1 }));
        for wrong in ["orders", "orders:0", "orders:x", ":3", "or ders:3", "orders:129"] {
            assert!(wrong.parse::<Topic>().is_err(), "{wrong}");
        }
    }
}
