//! What a valid user is. Control characters are refused: PostgreSQL cannot store NUL, and logs should not carry the rest.

use chassis_core::Fields;
use contracts::users::{CreateUser, UpdateUser, UserTier};

const NAME_CHARS: usize = 100;
/// RFC 5321: a path has at most 256 octets, including the angle brackets. Counted in characters, as in JSON Schema.
const EMAIL_CHARS: usize = 254;

const NAME: &str = "1 to 100 characters, none of them a control character";
const EMAIL: &str = "an e-mail address with one `@`, at most 254 characters, without spaces";

/// A new user that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidUser {
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Tier.
    pub tier: UserTier,
}

/// Changes that may be stored; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserChanges {
    /// Display name.
    pub name: Option<String>,
    /// Tier.
    pub tier: Option<UserTier>,
}

/// Checks a new user.
///
/// # Errors
/// Every wrong field.
pub fn validate_new(input: CreateUser) -> Result<ValidUser, Fields> {
    let mut wrong = Fields::default();
    wrong.unless(valid_name(&input.name), "/name", NAME);
    wrong.unless(valid_email(&input.email), "/email", EMAIL);
    wrong.or(ValidUser { name: input.name, email: input.email, tier: input.tier.unwrap_or(UserTier::Free) })
}

/// Checks a change.
///
/// # Errors
/// Every wrong field.
pub fn validate_update(input: UpdateUser) -> Result<UserChanges, Fields> {
    let mut wrong = Fields::default();
    wrong.unless(input.name.as_deref().is_none_or(valid_name), "/name", NAME);
    wrong.or(UserChanges { name: input.name, tier: input.tier })
}

fn valid_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_CHARS && !name.chars().any(char::is_control)
}

/// Strict only as far as that is useful: nothing but a delivered mail proves an address.
fn valid_email(email: &str) -> bool {
    let parts = email.split_once('@');
    email.chars().count() <= EMAIL_CHARS
        && !email.chars().any(|c| c.is_control() || c.is_whitespace())
        && parts.is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong_fields(name: &str, email: &str) -> Vec<String> {
        let input = CreateUser { name: name.to_owned(), email: email.to_owned(), tier: None };
        let wrong = validate_new(input).err().unwrap_or_default();
        wrong.names().map(str::to_owned).collect()
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert_eq!(wrong_fields("", "x"), ["/email", "/name"]);
        assert_eq!(wrong_fields("Ada", "ada@example.com"), [""; 0]);
    }

    #[test]
    fn names_have_1_to_100_characters_without_control_characters() {
        let e = "a@b";
        assert!(wrong_fields(&"ä".repeat(100), e).is_empty());
        for bad in [&"a".repeat(101), "   ", "a\0b", "a\nb"] {
            assert_eq!(wrong_fields(bad, e), ["/name"], "{bad:?}");
        }
    }

    #[test]
    fn addresses_have_one_at_and_no_spaces() {
        for bad in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a\0@b", &format!("{}@b", "a".repeat(253))] {
            assert_eq!(wrong_fields("Ada", bad), ["/email"], "{bad:?}");
        }
    }
}
