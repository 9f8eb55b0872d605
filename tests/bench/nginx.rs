//! nginx configured to do the same.

use crate::scenario::{Load, Scenario};
use std::net::SocketAddr;
use std::path::Path;

/// A configuration that runs in the foreground and writes only below `folder`.
pub(crate) fn config(scenario: &Scenario, port: u16, backend: SocketAddr, folder: &Path) -> String {
    let (folder, threads) = (folder.display(), scenario.threads);
    let connections = match scenario.load {
        Load::Idle(count) => count + 1_000,
        _ => 4_000,
    };
    let upstream_connection = if scenario.setup.server_close {
        "close"
    } else {
        "\"\""
    };
    format!(
        "daemon off;
worker_processes {threads};
worker_rlimit_nofile 120000;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  upstream be {{
    server {backend};
    keepalive 1000;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://be;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Connection {upstream_connection};
    }}
  }}
}}
"
    )
}
