//! user-service as order-api uses it: whether a user exists, and the user's tier.

use chassis_client::{ClientConfig, ClientError, PeerClient};
use chassis_telemetry::Chassis;
use contracts::users::User;
use uuid::Uuid;

use crate::OrderApiConfig;

/// Calls user-service. Cheap to clone.
#[derive(Clone)]
pub struct UserClient {
    peer: PeerClient,
}

impl UserClient {
    /// A client with deadline, retries within the budget, breaker and bulkhead.
    #[must_use]
    pub fn new(config: &OrderApiConfig, chassis: &Chassis) -> Self {
        let config = ClientConfig {
            peer: "user-service",
            base: config.user_service_url.clone(),
            timeout: config.user_service_timeout,
            max_concurrent: config.user_service_max_concurrent,
            attempts: 3,
        };
        Self { peer: PeerClient::new(config, chassis) }
    }

    /// The user, or `None` if there is no user with this id.
    ///
    /// # Errors
    /// When user-service returns no usable response.
    pub async fn find(&self, id: Uuid) -> Result<Option<User>, ClientError> {
        self.peer.get("/users/{id}", &format!("/users/{id}")).await
    }
}
