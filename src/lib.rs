//! sluice: a load-balancing proxy for TCP and HTTP that reads HAProxy's configuration.

pub mod acl;
pub mod addr;
pub mod balance;
pub mod boot;
pub mod buf;
pub mod cache;
pub mod check;
pub mod cli;
pub mod codec;
pub mod config;
pub mod dns;
pub mod filter;
pub mod http;
pub mod id;
pub mod lang;
pub mod live;
pub mod log;
pub mod mux;
pub mod pattern;
pub mod proto;
pub mod queue;
pub mod rule;
pub mod sample;
pub mod site;
pub mod slab;
pub mod stats;
pub mod stick;
pub mod stream;
pub mod sys;
pub mod time;
pub mod tls;
pub mod users;
pub mod value;
pub mod wire;
pub mod worker;

pub use proto::proxy as proxy_protocol;
