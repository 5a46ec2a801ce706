//! Whole numbers as in JSON Schema: `3.0` is the integer 3, as some languages write it. serde_json alone refuses it.

use std::fmt;

use serde::{
    Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// Parses a whole number, with or without a fraction of zero.
///
/// # Errors
/// When it has any other fraction, or does not fit.
pub(crate) fn number<'de, D: Deserializer<'de>, T: TryFrom<i64>>(deserializer: D) -> Result<T, D::Error> {
    let number = deserializer.deserialize_i64(Whole)?;
    T::try_from(number).map_err(|_| D::Error::invalid_value(Unexpected::Signed(number), &"a number in range"))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i64, E> {
        // Beyond 2^53 a float does not identify a whole number.
        let exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        let whole = value as i64;
        if exact { Ok(whole) } else { Err(E::invalid_value(Unexpected::Float(value), &self)) }
    }
}

#[cfg(test)]
mod tests {
    use crate::orders::Item;

    fn item(quantity: &str, price: &str) -> Result<Item, String> {
        let text = format!(r#"{{"sku":"a","quantity":{quantity},"unit_price_cents":{price}}}"#);
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_fraction_of_zero_is_accepted() {
        for (quantity, price) in [("3", "250"), ("3.0", "250.0"), ("3e0", "2.5e2")] {
            let item = item(quantity, price).expect(quantity);
            assert_eq!((item.quantity, item.unit_price_cents), (3, 250));
        }
    }

    #[test]
    fn fractions_and_numbers_out_of_range_are_refused() {
        for quantity in ["3.5", "-1", "4294967296", "1e99", "18446744073709551615", "\"3\"", "null", "true"] {
            assert!(item(quantity, "1").is_err(), "{quantity}");
        }
        assert!(item("1", "9007199254740994.0").is_err());
        assert_eq!(item("1", "9223372036854775807").map(|item| item.unit_price_cents), Ok(i64::MAX));
    }
}
