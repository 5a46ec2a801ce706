//! Drills in an assembled control room, against a lab that exists only in the test.

mod crash;
mod lab;
mod left;
mod person;
mod rig;
mod verify;
