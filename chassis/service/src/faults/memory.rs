//! `memory-leak`: pages that are really resident, in separate mappings so that ending it returns them to the
//! operating system and not to the allocator.

use std::time::Duration;

use memmap2::MmapMut;

use chassis_faults::{FaultPoint, Strike, part};

use crate::catalogue::MemoryLeak;

const TICK: Duration = Duration::from_millis(100);

pub(super) async fn leak(point: FaultPoint<MemoryLeak>, strike: Strike<MemoryLeak>) {
    let MemoryLeak { limit, step, .. } = strike.params;
    let mut held = Vec::new();
    let mut total = 0;
    loop {
        let missing = part(limit, point.level()).saturating_sub(total).min(step);
        if missing > 0
            && let Some(block) = resident(missing)
        {
            held.push(block);
            total += missing;
        }
        tokio::time::sleep(TICK).await;
    }
}

/// Anonymous memory with every byte written. `None` if there is no memory left.
fn resident(bytes: u64) -> Option<MmapMut> {
    let mut block = MmapMut::map_anon(usize::try_from(bytes).ok()?).ok()?;
    block.fill(0xA5);
    Some(block)
}
