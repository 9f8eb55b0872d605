//! The server itself: learns who each client is, then echoes.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use sluice::proxy_protocol::{Command, Header, Reader};

/// Where a line about each connection goes; an error ends the server.
pub(crate) type Say<'a> = &'a mut dyn FnMut(String) -> io::Result<()>;

/// A connection whose header has not come whole.
struct Greeting {
    stream: TcpStream,
    reader: Reader,
    deadline: Instant,
}

impl Greeting {
    fn new(stream: TcpStream, now: Instant) -> Greeting {
        Greeting {
            stream,
            reader: Reader::with_limit(HEADER_MAX),
            deadline: now + PATIENCE,
        }
    }

    /// Called when the socket is readable. `Ok(None)` waits for the next event; the bytes behind the header stay in the socket.
    fn advance(&mut self) -> io::Result<Option<Header>> {
        let mut buffer = [0; HEADER_MAX];
        loop {
            let wanted = self.reader.wants().min(buffer.len());
            match self.stream.read(&mut buffer[..wanted]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => {
                    if let Some(header) = self.reader.push(&buffer[..read])? {
                        return Ok(Some(header));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// What a connection is: not yet known, or being served.
enum Connection {
    Greeting(Greeting),
    Echo(TcpStream),
}

/// Serves until `say` fails.
pub(crate) fn serve(mut listener: TcpListener, say: Say<'_>) -> io::Result<()> {
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut connections = HashMap::new();
    let mut events = Events::with_capacity(256);
    let mut next = LISTENER.0 + 1;
    loop {
        let patience = Duration::from_millis(if connections.is_empty() { 60_000 } else { 100 });
        match poll.poll(&mut events, Some(patience)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let now = now();
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut connections, &mut next, now)?;
            } else if let Some(connection) = connections.remove(&event.token())
                && let Some(connection) = advance(connection, say)?
            {
                connections.insert(event.token(), connection);
            }
        }
        let late = |connection: &Connection| matches!(connection, Connection::Greeting(late) if late.deadline <= now);
        connections.retain(|_, connection| !late(connection));
    }
}

/// Takes all connections that wait.
fn accept(
    listener: &TcpListener,
    poll: &Poll,
    connections: &mut HashMap<Token, Connection>,
    next: &mut usize,
    now: Instant,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let token = Token(*next);
                *next += 1;
                poll.registry()
                    .register(&mut stream, token, Interest::READABLE)?;
                connections.insert(token, Connection::Greeting(Greeting::new(stream, now)));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
}

/// One turn of a connection; returns it if it lives on.
fn advance(connection: Connection, say: Say<'_>) -> io::Result<Option<Connection>> {
    let mut stream = match connection {
        Connection::Echo(stream) => stream,
        Connection::Greeting(mut greeting) => match greeting.advance() {
            Ok(None) => return Ok(Some(Connection::Greeting(greeting))),
            Ok(Some(header)) => {
                say(introduction(&header, &greeting.stream)?)?;
                greeting.stream
            }
            Err(error) => {
                say(format!("refused: {error}"))?;
                return Ok(None);
            }
        },
    };
    Ok(echo(&mut stream).then_some(Connection::Echo(stream)))
}

/// Says who the client is.
fn introduction(header: &Header, stream: &TcpStream) -> io::Result<String> {
    let (client, server) = match (header.command(), header.source(), header.destination()) {
        (Command::Proxy, Some(client), Some(server)) => (client, server),
        _ => (stream.peer_addr()?, stream.local_addr()?),
    };
    let tlvs: Vec<String> = header.tlvs().map(|tlv| format!("{tlv:?}")).collect();
    let command = if header.command() == Command::Local {
        "local"
    } else {
        "proxy"
    };
    Ok(format!(
        "client={client} server={server} {command} {:?} {}",
        header.version(),
        tlvs.join(" ")
    ))
}

/// Sends back what has come; tells whether more may come.
fn echo(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            // An example may drop what a slow reader does not take.
            Ok(read) => drop(stream.write(&buffer[..read])),
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example has no clock of its own"
)]
fn now() -> Instant {
    Instant::now()
}

const LISTENER: Token = Token(0);
/// How long a connection may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest header accepted.
const HEADER_MAX: usize = 4096;
