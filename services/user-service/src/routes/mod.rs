//! One handler per file: read the input, call the domain, build the response. No rules here.

pub mod create_user;
pub mod get_user;
pub mod list_users;
pub mod update_user;

pub use create_user::create_user;
pub use get_user::get_user;
pub use list_users::list_users;
pub use update_user::update_user;
