//! The assembled user-service on real PostgreSQL and Redis, through its ports, as a caller and an operator see it.

mod active;
mod cache;
mod contract;
mod faults;
mod hostile;
mod outages;
mod process;
mod rig;
mod stampede;
mod sweep;
mod users;
