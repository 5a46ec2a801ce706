//! One handler per file: read the input, call the domain, shape the answer. No rules here.

pub mod create_user;
pub mod get_user;
pub mod list_users;
pub mod update_user;
