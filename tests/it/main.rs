//! Process tests: the built program against real programs, one module a theme.

mod dns_differential;
mod dns_hostile;
mod dns_namespace;
mod dns_server;
mod process;
mod program;
mod reload;
mod static_binary;
mod tidy;
