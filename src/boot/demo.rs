//! `sluice demo`: an embedded configuration and two small servers behind it, to try the program with a browser and curl.
//!
//! The servers live in threads of this process on ports of the system's choice. They answer any request with a few lines
//! about themselves, keep connections alive, and bound what they read; they are for demonstration only.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::config::Source;

/// What is printed when everything stands.
pub const WELCOME: &str = "\
sluice balances two demo servers.
  open    http://127.0.0.1:8080/         the servers answer in turn
  try     curl -i http://127.0.0.1:8080/hello
          curl -i http://127.0.0.1:8080/denied    a rule at work
  look    http://127.0.0.1:8404/         statistics
  stop    with Ctrl-C
";

/// The name the configuration has in messages.
const NAME: &str = "demo.cfg";

const CONFIGURATION: &str = "\
global
    maxconn 2000

defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout http-keep-alive 10s

frontend web
    bind 127.0.0.1:8080
    http-request deny if { path /denied }
    default_backend app

frontend statistics
    bind 127.0.0.1:8404
    stats enable
    stats uri /
    stats refresh 5s

backend app
    balance roundrobin
    server red 127.0.0.1:@RED@
    server blue 127.0.0.1:@BLUE@
";

/// Connections a demo server serves at once; more are closed.
const CONNECTIONS_MAX: usize = 512;
/// Bytes of a request's head.
const HEAD_MAX: usize = 16 * 1024;
/// How long a connection may be idle.
const PATIENCE: Duration = Duration::from_secs(60);

/// The configuration with these ports of the two servers.
pub fn configuration(red: u16, blue: u16) -> String {
    CONFIGURATION
        .replace("@RED@", &red.to_string())
        .replace("@BLUE@", &blue.to_string())
}

/// Starts the servers and answers the configuration that balances them.
pub fn begin() -> io::Result<Source> {
    let (red, blue) = (start("red")?, start("blue")?);
    Ok(Source::Text {
        name: NAME.to_owned(),
        text: configuration(red.port(), blue.port()).into_bytes(),
    })
}

/// Starts one server in threads of its own; answers where it listens.
fn start(name: &'static str) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let present = Arc::new(AtomicUsize::new(0));
    std::thread::Builder::new()
        .name(format!("demo-{name}"))
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let present = Arc::clone(&present);
                if present.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX {
                    present.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                let thread = std::thread::Builder::new().stack_size(64 * 1024);
                // Without a thread the connection is closed, as it would be by a server that is full.
                let _ = thread.spawn(move || {
                    let _ = serve(name, stream);
                    present.fetch_sub(1, Ordering::Relaxed);
                });
            }
        })?;
    Ok(addr)
}

/// Answers the requests of one connection until it ends.
fn serve(name: &str, mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr()?;
    let mut pending = Vec::new();
    loop {
        let Some(head) = head(&mut stream, &mut pending)? else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&head);
        let line = text.lines().next().unwrap_or_default();
        let lower = text.to_ascii_lowercase();
        let last = lower.contains("\r\ncontent-length:")
            || lower.contains("\r\ntransfer-encoding:")
            || lower.contains("\r\nconnection: close");
        let body = format!("This is demo server {name}.\nYou asked: {line}\nThrough: {peer}\n");
        let body = if line.starts_with("HEAD ") {
            String::new()
        } else {
            body
        };
        let connection = if last { "close" } else { "keep-alive" };
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: {connection}\r\nx-demo: {name}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(reply.as_bytes())?;
        if last {
            return Ok(());
        }
    }
}

/// The next request's head; nothing at the end of the connection.
fn head(stream: &mut impl Read, pending: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut piece = [0; 2048];
    loop {
        if let Some(end) = pending.windows(4).position(|w| w == b"\r\n\r\n") {
            let rest = pending.split_off(end + 4);
            return Ok(Some(std::mem::replace(pending, rest)));
        }
        if pending.len() > HEAD_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match stream.read(&mut piece)? {
            0 => return Ok(None),
            n => pending.extend_from_slice(&piece[..n]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::args::Options;
    use crate::boot::console::Console;
    use crate::boot::load;

    #[test]
    fn the_configuration_is_valid() {
        let source = Source::Text {
            name: NAME.into(),
            text: configuration(1, 2).into_bytes(),
        };
        let loaded = load::load(&Options::default(), &[source], &Console::new(true));
        let loaded = loaded.expect("the demonstration must start");
        assert_eq!(loaded.site.listeners.len(), 2);
    }

    #[test]
    fn a_server_answers_pipelined_requests_and_closes_when_asked() {
        let addr = start("red").expect("a port");
        let mut client = TcpStream::connect(addr).expect("it listens");
        let requests = b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n";
        client.write_all(requests).expect("it reads");
        let mut text = String::new();
        client.read_to_string(&mut text).expect("it closes");
        assert_eq!(text.matches("This is demo server red.").count(), 2);
        assert!(text.contains("You asked: GET /b HTTP/1.1"));
    }
}
