//! Handles one message of the topic `orders`: read, check, pay, respond. Idempotent: a repeated order is answered again, but
//! not paid again.

use async_trait::async_trait;
use chassis_faults::scope::Scope;
use chassis_kafka::{Handler, InMessage, Verdict};
use chassis_outbox::{REFUSED_BY_DATABASE, verdict};
use chrono::{SubsecRound, Utc};
use contracts::{
    orders::{OrderPlaced, decode},
    subject,
};

use crate::{
    adapters::{Paid, PaymentStore},
    domain::{Payment, PaymentStatus, TotalCheck, check_total, decide},
    metrics::OrderWorkerMetrics,
};

/// Reasons for giving up on messages.
pub const REASONS: &[&str] = &["malformed", "truncated", "unknown-version", INVALID, REFUSED_BY_DATABASE];
const INVALID: &str = "invalid";

/// Handler of the topic `orders`.
pub struct Fulfil {
    payments: PaymentStore,
    metrics: OrderWorkerMetrics,
}

impl Fulfil {
    /// Pays orders into `payments`.
    #[must_use]
    pub const fn new(payments: PaymentStore, metrics: OrderWorkerMetrics) -> Self {
        Self { payments, metrics }
    }

    fn count(&self, paid: Paid, payment: &Payment, order: &OrderPlaced, total: TotalCheck) {
        if paid == Paid::Before {
            self.metrics.duplicate.inc();
            return;
        }
        self.metrics.total_checked(total == TotalCheck::Match, order.track);
        match payment.status {
            PaymentStatus::Completed => {
                self.metrics.completed.inc();
                // Exact up to 2^53 cents.
                #[allow(clippy::cast_precision_loss)]
                self.metrics.revenue_dollars_total.inc_by(payment.amount_cents as f64 / 100.0);
            }
            PaymentStatus::Declined => self.metrics.rejected.inc(),
        }
    }
}

#[async_trait]
impl Handler for Fulfil {
    async fn handle(&self, message: &InMessage) -> Verdict {
        let verdict = self.fulfil(message).await;
        if matches!(verdict, Verdict::DeadLetter { .. }) {
            self.metrics.dead_letter.inc();
        }
        verdict
    }
}

impl Fulfil {
    async fn fulfil(&self, message: &InMessage) -> Verdict {
        let order: OrderPlaced = match decode(&message.payload) {
            Ok(order) => order,
            Err(error) => return give_up(error.reason(), error.to_string()),
        };
        let total = check_total(&order);
        if total == TotalCheck::Impossible {
            return give_up(INVALID, format!("order {} has an impossible total", order.order_id));
        }
        // The tier came with the message, when order-api knew it.
        let tier = Scope::read(|scope| scope.subject.get(subject::USER_TIER).cloned());
        let tier = tier.as_deref().map(|tier| (subject::USER_TIER, tier));
        Scope::identify((subject::USER_ID, &order.user_id.to_string()), tier);
        let payment = decide(&order, Utc::now().trunc_subsecs(6));
        match self.payments.pay(order.event_id, &payment).await {
            Ok(paid) => {
                self.count(paid, &payment, &order, total);
                Verdict::Done
            }
            Err(error) => verdict(&error),
        }
    }
}

fn give_up(reason: &'static str, cause: String) -> Verdict {
    Verdict::DeadLetter { reason, cause: cause.into() }
}
