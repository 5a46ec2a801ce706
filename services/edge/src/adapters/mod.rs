//! Everything outside: files, upstreams, the threads of the firewall.

mod files;
mod firewall;
mod in_force;
mod live;
mod loader;
mod pool;
mod relay;
mod transport;
mod upstream;

pub use files::{Files, Texts};
pub use firewall::{Change, Counts, Firewall, FirewallConfig, Listed, Refused};
pub use in_force::{InForce, Kept, Unset};
pub use live::{Found, Limiter, Live, Target};
pub(crate) use loader::LoaderParts;
pub use loader::{Loaded, Loader};
pub use transport::{Exchange, Failed, Outbound, Transport};
pub use upstream::{Place, Upstream};
