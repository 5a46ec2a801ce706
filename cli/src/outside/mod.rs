//! Chaos from outside: what is done to the network between the parts, and to their share of the machine. Commands write
//! orders, and the part `chaos` of `lab up --chaos` carries them out, so that everything ends in time even if the
//! command is killed.

mod desk;
mod keeper;
mod orders;
mod squeeze;

pub(crate) use self::{
    desk::Desk,
    keeper::{Keeper, Link},
    orders::{Order, What},
};
