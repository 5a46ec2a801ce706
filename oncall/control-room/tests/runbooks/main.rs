//! Runbooks that run, over the real store: no act is done twice and none is lost, whatever is killed when;
//! automation stays inside its guardrails; and the audit log shows when it was changed.

mod api;
mod dry;
mod heals;
mod kills;
mod lab;
mod names;
mod place;
mod procedures;
mod resume;
mod sigkill;
mod storm;
mod switch;
mod system;
mod together;
mod worse;
