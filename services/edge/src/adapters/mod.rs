//! Everything outside: files, upstreams, the threads of the firewall.

mod files;
mod firewall;
mod live;
mod loader;
mod pool;
mod relay;
mod transport;
mod upstream;

pub use files::{Files, Texts};
pub use firewall::{Change, Counts, Firewall, FirewallConfig, Listed, Refused};
pub use live::{Found, Limiter, Live, Target};
pub(crate) use loader::LoaderParts;
pub use loader::{Loaded, Loader, Unset};
pub use transport::{Exchange, Failed, Outbound, Transport};
pub use upstream::{Place, Upstream};
