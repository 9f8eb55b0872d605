//! Process life: from arguments to workers and back.

pub mod args;
pub mod bind;
pub mod build_info;
pub mod handover;
pub mod notify;
pub mod privileges;
