//! What is done in every replica of a service.

use std::time::{Duration, Instant};

use anyhow::Result;
use observe::Error as Observed;
use switchboard::{Error, Replica};
use tokio::time::sleep;

/// Longest wait for a process that was killed: its supervisor starts it again within half a minute.
pub(super) const BACK: Duration = Duration::from_secs(60);
/// Between two attempts.
pub(super) const ATTEMPT: Duration = Duration::from_millis(200);

/// Does it in every replica, even after one that fails: what can be taken back is. Waits for those that are being started.
///
/// # Errors
/// The first one: a replica refuses, or is not back in time.
pub(super) async fn each(
    replicas: Vec<Replica>,
    act: impl AsyncFn(&Replica) -> switchboard::Result<()>,
) -> Result<()> {
    let mut all = Ok(());
    for replica in replicas {
        let done = patiently(async || act(&replica).await).await;
        all = all.and(done);
    }
    all
}

/// Repeats what fails because nobody answers.
async fn patiently(act: impl AsyncFn() -> switchboard::Result<()>) -> Result<()> {
    let begun = Instant::now();
    loop {
        match act().await {
            Err(Error::Peer(Observed::Unreachable { .. })) if begun.elapsed() < BACK => sleep(ATTEMPT).await,
            done => return Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use switchboard::{Instance, Place};

    use super::*;

    #[tokio::test]
    async fn what_one_replica_refuses_is_taken_back_in_the_others() {
        let instance = |name: &str| Instance {
            service: "edge".to_owned(),
            name: name.to_owned(),
            admin: "http://127.0.0.1:1".to_owned(),
        };
        let place = Place::Here(["edge", "edge-2", "edge-3"].map(instance).to_vec());
        let tried = RefCell::new(Vec::new());
        let act = async |replica: &Replica| {
            tried.borrow_mut().push(replica.to_string());
            match replica.pod {
                Some(_) => Ok(()),
                None => Err(Error::Lab(format!("{replica} refuses"))),
            }
        };
        let refused = each(place.replicas(None, None).await.unwrap(), act).await.unwrap_err();
        assert_eq!(refused.to_string(), "edge refuses");
        assert_eq!(*tried.borrow(), ["edge", "edge-2", "edge-3"]);
    }
}
