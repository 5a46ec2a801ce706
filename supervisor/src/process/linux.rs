//! Answers from `/proc` (proc(5)).

use std::{
    collections::{HashMap, HashSet},
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use super::Memory;

fn path(pid: u32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

/// A file of a process. Names of programs, and what they are started with, need not be UTF-8.
fn read(pid: u32, file: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path(pid, file)).ok()?).into_owned())
}

/// All processes at this moment.
fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// From `/proc/PID/stat`.
struct Stat {
    state: String,
    parent: u32,
    /// Clock ticks since boot.
    started: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&read(pid, "stat")?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The name of the program is in parentheses, and may contain both of them and spaces. The fields behind it begin with the
        // third of the manual.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Self {
            state: field(3)?.to_owned(),
            parent: field(4)?.parse().ok()?,
            started: field(22)?.parse().ok()?,
        })
    }
}

/// Clock ticks since boot; `None` if there is no such process or it is a zombie.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = Stat::of(pid)?;
    (!matches!(stat.state.as_str(), "Z" | "X")).then_some(stat.started)
}

/// Memory of the process and its descendants.
pub(crate) fn memory(pid: u32) -> Memory {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for child in pids() {
        if let Some(stat) = Stat::of(child) {
            children.entry(stat.parent).or_default().push(child);
        }
    }
    let mut sum = Memory::default();
    let mut open = vec![pid];
    while let Some(pid) = open.pop() {
        open.extend(children.get(&pid).into_iter().flatten());
        sum.rss += bytes(pid, "status", "VmRSS:").unwrap_or(0);
        if let Some(pss) = bytes(pid, "smaps_rollup", "Pss:") {
            sum.pss = Some(sum.pss.unwrap_or(0) + pss);
        }
    }
    sum
}

/// The value of a line such as `VmRSS:   1234 kB`.
fn bytes(pid: u32, file: &str, name: &str) -> Option<u64> {
    let text = read(pid, file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Pid and command of the process that listens on `port` of the loopback interface or of all addresses.
pub(crate) fn port_holder(port: u16) -> Option<String> {
    let table = |name: &str| fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let sockets: HashSet<PathBuf> =
        ["tcp", "tcp6"].iter().flat_map(|name| listening(&table(name), port)).collect();
    if sockets.is_empty() {
        return None;
    }
    let holders = pids().filter(|pid| {
        let mut files = fs::read_dir(path(*pid, "fd")).into_iter().flatten().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|target| sockets.contains(&target)))
    });
    // The oldest one: children of a server inherit its socket.
    holders.min_by_key(|pid| Stat::of(*pid).map_or(u64::MAX, |stat| stat.started)).map(describe)
}

/// The sockets that listen on a port, as the descriptors of their processes name them.
fn listening(table: &str, port: u16) -> Vec<PathBuf> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, LISTENS, _, _, _, _, _, inode, ..] = fields.as_slice() else { return None };
        let found = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        (found == port).then(|| PathBuf::from(format!("socket:[{inode}]")))
    };
    table.lines().filter_map(socket).collect()
}

/// The state of a socket that listens.
const LISTENS: &str = "0A";

fn describe(pid: u32) -> String {
    let command = read(pid, "cmdline").unwrap_or_default();
    let command: String = command.trim_end_matches('\0').replace('\0', " ").chars().take(120).collect();
    format!("pid {pid} ({})", if command.is_empty() { "command unknown" } else { &command })
}

/// Pids of the processes whose environment has `name=value`, among those that this user may inspect.
pub(crate) fn with_environment(name: &str, value: &OsStr) -> Vec<u32> {
    let wanted = [name.as_bytes(), b"=", value.as_bytes()].concat();
    pids()
        .filter(|pid| {
            fs::read(path(*pid, "environ"))
                .is_ok_and(|all| all.split(|byte| *byte == 0).any(|variable| variable == wanted))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_cannot_pretend_another_state_by_its_name() {
        let fields = "S 42 7 7 0 -1 4194560 900 0 3 0 150 50 0 0 20 0 9 0 5000 4096000 25";
        let stat = Stat::parse(&format!("7 (a) Z 1 (b) {fields}")).unwrap();
        assert_eq!((stat.state.as_str(), stat.parent, stat.started), ("S", 42, 5000));
    }

    #[test]
    fn only_a_socket_that_listens_on_the_port_counts() {
        let line = |port: &str, state: &str, inode: u32| {
            format!(
                "   0: 0100007F:{port} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 {inode} 1 0"
            )
        };
        let table = [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".to_owned(),
            line("1F90", "0A", 1),
            line("1F90", "01", 2),
            line("1F91", "0A", 3),
        ];
        assert_eq!(listening(&table.join("\n"), 8080), [PathBuf::from("socket:[1]")]);
    }
}
