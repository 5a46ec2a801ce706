//! Redis: a connection that reconnects by itself, with deadline, metrics, spans and the `cache-*` faults at its boundary.
//! Knows bytes, keys and expiry; what is cached and when is the service's policy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use redis::{
    Client, Cmd, FromRedisValue, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tracing::Instrument;

use chassis_core::config::Invalid;
use chassis_telemetry::{Chassis, traces};

mod background;
pub mod catalogue;
mod distinct;
mod faults;
mod metrics;

pub use distinct::Window;
use faults::CacheFaults;
use metrics::CacheMetrics;

/// Longest time to open a connection; callers do not wait for it longer than for an operation.
const CONNECT_DEADLINE: Duration = Duration::from_secs(1);

/// Connection to the Redis cache.
#[derive(Debug, Clone, clap::Args)]
pub struct CacheConfig {
    /// URL of the Redis server.
    #[arg(
        long,
        env = "REDIS_URL",
        default_value = "redis://127.0.0.1:6379",
        value_name = "redis://HOST:PORT"
    )]
    pub redis_url: String,
    /// Deadline of one cache operation, for example `50ms`; past it the caller reads the origin.
    #[arg(long, env = "CACHE_TIMEOUT", default_value = "100ms", value_parser = humantime::parse_duration)]
    pub cache_timeout: Duration,
}

/// The entries of a service, for the cache and the `cache-*` faults.
#[derive(Debug, Clone, Copy)]
pub struct CacheTargets {
    /// Namespace of the keys (`things:`); without its colon it is the label `cache_type`.
    pub prefix: &'static str,
    /// Field that can make an entry, a JSON object, large without changing its meaning for readers.
    pub attachment: &'static str,
}

/// A measured, breakable cache. Cheap to clone. One per process: it registers the cache metrics.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    connection: ConnectionManager,
    /// Where the server is, for spans.
    address: (String, u16),
    targets: CacheTargets,
    deadline: Duration,
    /// The longest TTL of an entry so far, in milliseconds.
    longest: AtomicU64,
    metrics: CacheMetrics,
    faults: CacheFaults,
}

/// The cache did not answer; callers continue without it.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No response within the deadline.
    #[error("the cache did not answer within {0:?}")]
    Timeout(Duration),
    /// Connection refused, reset, or an error reply.
    #[error("the cache failed")]
    Failed(#[source] RedisError),
}

