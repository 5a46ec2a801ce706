//! Answers from `/proc`.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
};

use procfs::{
    net::{TcpState, tcp, tcp6},
    process::{FDTarget, Process, all_processes},
};

use super::Memory;

fn find(pid: u32) -> Option<Process> {
    Process::new(i32::try_from(pid).ok()?).ok()
}

/// Clock ticks since boot; `None` if there is no such process or it is a zombie.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = find(pid)?.stat().ok()?;
    (!matches!(stat.state, 'Z' | 'X')).then_some(stat.starttime)
}

/// Memory of the process and its descendants.
pub(crate) fn memory(pid: u32) -> Memory {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for stat in all_processes().into_iter().flatten().flatten().filter_map(|process| process.stat().ok()) {
        children.entry(stat.ppid).or_default().push(stat.pid);
    }
    let mut sum = Memory::default();
    let mut open = vec![i32::try_from(pid).unwrap_or_default()];
    while let Some(pid) = open.pop() {
        open.extend(children.get(&pid).into_iter().flatten());
        let Ok(process) = Process::new(pid) else { continue };
        sum.rss += process.status().ok().and_then(|status| status.vmrss).unwrap_or(0) * 1024;
        if let Some(pss) = proportional(&process) {
            sum.pss = Some(sum.pss.unwrap_or(0) + pss);
        }
    }
    sum
}

fn proportional(process: &Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?;
    rollup.memory_map_rollup.iter().find_map(|map| map.extension.map.get("Pss").copied())
}

/// Pid and command of the process that listens on `port` of the loopback interface or of all addresses.
pub(crate) fn port_holder(port: u16) -> Option<String> {
    let sockets: HashSet<u64> = [tcp(), tcp6()]
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)
        .map(|entry| entry.inode)
        .collect();
    let holders = all_processes().ok()?.flatten().filter(|process| {
        let mut files = process.fd().into_iter().flatten().flatten();
        files.any(|file| matches!(file.target, FDTarget::Socket(inode) if sockets.contains(&inode)))
    });
    // The oldest one: children of a server inherit its socket.
    holders
        .min_by_key(|process| process.stat().map_or(u64::MAX, |stat| stat.starttime))
        .as_ref()
        .map(describe)
}

fn describe(process: &Process) -> String {
    let command = process.cmdline().unwrap_or_default().join(" ");
    let command: String = command.chars().take(120).collect();
    format!("pid {} ({})", process.pid, if command.is_empty() { "command unknown" } else { &command })
}

/// Pids of the processes whose environment has `name=value`, among those that this user may inspect.
pub(crate) fn with_environment(name: &str, value: &OsStr) -> Vec<u32> {
    all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|process| {
            process.environ().is_ok_and(|vars| vars.get(OsStr::new(name)).is_some_and(|found| found == value))
        })
        .filter_map(|process| u32::try_from(process.pid).ok())
        .collect()
}
