//! Who wrote a message: an HMAC-SHA256 over topic, key and payload in the header [`EventKeys::HEADER`], with a key that only the
//! services have.
//!
//! The first key of [`EventKeys`] signs, all of them verify, so a key is replaced without downtime: the new one is added behind
//! the old one everywhere, then put in front, then the old one goes. Trace context and baggage are not covered: they are
//! telemetry, and a message may be passed on in another trace. A message that is sent a second time verifies a second time:
//! the inbox makes sure that it has no second effect.

use std::{fmt, sync::Arc};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{InMessage, OutMessage};

/// Reason of a dead letter without that header.
pub(super) const UNSIGNED: &str = "unsigned";
/// Reason of a dead letter whose signature does not match the message.
pub(super) const BAD_SIGNATURE: &str = "bad-signature";

const ALGORITHM: &str = "hmac-sha256";
/// The word in the list of keys that accepts messages without a signature.
const UNSIGNED_TOO: &str = "unsigned";
/// 128 bits in hex: a shorter key can be guessed from one intercepted message.
const SHORTEST_SECRET: usize = 32;
const LONGEST_ID: usize = 32;
/// Longest key id of a header in logs, in characters: a forger may have written it.
const LONGEST_QUOTE: usize = 40;

/// The keys that the services share, from `EVENT_KEYS`. Empty: messages are neither signed nor verified.
#[derive(Clone, Default)]
pub struct EventKeys {
    keys: Arc<[Key]>,
    /// Messages without a signature are accepted: for the rollout, while some services do not sign yet.
    unsigned_too: bool,
}

struct Key {
    id: String,
    /// With the key absorbed; cloned for each message.
    mac: Hmac<Sha256>,
}

/// Why a signature is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    pub(super) cause: String,
}

impl EventKeys {
    /// The header; its value is `hmac-sha256:<key id>:<64 hex digits>`.
    pub const HEADER: &str = "signature";

    /// Reads `id:secret,id:secret`, with `unsigned` at the end where messages without a signature are accepted too.
    ///
    /// # Errors
    /// Which entry is wrong and why; never part of it, because it may be the secret.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<Key> = Vec::new();
        let mut unsigned_too = false;
        for (n, entry) in text.split(',').map(str::trim).enumerate().filter(|(_, entry)| !entry.is_empty()) {
            let wrong = |what: &str| Err(format!("entry {}: {what}", n + 1));
            if entry == UNSIGNED_TOO {
                unsigned_too = true;
                continue;
            }
            let Some((id, secret)) = entry.split_once(':') else {
                return wrong("expected `id:secret`, or the word `unsigned`");
            };
            let of_id = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(of_id) {
                return wrong("an id has 1 to 32 characters of A-Z a-z 0-9 - _");
            }
            if secret.len() < SHORTEST_SECRET {
                return wrong("a secret has at least 32 characters, for example from `openssl rand -hex 32`");
            }
            if keys.iter().any(|key| key.id == id) {
                return wrong("another entry has the same id");
            }
            let mac = Hmac::new_from_slice(secret.as_bytes()).map_err(|error| error.to_string())?;
            keys.push(Key { id: id.to_owned(), mac });
        }
        if unsigned_too && keys.is_empty() {
            return Err("only `unsigned`: expected at least one `id:secret`, or nothing".to_owned());
        }
        Ok(Self { keys: keys.into(), unsigned_too })
    }

    /// The header's value for a message, or `None` without keys. For programs that publish by hand, such as tests.
    #[must_use]
    pub fn signature(&self, topic: &str, key: &str, payload: &[u8]) -> Option<String> {
        let first = self.keys.first()?;
        let mac = first.over(topic, key, payload).finalize().into_bytes();
        Some(format!("{ALGORITHM}:{}:{}", first.id, hex::encode(mac)))
    }

    /// Signs a message, replacing any signature it has.
    pub(super) fn sign(&self, message: &mut OutMessage) {
        if let Some(signature) = self.signature(&message.topic, &message.key, &message.payload) {
            message.headers.insert(Self::HEADER.to_owned(), signature);
        }
    }

    /// Whether one of the services wrote this message for this topic.
    pub(super) fn verify(&self, message: &InMessage) -> Result<(), Refused> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let Some(header) = message.headers.get(Self::HEADER) else {
            if self.unsigned_too {
                return Ok(());
            }
            return Err(Refused { reason: UNSIGNED, cause: "the message has no signature".to_owned() });
        };
        let bad = |cause: String| Refused { reason: BAD_SIGNATURE, cause };
        let Some((ALGORITHM, (id, mac))) =
            header.split_once(':').and_then(|(algorithm, rest)| Some((algorithm, rest.split_once(':')?)))
        else {
            return Err(bad(format!("the signature is not `{ALGORITHM}:id:mac`")));
        };
        let Some(key) = self.keys.iter().find(|key| key.id == id) else {
            let id: String = id.chars().take(LONGEST_QUOTE).collect();
            return Err(bad(format!("unknown key {id:?}")));
        };
        let mac = hex::decode(mac).unwrap_or_default();
        let over = key.over(&message.topic, message.key.as_deref().unwrap_or_default(), &message.payload);
        // In constant time.
        over.verify_slice(&mac).map_err(|_| bad(format!("the signature with key {id:?} does not match")))
    }
}

