//! The most memory that a part may use. A container has such a limit from the kernel; here the supervisor looks twice a second,
//! and the part is killed as a container is: without a signal that it could handle, and without a line in its log.

use std::{fs, path::Path, time::Duration};

use crate::{Part, process::ProcId};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);
const MIB: u64 = 1024 * 1024;

/// Waits until a part uses more than it may, and returns a sentence about it. Without a limit it waits forever.
pub(crate) async fn exceeded(part: &Part, process: Option<ProcId>) -> String {
    let (Some(file), Some(process)) = (part.memory_max.as_deref(), process) else {
        return std::future::pending().await;
    };
    loop {
        tokio::time::sleep(LOOK).await;
        // Usually there is no such file, and nothing is counted.
        let Some(most) = most(file) else { continue };
        let used = process.memory().rss;
        if used > most {
            return format!("out of memory: it used {} MiB of {} MiB", used / MIB, most / MIB);
        }
    }
}

/// What the file says, in bytes. One that cannot be read limits nothing.
fn most(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