impl Cache {
    /// Opens the connection (lazily), registers metrics, does NOT affect readiness (a cache is optional).
    ///
    /// A broken connection is reopened by the next operations, one attempt at a time and shared by all of them: while
    /// Redis refuses, callers fail at once, and the second one after it is back succeeds.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub async fn connect(
        config: &CacheConfig,
        targets: CacheTargets,
        chassis: &Chassis,
    ) -> anyhow::Result<Self> {
        Self::open(config, targets, chassis)
    }

    /// Not async: rustc makes the code of an async function, here all fault tasks, in each crate that awaits it.
    fn open(config: &CacheConfig, targets: CacheTargets, chassis: &Chassis) -> anyhow::Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| {
            Invalid::new("REDIS_URL", format_args!("not a redis:// URL: {error}"))
        };
        let client = Client::open(config.redis_url.as_str()).map_err(|error| wrong(&error))?;
        let url = url::Url::parse(&config.redis_url).map_err(|error| wrong(&error))?;
        let address = (url.host_str().unwrap_or_default().to_owned(), url.port().unwrap_or(6379));
        let manager = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_DEADLINE))
            .set_response_timeout(None);
        let cache = Self {
            inner: Arc::new(Inner {
                connection: ConnectionManager::new_lazy_with_config(client, manager)?,
                address,
                targets,
                deadline: config.cache_timeout,
                longest: AtomicU64::new(0),
                metrics: CacheMetrics::new(&chassis.metrics, targets.prefix.trim_end_matches(':')),
                faults: CacheFaults::new(&chassis.faults),
            }),
        };
        background::start(&cache, chassis);
        Ok(cache)
    }

    /// The value of `key`. Counts operation time and errors, not hits: only the caller knows whether what it found was
    /// still fresh (an expired copy kept for `stale-on-error` is a miss). It reports that with [`Cache::record`].
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let found: Option<Vec<u8>> = self.run("get", redis::cmd("GET").arg(key)).await?;
        if found.is_some() && self.inner.faults.old_are_kept() {
            self.keep(key, self.inner.longest.load(Ordering::Relaxed)).await;
        }
        Ok(found)
    }

    /// Counts a lookup in `cache_hits_total` or `cache_misses_total`.
    pub fn record(&self, hit: bool) {
        let metrics = &self.inner.metrics;
        if hit { metrics.hits.inc() } else { metrics.misses.inc() }
    }

    /// Whether callers must not share one read of the origin now: `cache-stampede` disables it, like a deployment
    /// without single-flight.
    #[must_use]
    pub fn coalescing_suspended(&self) -> bool {
        self.inner.faults.coalescing_suspended()
    }

    /// Whether the caller must treat what it just found as fresh, however old it is: `cache-stale`.
    #[must_use]
    pub fn expiry_suspended(&self) -> bool {
        self.inner.faults.keeps_old()
    }

    /// Sets `key` for `ttl`.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), CacheError> {
        // Redis refuses an expiry of 0.
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX / 2).max(1);
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value).arg("PX").arg(ttl);
        self.inner.longest.fetch_max(ttl, Ordering::Relaxed);
        if !self.inner.faults.keeps_old() {
            return self.run("set", &command).await;
        }
        let new: Option<()> = self.run("set", command.arg("NX")).await?;
        if new.is_none() {
            self.keep(key, ttl).await;
        }
        Ok(())
    }

    /// Restarts the TTL of an old entry, without metrics and spans.
    async fn keep(&self, key: &str, millis: u64) {
        let mut command = redis::cmd("PEXPIRE");
        let keep = self.ask::<i64>(command.arg(key).arg(millis.max(1)));
        let _ = tokio::time::timeout(self.inner.deadline, keep).await;
    }

    /// A command without metrics and span; the caller sets the deadline.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        command.query_async(&mut self.inner.connection.clone()).await
    }

    /// Removes `key`.
    ///
    /// # Errors
    /// [`CacheError`].
    pub async fn delete(&self, key: &str) -> Result<(), CacheError> {
        if self.inner.faults.keeps_old() {
            // A key that cannot exist: the same round trip, and nothing is removed.
            return self.run("delete", redis::cmd("UNLINK").arg("")).await;
        }
        self.run("delete", redis::cmd("UNLINK").arg(key)).await
    }

    /// One command within the deadline, measured and traced.
    async fn run<T: FromRedisValue>(&self, operation: &'static str, command: &Cmd) -> Result<T, CacheError> {
        let inner = &*self.inner;
        let span = traces::span_here(|| inner.span(command));
        let answer = async {
            inner.faults.meet().await?;
            command.query_async(&mut inner.connection.clone()).await
        };
        async {
            let start = Instant::now();
            let result = match tokio::time::timeout(inner.deadline, answer).await {
                Ok(answer) => answer.map_err(CacheError::Failed),
                Err(_) => Err(CacheError::Timeout(inner.deadline)),
            };
            inner.metrics.observe(operation, start.elapsed(), result.is_err());
            if let Err(error) = &result {
                error.mark(&tracing::Span::current());
            }
            result
        }
        .instrument(span)
        .await
    }
}

impl Inner {
    fn span(&self, command: &Cmd) -> tracing::Span {
        let name = command.args_iter().next().map_or_else(String::new, |arg| match arg {
            redis::Arg::Simple(name) => String::from_utf8_lossy(name).into_owned(),
            _ => String::new(),
        });
        tracing::info_span!(
            "cache",
            otel.name = name,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
            db.system.name = "redis",
            db.operation.name = name,
            server.address = self.address.0,
            server.port = i64::from(self.address.1),
        )
    }
}

impl CacheError {
    fn mark(&self, span: &tracing::Span) {
        let kind = match self {
            Self::Timeout(_) => "timeout".to_owned(),
            Self::Failed(error) => error.code().map_or_else(|| format!("{:?}", error.kind()), str::to_owned),
        };
        span.record("otel.status_code", "ERROR");
        span.record("error.type", kind);
    }
}
