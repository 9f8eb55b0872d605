//! Process tests: the built program against real programs, one module a theme.

#![expect(
    clippy::disallowed_methods,
    reason = "these tests watch real programs in real time"
)]

mod addresses;
mod around;
mod authority;
mod backend_words;
mod checked;
mod completions;
mod contract;
mod database;
mod desk;
mod dns_differential;
mod dns_hostile;
mod dns_live;
mod dns_namespace;
mod dns_server;
mod explain;
mod figures;
mod flow;
mod global;
mod half_headers;
mod mistakes;
mod ocsp;
mod old_kernel;
mod oracle;
mod outside;
mod process;
mod program;
mod proxy_protocol;
mod reload;
mod resolvers;
mod rules;
mod scenarios;
mod sections;
mod static_binary;
mod stats_page;
mod stats_words;
mod takeover;
mod tidy;
mod tls;
mod tls_hostile;
mod tls_made;
mod tls_servers;
mod tls_store;
mod tls_words;
