//! What was found. Each kind may be absent: what was not looked at is neither right nor wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

/// Everything that was found.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Sockets that accept connections.
    pub listeners: Option<Vec<Listener>>,
    /// Files and folders whose content is not for everybody.
    pub files: Option<Vec<File>>,
    /// What a request without a token was answered at a switch.
    pub switches: Option<Vec<Switch>>,
    /// Packages that the programs are built from.
    pub packages: Option<Vec<Package>>,
    /// Objects of Kubernetes, as the chart renders them or the cluster has them.
    pub manifests: Option<Vec<Value>>,
}

/// A socket that accepts connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The part that has it.
    pub part: String,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the lab's folder.
    pub path: String,
    /// The permission bits of its mode.
    pub mode: u32,
}

/// A switch that changes the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The part that has it.
    pub part: String,
    /// Its path, such as `/faults`.
    pub path: String,
    /// Whether it answered without a token.
    pub open: bool,
}

/// A package at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The packages of a `Cargo.lock`.
#[must_use]
pub fn packages(lock: &str) -> Vec<Package> {
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('='))?;
        Some(line.trim().trim_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| Some(Package { name: value(block, "name")?, version: value(block, "version")? }))
        .collect()
}

/// The objects of some documents of YAML, but for those that only hold data: `ConfigMap`s and `Secret`s.
///
/// # Errors
/// The first document that is not YAML.
pub fn manifests(text: &str) -> Result<Vec<Value>, String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    let kind = |document: &str| {
        document.lines().find_map(|line| line.strip_prefix("kind:")).map(|kind| kind.trim().to_owned())
    };
    let judged = documents
        .iter()
        .filter(|document| kind(document).is_some_and(|kind| kind != "ConfigMap" && kind != "Secret"));
    judged.map(|document| serde_saphyr::from_str(document).map_err(|error| error.to_string())).collect()
}

/// The objects of a list as the API server answers with it, in JSON: only the list has their kind and version, such as
/// `DeploymentList`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn listed(text: &str) -> Result<Vec<Value>, String> {
    let mut list: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let kind = list["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).map(str::to_owned);
    let kind =
        kind.ok_or_else(|| format!("expected a list such as a DeploymentList, found {}", list["kind"]))?;
    let (version, items) = (list["apiVersion"].take(), list["items"].take());
    let mut objects: Vec<Value> = match items {
        // A server may leave an empty list out.
        Value::Null => Vec::new(),
        items => serde_json::from_value(items).map_err(|error| format!("items: {error}"))?,
    };
    // The items of kubectl's own `List` say themselves what they are.
    for object in objects.iter_mut().filter(|_| !kind.is_empty()).filter_map(Value::as_object_mut) {
        object.insert("kind".to_owned(), Value::from(kind.clone()));
        object.insert("apiVersion".to_owned(), version.clone());
    }
    Ok(objects)
}

/// The sockets of `/proc/<pid>/net/tcp` or `tcp6` that accept connections: inode, address, port.
#[must_use]
pub fn sockets(table: &str) -> Vec<(u64, IpAddr, u16)> {
    table.lines().skip(1).filter_map(socket).collect()
}

fn socket(line: &str) -> Option<(u64, IpAddr, u16)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    // 0A is LISTEN, include/net/tcp_states.h.
    if *fields.get(3)? != "0A" {
        return None;
    }
    let (address, port) = fields.get(1)?.split_once(':')?;
    Some((fields.get(9)?.parse().ok()?, ip(address)?, u16::from_str_radix(port, 16).ok()?))
}

/// Words of 32 bits, each in the byte order of the machine; those that the lab runs on are little-endian.
fn ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| u32::from_str_radix(hex.get(at..at + 8)?, 16).ok().map(u32::to_le_bytes);
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0)?))),
        32 => {
            let mut bytes = [0; 16];
            for (index, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(index * 8)?);
            }
            let address = Ipv6Addr::from(bytes);
            Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_sockets_are_read_as_linux_writes_them() {
        let four = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:2329 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1\n   \
            1: 0100007F:2329 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1\n   \
            2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1\n";
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert_eq!(sockets(four), [(4711, IpAddr::V4(Ipv4Addr::LOCALHOST), 9001), (4713, any, 8080)]);
        let six = "head\n 0: 00000000000000000000000001000000:1F90 0:0 0A 0:0 00:0 0 0 0 7 1\n";
        assert_eq!(sockets(six), [(7, IpAddr::V6(Ipv6Addr::LOCALHOST), 8080)]);
        let mapped = "head\n 0: 0000000000000000FFFF00000100007F:1F90 0:0 0A 0:0 00:0 0 0 0 7 1\n";
        assert_eq!(sockets(mapped), [(7, IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)]);
    }

    #[test]
    fn packages_are_read_from_a_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.3\"\ndependencies = [\n \"b\",\n]\n\n\
            [[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let package =
            |name: &str, version: &str| Package { name: name.to_owned(), version: version.to_owned() };
        assert_eq!(packages(lock), [package("a", "1.2.3"), package("b", "0.1.0")]);
    }

    #[test]
    fn objects_of_a_list_get_the_kind_that_only_the_list_has() {
        let text = r#"{"kind":"RoleList","apiVersion":"rbac.authorization.k8s.io/v1","items":[{"metadata":{"name":"a"}}]}"#;
        let found = listed(text).unwrap();
        assert_eq!(found[0]["kind"], "Role");
        assert_eq!(found[0]["metadata"]["name"], "a");
        assert_eq!(found[0]["apiVersion"], "rbac.authorization.k8s.io/v1");
        let own = r#"{"kind":"List","apiVersion":"v1","items":[{"kind":"Service"}]}"#;
        assert_eq!(listed(own).unwrap()[0]["kind"], "Service");
        assert_eq!(listed(r#"{"kind":"JobList","items":null}"#), Ok(Vec::new()));
        let refused = r#"{"kind":"Status","message":"roles is forbidden"}"#;
        assert!(listed(refused).unwrap_err().contains("found \"Status\""), "{:?}", listed(refused));
        assert!(listed("[").is_err() && listed("[]").is_err());
    }

    #[test]
    fn documents_are_told_apart_and_data_is_left_out() {
        let text = "---\n# Source: a\nkind: Pod\nmetadata: { name: a }\n---\nkind: ConfigMap\ndata:\n  a: |\n    ---\n---\n";
        let found = manifests(text).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["metadata"]["name"], "a");
        assert!(manifests("kind: [").is_err());
    }
}
