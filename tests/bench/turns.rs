//! The bare relay before many servers: each request goes to the next of them over a connection that stands already.
//!
//! It trusts everybody: a request and its answer come in one read each, and nobody hangs up but clients between requests.

use crate::epoll::{Epoll, READ};
use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const LISTENER: u64 = u64::MAX;
/// The room for a message.
const COPY: usize = 16 * 1024;
/// Connections where servers are few: more than requests are under way at once.
const SEATS_MIN: u64 = 128;

/// Serves for ever.
pub(crate) fn run(listener: &TcpListener, backend: SocketAddr, servers: u64) -> io::Result<()> {
    let mut epoll = Epoll::new()?;
    let servers = servers.max(SEATS_MIN);
    // Keys below the number of servers are theirs, the others clients'.
    let mut seats = Vec::new();
    for key in 0..servers {
        let wire = TcpStream::connect(backend)?;
        seats.push(Seat {
            wire: enrol(&epoll, wire, key)?,
            serves: None,
        });
    }
    epoll.add(listener, LISTENER, READ)?;
    let mut clients = HashMap::new();
    let mut buffer = vec![0; COPY];
    let (mut arrived, mut turn) = (servers, 0);
    let mut ready = Vec::new();
    loop {
        epoll.wait(Duration::from_secs(3600), &mut ready)?;
        for event in &ready {
            if event.key == LISTENER {
                while let Ok((client, _)) = listener.accept() {
                    clients.insert(arrived, enrol(&epoll, client, arrived)?);
                    arrived += 1;
                }
            } else if event.key < servers {
                let seat = &mut seats[usize::try_from(event.key).map_err(io::Error::other)?];
                let client = seat.serves.take().and_then(|key| clients.get_mut(&key));
                let got = seat.wire.read(&mut buffer)?;
                if let Some(client) = client {
                    client.write_all(&buffer[..got])?;
                }
            } else if let Some(client) = clients.get_mut(&event.key) {
                match client.read(&mut buffer) {
                    Ok(got) if got > 0 => {
                        let seat = next(&mut seats, &mut turn)?;
                        seat.serves = Some(event.key);
                        seat.wire.write_all(&buffer[..got])?;
                    }
                    Ok(_) | Err(_) => {
                        clients.remove(&event.key);
                    }
                }
            }
        }
    }
}

/// A connection to a server, and the client whose answer it is to bring.
struct Seat {
    wire: TcpStream,
    serves: Option<u64>,
}

fn enrol(epoll: &Epoll, wire: TcpStream, key: u64) -> io::Result<TcpStream> {
    wire.set_nonblocking(true)?;
    wire.set_nodelay(true)?;
    epoll.add(&wire, key, READ)?;
    Ok(wire)
}

/// The next one that serves nobody.
fn next<'a>(seats: &'a mut [Seat], turn: &mut usize) -> io::Result<&'a mut Seat> {
    for _ in 0..seats.len() {
        *turn = (*turn + 1) % seats.len();
        if seats[*turn].serves.is_none() {
            return Ok(&mut seats[*turn]);
        }
    }
    Err(io::Error::other("all servers are busy"))
}
