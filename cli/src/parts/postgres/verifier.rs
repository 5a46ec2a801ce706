//! SCRAM verifiers: what PostgreSQL stores of the passwords of roles (RFC 5803), so that it never sees the passwords.

use std::{array, iter};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// What PostgreSQL stores of a password.
pub(super) fn verifier(password: &SecretString, salt: &str, iterations: u32) -> String {
    let password = password.expose_secret().as_bytes();
    let first = mac(password, &[salt.as_bytes(), &1_u32.to_be_bytes()].concat());
    let rounds = iter::successors(Some(first), |last| Some(mac(password, last))).take(iterations as usize);
    let salted = rounds.fold([0; 32], |salted, round| array::from_fn(|at| salted[at] ^ round[at]));
    let stored = Sha256::digest(mac(&salted, b"Client Key"));
    let server = mac(&salted, b"Server Key");
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${iterations}:{}${}:{}", base64(salt.as_bytes()), base64(&stored), base64(&server))
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("a key of any length"));
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_has_the_form_that_postgresql_takes_and_hides_the_password() {
        let password = SecretString::from("0123456789abcdef0123456789abcdef");
        let verifier = verifier(&password, "salt", 1);
        assert!(verifier.starts_with("SCRAM-SHA-256$1:c2FsdA==$"), "{verifier}");
        assert_eq!(verifier.len(), "SCRAM-SHA-256$1:c2FsdA==$:".len() + 44 * 2);
        assert!(!verifier.contains(password.expose_secret()));
    }

    /// Computed with the PBKDF2 and HMAC of Python's library.
    #[test]
    fn a_verifier_with_more_iterations_is_that_of_another_implementation() {
        let verifier = verifier(&SecretString::from("pencil"), "0123456789abcdef", 4096);
        assert_eq!(
            verifier,
            "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$nQpbZ77WudtqufPwikHXGRt6g2QJ4zns8bZLw273DRM=:jn2amWP1q1h+jgjy0YTO14S6/F02SV7taipOeB7ef20="
        );
    }
}
