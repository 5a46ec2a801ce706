//! Keys of Redis: found with SCAN and removed with UNLINK, a batch at a time, so that the server answers
//! others meanwhile.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, RedisError, aio::MultiplexedConnection};
use tokio::time::timeout;

use super::{Outcome, time};
use crate::{Error, Result, Tools};

/// Longest wait for a connection, and for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time for all of it.
const LIMIT: Duration = Duration::from_secs(60);
/// Keys that a SCAN looks at.
const STEP: usize = 1000;
/// Names that a dry run shows.
const SHOWN: usize = 3;

/// Which keys.
pub(super) struct Wanted<'w> {
    pub(super) pattern: &'w str,
    pub(super) over: Option<Duration>,
    pub(super) most: Option<u32>,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Swept {
    count: u64,
    /// Some names.
    names: Vec<String>,
    /// The limit was reached before the end.
    more: bool,
}

pub(super) async fn act(tools: &Tools, wanted: &Wanted<'_>, dry: bool) -> Result<Vec<Outcome>> {
    if wanted.pattern.is_empty() {
        let expected = "expected a pattern such as users:*, or * for all keys".to_owned();
        return Err(Error::Wrong { field: "pattern", expected });
    }
    let url = tools.redis()?;
    let swept = match timeout(LIMIT, sweep(url, wanted, dry)).await {
        Ok(swept) => swept.map_err(|error| Error::store("Redis", error))?,
        Err(_) => {
            let cause = format!("not done after {} s; some keys may be gone", LIMIT.as_secs());
            return Err(Error::store("Redis", cause));
        }
    };
    Ok(vec![Outcome::good("redis", words(wanted, &swept, dry))])
}

async fn sweep(url: &str, wanted: &Wanted<'_>, dry: bool) -> std::result::Result<Swept, RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE));
    let mut redis = Client::open(url)?.get_multiplexed_async_connection_with_config(&config).await?;
    let mut swept = Swept::default();
    let mut cursor = 0_u64;
    loop {
        let (next, found): (u64, Vec<Vec<u8>>) = redis::cmd("SCAN")
            .arg(cursor)
            .arg("MATCH")
            .arg(wanted.pattern)
            .arg("COUNT")
            .arg(STEP)
            .query_async(&mut redis)
            .await?;
        let mut keys = lasting(&mut redis, found, wanted.over).await?;
        if let Some(most) = wanted.most {
            let room = u64::from(most).saturating_sub(swept.count);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            swept.more |= keys.len() > room;
            keys.truncate(room);
        }
        let shown = SHOWN.saturating_sub(swept.names.len());
        swept.names.extend(keys.iter().take(shown).map(|key| String::from_utf8_lossy(key).into_owned()));
        swept.count += match (keys.is_empty(), dry) {
            (true, _) => 0,
            (false, true) => keys.len() as u64,
            // Another client may have been quicker.
            (false, false) => redis::cmd("UNLINK").arg(&keys).query_async::<u64>(&mut redis).await?,
        };
        if next == 0 || swept.more {
            return Ok(swept);
        }
        cursor = next;
    }
}

/// Those that would stay for longer than this, or without an end.
async fn lasting(
    redis: &mut MultiplexedConnection,
    keys: Vec<Vec<u8>>,
    over: Option<Duration>,
) -> std::result::Result<Vec<Vec<u8>>, RedisError> {
    let Some(over) = over.filter(|_| !keys.is_empty()) else { return Ok(keys) };
    let mut pipeline = redis::pipe();
    for key in &keys {
        pipeline.cmd("PTTL").arg(key);
    }
    let left: Vec<i64> = pipeline.query_async(redis).await?;
    Ok(keys.into_iter().zip(left).filter(|(_, left)| stays(*left, over)).map(|(key, _)| key).collect())
}

/// Whether a key with this answer of PTTL stays for longer: -1 is no end, -2 that it is gone.
fn stays(left: i64, over: Duration) -> bool {
    match u64::try_from(left) {
        Ok(left) => Duration::from_millis(left) > over,
        Err(_) => left == -1,
    }
}

fn words(wanted: &Wanted<'_>, swept: &Swept, dry: bool) -> String {
    let over = wanted
        .over
        .map_or_else(String::new, |over| format!(" and would stay for more than {}", time::words(over)));
    let pattern = wanted.pattern;
    if swept.count == 0 {
        return format!("no key matches {pattern}{over}: nothing to remove");
    }
    let noun = if swept.count == 1 { "key that matches" } else { "keys that match" };
    let more = if swept.more { "; there are more" } else { "" };
    let names = swept.names.join(", ");
    let verb = if dry { "would remove" } else { "removed" };
    format!("{verb} {} {noun} {pattern}{over}, such as {names}{more}", swept.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_an_end_stays_and_one_that_is_gone_does_not() {
        let over = Duration::from_secs(60);
        for (left, expected) in [(-1, true), (-2, false), (60_000, false), (60_001, true), (0, false)] {
            assert_eq!(stays(left, over), expected, "{left}");
        }
    }

    #[test]
    fn the_sentence_says_how_many_and_whether_that_is_all() {
        let wanted = Wanted { pattern: "users:*", over: Some(Duration::from_secs(900)), most: Some(2) };
        let swept = Swept { count: 2, names: vec!["users:1".to_owned(), "users:2".to_owned()], more: true };
        assert_eq!(
            words(&wanted, &swept, true),
            "would remove 2 keys that match users:* and would stay for more than 15m, such as users:1, \
             users:2; there are more"
        );
        let none = words(&wanted, &Swept::default(), false);
        assert_eq!(none, "no key matches users:* and would stay for more than 15m: nothing to remove");
    }
}
