//! Who is on call, and who is notified next: `oncall.yaml` in, shifts, notifications, calendars and a report out.
//!
//! Read it in this order: [`zone`] (wall time, and the one rule for clock changes), [`rotation`] and [`windows`] (who
//! takes turns, and when a layer counts), [`schedule`] (exactly one primary at each instant), [`mod@read`] (the file,
//! with errors that name file, line and field), [`escalation`] (what is due, and what has been sent), [`check`] and
//! [`ical`].
//!
//! Does no I/O and reads no clock: callers read files, pass the time, and send what is due.

pub mod check;
pub mod escalation;
pub mod ical;
mod model;
pub mod read;
pub mod rotation;
pub mod schedule;
mod schema;
pub mod windows;
pub mod zone;

pub use escalation::{Due, Escalation};
pub use model::{Contact, ContactKind, Person, Policy, Rota, Step, Target, Webhook};
pub use read::{Extra, read, read_with, written};
pub use rotation::Rotation;
pub use schedule::{Schedule, Shift};
pub use schema::schema;
pub use windows::Windows;
pub use yaml::{Problem, Problems};
pub use zone::Zone;
