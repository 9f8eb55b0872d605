//! Process life: from arguments to workers and back.
//!
//! [`run`] is called once with the arguments and answers the exit status. What a process does between is written
//! out by hand, in order: read the command line (`args`), read the configuration (`load`), be born
//! (`birth`: limits, sockets, background, rights, workers), live (`life`, or `master` over workers) and end. Traffic is never seen here.

pub mod again;
pub mod args;
pub mod bind;
pub mod birth;
pub mod build_info;
pub mod console;
pub mod daemon;
pub mod demo;
mod dump;
mod environment;
pub mod explain;
mod export;
pub mod handover;
pub mod heritage;
pub mod layout;
pub mod life;
pub mod limits;
pub mod link;
mod listening;
pub mod load;
pub mod manual;
pub mod master;
pub mod migrate;
pub mod notify;
pub mod old;
mod orders;
pub mod privileges;
pub mod programs;
mod rehearsal;
mod review;
mod run;
mod sandbox;
mod state;
mod window;

pub use run::run;
