//! A server that learns its clients' true addresses: `cargo run --example acceptor -- 127.0.0.1:5433`.
//!
//! It stands where a connection pooler or database would: behind a proxy that sends the PROXY protocol. It prints a line for
//! each connection, `client=… server=… …`, and then echoes what the client sends. Everything a server's author would copy is
//! `Greeting` in server.rs: a connection that has not said yet who it is. Late bytes cost nothing but an entry in a map; a
//! header that is wrong, too long or not there in time ends the connection.

mod server;

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address = address
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, address))?;
    let listener = mio::net::TcpListener::bind(address)?;
    say(format!("listening on {}", listener.local_addr()?))?;
    server::serve(listener, &mut say)
}

fn say(line: String) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
