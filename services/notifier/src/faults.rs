//! The fault points of the notifier, and what they do to a delivery.

use std::time::Duration;

use chassis_faults::{
    Attribute, Catalogue, Fault, FaultPoint, Faults, catalogue, params,
    params::{MINUTE, MS, duration},
    spec::work,
};

/// Plans cannot select by a subject: a notification does not say whose order it is about.
pub const SUBJECT: &[Attribute] = &[];

params! {
    /// Parameters of `notify-slow`.
    pub struct NotifySlow {
        /// time added to each delivery
        delay: Duration = duration("2s", MS, MINUTE),
    }
}

catalogue! {
    /// `notify-fail`: the provider refuses.
    pub const NOTIFY_FAIL: Fault = work(
        "notify-fail",
        "The provider of mail and push messages refuses notifications.",
        "`notifications_failed_total` rises; after the last attempt, `queue_size{queue_name=\"notification_dlq\"}` does.",
    )
    .ends("Notifications in the dead-letter queue stay there.");

    /// `notify-slow`: each delivery takes longer.
    pub const NOTIFY_SLOW: Fault<NotifySlow> = work(
        "notify-slow",
        "The provider of mail and push messages answers late.",
        "`queue_size` of `email_queue` grows as long as more comes in than goes out. A delivery that takes as long as \
         `NOTIFY_VISIBILITY` fails.",
    );
}

/// All points of the process.
pub const CATALOGUE: Catalogue = ALL;

/// The points, resolved.
#[derive(Clone)]
pub struct NotifierFaults {
    fail: FaultPoint,
    slow: FaultPoint<NotifySlow>,
}

impl NotifierFaults {
    /// Takes the points of this process.
    #[must_use]
    pub fn new(faults: &Faults) -> Self {
        Self { fail: faults.point(&NOTIFY_FAIL), slow: faults.point(&NOTIFY_SLOW) }
    }

    /// Waits as long as a slow provider takes; returns whether it takes the notification.
    pub async fn provider(&self) -> bool {
        if let Some(strike) = self.slow.strike() {
            tokio::time::sleep(strike.params.delay).await;
        }
        self.fail.strike().is_none()
    }
}
