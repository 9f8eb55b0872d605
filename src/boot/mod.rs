//! Process life: from arguments to workers and back.

pub mod args;
pub mod bind;
pub mod build_info;
pub mod daemon;
pub mod handover;
pub mod limits;
pub mod notify;
pub mod old;
pub mod privileges;
