//! What a valid user is. Control characters are refused: PostgreSQL cannot store NUL, and logs should not carry the rest.

use contracts::users::{CreateUser, UpdateUser, UserTier};

use super::UserError;

const NAME_CHARS: usize = 100;
/// RFC 5321: a path has at most 256 octets, including the angle brackets. Counted in characters, as in JSON Schema.
const EMAIL_CHARS: usize = 254;

const NAME: FieldError =
    FieldError { name: "/name", expected: "1 to 100 characters, none of them a control character" };
const EMAIL: FieldError = FieldError {
    name: "/email",
    expected: "an e-mail address with one `@`, at most 254 characters, without spaces",
};

/// A wrong field, and what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer, or name of the parameter.
    pub name: &'static str,
    /// What would be right.
    pub expected: &'static str,
}

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
/// [`UserError::Invalid`] with every wrong field.
pub fn validate_new(input: CreateUser) -> Result<ValidUser, UserError> {
    let mut wrong = Vec::new();
    if !valid_name(&input.name) {
        wrong.push(NAME);
    }
    if !valid_email(&input.email) {
        wrong.push(EMAIL);
    }
    if !wrong.is_empty() {
        return Err(UserError::Invalid(wrong));
    }
    Ok(ValidUser { name: input.name, email: input.email, tier: input.tier.unwrap_or(UserTier::Free) })
}

/// Checks a change.
///
/// # Errors
/// [`UserError::Invalid`] with every wrong field.
pub fn validate_update(input: UpdateUser) -> Result<UserChanges, UserError> {
    if input.name.as_deref().is_some_and(|name| !valid_name(name)) {
        return Err(UserError::Invalid(vec![NAME]));
    }
    Ok(UserChanges { name: input.name, tier: input.tier })
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

    fn wrong_fields(name: &str, email: &str) -> Vec<&'static str> {
        let input = CreateUser { name: name.to_owned(), email: email.to_owned(), tier: None };
        match validate_new(input) {
            Err(UserError::Invalid(fields)) => fields.iter().map(|field| field.name).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        assert_eq!(wrong_fields("", "x"), ["/name", "/email"]);
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
