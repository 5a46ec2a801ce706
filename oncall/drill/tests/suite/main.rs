//! The library through its public API: the committed drills, wrong files, runs on a simulated lab, and events in any
//! order.

mod any_order;
mod committed;
mod edge;
mod example;
mod following;
mod lab;
mod people;
mod read;
mod reports;
mod repository;
mod story;
mod variants;
mod verify;
mod wrong;