impl Key {
    /// Each part after its length, so that bytes cannot shift between parts.
    fn over(&self, topic: &str, key: &str, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        for part in [topic.as_bytes(), key.as_bytes(), payload] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for EventKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "old:0123456789abcdef0123456789abcdef";
    const NEW: &str = "new:fedcba9876543210fedcba9876543210";

    fn keys(text: &str) -> EventKeys {
        EventKeys::parse(text).expect("keys")
    }

    fn signed(keys: &EventKeys, topic: &str, key: &str, payload: &[u8]) -> InMessage {
        let mut message = OutMessage {
            topic: topic.to_owned(),
            key: key.to_owned(),
            payload: payload.to_vec(),
            ..OutMessage::default()
        };
        keys.sign(&mut message);
        InMessage {
            topic: message.topic,
            partition: 0,
            offset: 0,
            key: Some(message.key),
            payload: message.payload,
            headers: message.headers,
            timestamp: None,
        }
    }

    fn reason(keys: &EventKeys, message: &InMessage) -> Option<&'static str> {
        keys.verify(message).err().map(|refused| refused.reason)
    }

    #[test]
    fn a_key_is_replaced_while_messages_of_both_are_in_transit() {
        let (before, during, after) =
            (keys(OLD), [keys(&format!("{OLD},{NEW}")), keys(&format!("{NEW},{OLD}"))], keys(NEW));
        let (old, new) = (signed(&before, "t", "k", b"p"), signed(&after, "t", "k", b"p"));
        for both in &during {
            assert_eq!((reason(both, &old), reason(both, &new)), (None, None));
        }
        assert_eq!(reason(&after, &old), Some(BAD_SIGNATURE));
    }

    #[test]
    fn without_keys_nothing_is_signed_and_everything_is_accepted() {
        let off = keys("");
        let plain = signed(&off, "t", "k", b"p");
        assert!(plain.headers.is_empty());
        assert_eq!(reason(&off, &plain), None);
        assert_eq!(reason(&off, &signed(&keys(OLD), "t", "k", b"p")), None);
    }

    #[test]
    fn a_message_without_a_signature_is_accepted_only_if_the_list_says_so() {
        let plain = signed(&keys(""), "t", "k", b"p");
        assert_eq!(reason(&keys(OLD), &plain), Some(UNSIGNED));
        let both = keys(&format!("{OLD},unsigned"));
        assert_eq!(reason(&both, &plain), None);
        assert_eq!(reason(&both, &signed(&keys(NEW), "t", "k", b"p")), Some(BAD_SIGNATURE));
    }

    #[test]
    fn a_wrong_list_is_refused_without_quoting_it() {
        for (text, says) in [
            ("tea", "entry 1: expected `id:secret`"),
            ("k:sesame", "entry 1: a secret has at least 32 characters"),
            (&format!("{OLD},a b:0123456789abcdef0123456789abcdef"), "entry 2: an id has"),
            (&format!("{OLD},{OLD}"), "entry 2: another entry has the same id"),
            ("unsigned", "only `unsigned`"),
        ] {
            let error = EventKeys::parse(text).expect_err("an error");
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("sesame") && !error.contains("0123"), "{error}");
        }
        assert_eq!(format!("{:?}", keys(OLD)), r#"["old"]"#);
    }

    proptest! {
        #[test]
        fn a_signature_fits_one_topic_key_and_payload_only(
            one in (".{0,8}", ".{0,8}", prop::collection::vec(any::<u8>(), 0..16)),
            other in (".{0,8}", ".{0,8}", prop::collection::vec(any::<u8>(), 0..16)),
        ) {
            let keys = keys(OLD);
            let message = signed(&keys, &one.0, &one.1, &one.2);
            prop_assert_eq!(keys.verify(&message), Ok(()));
            let moved = InMessage { topic: other.0.clone(), key: Some(other.1.clone()), payload: other.2.clone(), ..message };
            prop_assert_eq!(keys.verify(&moved).is_ok(), one == other);
        }

        #[test]
        fn no_header_is_mistaken_for_a_signature(header in ".{0,80}|hmac-sha256:(old)?:[0-9a-f]{0,66}") {
            let mut message = signed(&keys(""), "t", "k", b"p");
            message.headers.insert(EventKeys::HEADER.to_owned(), header);
            prop_assert_eq!(reason(&keys(OLD), &message), Some(BAD_SIGNATURE));
        }
    }
}
