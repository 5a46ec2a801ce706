//! `fd-leak`: sockets that are opened and never used or closed, as by a client that forgets its connections.

use std::time::Duration;

use socket2::{Domain, Socket, Type};

use chassis_faults::{FaultPoint, Strike, part};

use crate::catalogue::FdLeak;

const TICK: Duration = Duration::from_millis(100);
/// Most sockets opened per tick.
const STEP: u64 = 10;

pub(super) async fn leak(point: FaultPoint<FdLeak>, strike: Strike<FdLeak>) {
    let limit = strike.params.limit;
    let mut held: Vec<Socket> = Vec::new();
    loop {
        let missing = part(limit, point.level()).saturating_sub(held.len() as u64).min(STEP);
        for _ in 0..missing {
            // At the limit of the process opening fails; what is held stays held.
            let Ok(socket) = Socket::new(Domain::IPV4, Type::STREAM, None) else { break };
            held.push(socket);
        }
        tokio::time::sleep(TICK).await;
    }
}
