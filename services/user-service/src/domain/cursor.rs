//! Pages: their size, and where the next one starts.

use uuid::Uuid;

use super::{FieldError, UserError};

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
/// The order that the cursor is valid for, so that a future order can refuse it.
const TAG: &str = "id_";

/// Users per page: 20 by default.
///
/// # Errors
/// When it is not 1 to 100.
pub fn page_limit(limit: Option<u32>) -> Result<u32, UserError> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        _ => Err(UserError::Invalid(vec![FieldError {
            name: "limit",
            expected: "a whole number from 1 to 100",
        }])),
    }
}

/// Opaque to callers: continues after the user with this id.
#[must_use]
pub fn encode_cursor(last: Uuid) -> String {
    format!("{TAG}{}", last.simple())
}

/// Parses a cursor.
///
/// # Errors
/// When it is not one of ours.
pub fn decode_cursor(cursor: &str) -> Result<Uuid, UserError> {
    cursor
        .strip_prefix(TAG)
        .filter(|rest| rest.len() == 32)
        .and_then(|rest| Uuid::try_parse(rest).ok())
        .ok_or_else(|| {
            UserError::Invalid(vec![FieldError { name: "cursor", expected: "the `next_cursor` of a page" }])
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_parses_its_own_encoding_and_nothing_else() {
        let id = Uuid::now_v7();
        assert_eq!(decode_cursor(&encode_cursor(id)).unwrap(), id);
        for bad in
            ["", "id_", "id_zz", &id.to_string(), &format!("id_{id}"), &format!("{}0", encode_cursor(id))]
        {
            assert!(decode_cursor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_has_1_to_100_users() {
        assert_eq!(page_limit(None).unwrap(), 20);
        assert_eq!(page_limit(Some(100)).unwrap(), 100);
        assert!(page_limit(Some(0)).is_err());
        assert!(page_limit(Some(101)).is_err());
    }
}
