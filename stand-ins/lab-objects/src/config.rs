//! Flags and environment of `lab-objects`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use chassis_core::config::byte_size;
use chassis_faults::FaultsConfig;
use chassis_http::HttpConfig;
use chassis_service::{CommonConfig, PlainConfig};
use clap::Parser;
use secrecy::SecretString;

use crate::auth::Keys;

/// Largest body of one request, in bytes: what S3 takes in one PutObject or UploadPart.
pub const MAX_BODY: u64 = 5 << 30;

/// An object store over a folder, for machines without S3: signed requests, path style, one pair of keys.
///
/// An object is on disk before its request is answered: SIGKILL loses nothing that was acknowledged.
#[derive(Debug, Clone, Parser)]
#[command(name = "lab-objects", version)]
pub struct ObjectsConfig {
    /// Address of the S3 API; clients set `S3_ENDPOINT` to it.
    #[arg(long, env = "S3_ADDR", default_value = "127.0.0.1:9200", value_name = "HOST:PORT")]
    pub s3_addr: SocketAddr,
    /// Address of the admin port: /livez /readyz /metrics /faults /version.
    #[arg(long, env = "ADMIN_ADDR", default_value = "127.0.0.1:9109", value_name = "HOST:PORT")]
    pub admin_addr: SocketAddr,
    /// Folder of the objects; created if it does not exist.
    #[arg(long, env = "OBJECTS_DIR", default_value = ".lab/objects", value_name = "PATH")]
    pub folder: PathBuf,
    /// Bytes that all objects, versions and parts may take together, such as 1GiB. More is refused with QuotaExceeded.
    #[arg(long, env = "OBJECTS_QUOTA", default_value = "1GiB", value_name = "SIZE", value_parser = byte_size)]
    pub quota: u64,
    /// Buckets that exist from the start, separated by commas.
    #[arg(long = "bucket", env = "OBJECTS_BUCKETS", value_name = "NAME,…", value_delimiter = ',')]
    pub buckets: Vec<String>,
    /// Region that requests must be signed for.
    #[arg(long, env = "S3_REGION", default_value = "us-east-1", value_name = "REGION")]
    pub region: String,
    /// The access key that requests must be signed with.
    #[arg(long, env = "S3_ACCESS_KEY", default_value = "lab", value_name = "KEY")]
    pub access_key: String,
    /// The secret of the access key.
    #[arg(long, env = "S3_SECRET_KEY", value_name = "SECRET", hide_env_values = true)]
    pub secret_key: SecretString,
    /// Length of a day in lifecycle rules; shorter in drills, such as 1m.
    #[arg(long, env = "OBJECTS_DAY", default_value = "1d", value_parser = day)]
    pub day: Duration,
    /// Faults.
    #[command(flatten)]
    pub faults: FaultsConfig,
    /// What all programs share.
    #[command(flatten)]
    pub plain: PlainConfig,
}

impl ObjectsConfig {
    /// Reads the process's flags and environment; on bad input prints what is wrong and ends the process with 64.
    #[must_use]
    pub fn from_process() -> Self {
        chassis_core::config::parse()
    }

    /// As the life cycle reads it.
    #[must_use]
    pub fn common(&self) -> CommonConfig {
        let common = self.plain.common(self.admin_addr);
        let http = HttpConfig { body_limit: MAX_BODY, ..common.http };
        CommonConfig { http, faults: self.faults.clone(), ..common }
    }

    /// What requests are signed with.
    #[must_use]
    pub fn keys(&self) -> Keys {
        Keys {
            region: self.region.clone(),
            access_key: self.access_key.clone(),
            secret_key: self.secret_key.clone(),
        }
    }
}

fn day(text: &str) -> Result<Duration, String> {
    let longest = Duration::from_secs(24 * 3600);
    match humantime::parse_duration(text) {
        Ok(day) if (Duration::from_secs(1)..=longest).contains(&day) => Ok(day),
        _ => Err(format!("`{text}` is not a time from 1s to 1d such as 1m")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        ObjectsConfig::command().debug_assert();
    }

    #[test]
    fn a_day_is_at_most_a_day() {
        assert_eq!(day("1m"), Ok(Duration::from_secs(60)));
        for text in ["0s", "2d", "soon"] {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
