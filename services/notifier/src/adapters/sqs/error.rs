//! Why SQS did not do what it was asked, and which of its codes mean what.

/// Why SQS did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    /// There was no answer, or none that can be read.
    #[error("SQS gives no useful answer: {0}")]
    Silent(String),
    /// It refused.
    #[error("SQS refuses {action}: {code}")]
    Refused {
        /// What it was asked.
        action: &'static str,
        /// Its code, such as `QueueDoesNotExist`.
        code: String,
    },
}

impl SqsError {
    /// Whether it is about what was sent: the same message would be refused again.
    #[must_use]
    pub fn is_about_the_message(&self) -> bool {
        let Self::Refused { action: "SendMessage", code } = self else { return false };
        ["InvalidMessageContents", "InvalidParameterValue"].contains(&code.as_str())
    }

    pub(super) fn is_about_a_queue_that_is_gone(&self) -> bool {
        let Self::Refused { code, .. } = self else { return false };
        code.ends_with("QueueDoesNotExist") || code.ends_with("NonExistentQueue")
    }
}

/// `QueueDoesNotExist` of `com.amazonaws.sqs#QueueDoesNotExist`, and `InvalidParameterValue` of
/// `com.amazon.coral.service#InvalidParameterValueException`: AWS writes some codes with what its framework adds.
pub(super) fn code_of(kind: &str) -> &str {
    let name = kind.rsplit('#').next().unwrap_or(kind);
    name.strip_suffix("Exception").unwrap_or(name)
}

pub(super) fn unreadable(what: &str) -> SqsError {
    SqsError::Silent(format!("an answer without {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(action: &'static str, code: &str) -> SqsError {
        SqsError::Refused { action, code: code.to_owned() }
    }

    #[test]
    fn only_a_message_that_would_be_refused_again_is_given_up() {
        assert!(refused("SendMessage", "InvalidMessageContents").is_about_the_message());
        for other in [
            refused("SendMessage", "QueueDoesNotExist"),
            refused("CreateQueue", "InvalidParameterValue"),
            SqsError::Silent("connection refused".to_owned()),
        ] {
            assert!(!other.is_about_the_message(), "{other}");
        }
    }

    #[test]
    fn a_code_is_known_with_and_without_what_is_around_it() {
        for kind in ["com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue"] {
            assert!(refused("SendMessage", code_of(kind)).is_about_the_message(), "{kind}");
        }
        assert_eq!(code_of("com.amazonaws.sqs#QueueDoesNotExist"), "QueueDoesNotExist");
    }

    #[test]
    fn a_queue_that_is_gone_is_known_by_both_of_its_codes() {
        for code in ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"] {
            assert!(refused("ReceiveMessage", code).is_about_a_queue_that_is_gone(), "{code}");
        }
        assert!(!refused("ReceiveMessage", "AccessDenied").is_about_a_queue_that_is_gone());
    }
}
