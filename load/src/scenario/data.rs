//! What each journey draws at its start.

use std::collections::BTreeMap;

use contracts::users::{SEEDED_USERS, seeded_user_id, seeded_user_tier};
use rand::RngExt;
use rand_distr::Zipf;
use serde_json::{Value, json};
use uuid::Builder;

use crate::workload::ranked;

/// Variables of a journey by name.
pub type Values = BTreeMap<String, Value>;

/// How a value is drawn.
#[derive(Debug, Clone)]
pub enum Data {
    /// The id of a user that user-service seeds; the tier is in `NAME.tier`.
    User(Zipf<f64>),
    /// A whole number of a range, both ends included.
    Integer(i64, i64),
    /// One of a list.
    Pick(Vec<Value>),
    /// A version 4 UUID. As every other value it follows from the seed, unless it is [`Data::Fresh`].
    Uuid,
    /// A version 4 UUID that is new in every run, such as an idempotency key.
    Fresh,
}

impl Data {
    /// The users of the lab, the first one most often.
    ///
    /// # Errors
    /// When the exponent is negative or not a number.
    pub fn users(exponent: f64) -> Result<Self, String> {
        let zipf = Zipf::new(f64::from(SEEDED_USERS), exponent);
        zipf.map(Self::User).map_err(|_| format!("{exponent} is not a Zipf exponent of 0 or more"))
    }

    /// Draws a value and adds it.
    pub(crate) fn draw(&self, name: &str, rng: &mut impl rand::Rng, values: &mut Values) {
        let value = match self {
            Self::User(zipf) => {
                let rank: f64 = rng.sample(zipf);
                let n = ranked(rank as u32);
                values.insert(format!("{name}.tier"), json!(seeded_user_tier(n).as_str()));
                json!(seeded_user_id(n).to_string())
            }
            Self::Integer(min, max) => json!(rng.random_range(*min..=*max)),
            Self::Pick(list) => list[rng.random_range(0..list.len())].clone(),
            Self::Uuid => json!(Builder::from_random_bytes(rng.random()).into_uuid().to_string()),
            Self::Fresh => json!(uuid::Uuid::new_v4().to_string()),
        };
        values.insert(name.to_owned(), value);
    }
}
