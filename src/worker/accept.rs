//! Accepting: in batches, within the limits, each client to the least loaded worker.

use std::io;
use std::os::fd::OwnedFd;

use super::{Cell, Client, Mail, Worker};
use crate::addr::SockAddr;
use crate::id::ListenerId;
use crate::stream::Peers;
use crate::sys;
use crate::time::{Millis, Tick};
use crate::wire::{Socket, Wire};

/// How long accepting rests when the process is out of descriptors or memory.
const REST: Millis = Millis::new(100);

/// A listening socket that this worker polls.
#[derive(Debug)]
pub struct Listening {
    /// The socket.
    pub fd: OwnedFd,
    /// What it is.
    pub id: ListenerId,
    pub(super) ready: bool,
    pub(super) rests_until: Tick,
    /// Closed by an operator.
    pub(super) shut: bool,
    /// Held back by a limit until somebody leaves.
    pub(super) waits: bool,
}

impl Listening {
    /// A socket to accept from.
    pub fn new(fd: OwnedFd, id: ListenerId) -> Self {
        Self {
            fd,
            id,
            ready: false,
            rests_until: Tick::default(),
            shut: false,
            waits: false,
        }
    }

    /// Whether a try is worth it.
    pub(super) fn is_willing(&self, now: Tick) -> bool {
        self.ready && !self.waits && !self.shut && self.rests_until.has_come(now)
    }
}

impl Worker {
    /// Accepts a batch from each socket that has clients waiting; true if some may be left.
    pub(super) fn accept_all(&mut self) -> bool {
        let now = self.engine.kit.now;
        let mut more = false;
        for index in 0..self.listening.len() {
            if self.listening[index].is_willing(now) {
                self.accept_batch(index);
                more |= self.listening[index].is_willing(now);
            }
        }
        more
    }

    fn accept_batch(&mut self, index: usize) {
        let batch = self.engine.kit.site.global.tune.max_accept;
        for _ in 0..batch {
            let (id, now) = (self.listening[index].id, self.engine.kit.now);
            let wait = self.office.wait(id, now);
            if wait > Millis::ZERO {
                self.listening[index].rests_until = now + wait;
                return;
            }
            if !self.office.admit_or_await_room(id) {
                self.listening[index].waits = true;
                return;
            }
            match sys::socket::accept(&self.listening[index].fd) {
                Ok((fd, peer)) => {
                    self.office.count_pace(id, now);
                    let peer = SockAddr::from_raw(peer);
                    if self.refuses(&peer) {
                        self.office.dismiss(id);
                    } else {
                        self.place(fd, id, peer);
                    }
                }
                Err(error) => {
                    self.office.dismiss(id);
                    if self.is_over(index, &error) {
                        return;
                    }
                }
            }
        }
    }

    /// Whether a client comes from a port that only a system's own programs have.
    fn refuses(&self, peer: &SockAddr) -> bool {
        const OWN: u16 = 1024;
        self.engine.kit.site.global.refuses_system_ports
            && inet(peer).is_some_and(|peer| peer.port() < OWN)
    }

    /// Whether an error of `accept` ends the batch; most concern one client that has already left.
    fn is_over(&mut self, index: usize, error: &io::Error) -> bool {
        if error.kind() == io::ErrorKind::WouldBlock {
            self.listening[index].ready = false;
            return true;
        }
        let concerns_one = [io::ErrorKind::ConnectionAborted, io::ErrorKind::Interrupted];
        if concerns_one.contains(&error.kind()) {
            return false;
        }
        self.listening[index].rests_until = self.engine.kit.now + REST;
        self.engine
            .kit
            .doors
            .log(format!("accepting rests for {REST}: {error}\n").as_bytes());
        true
    }

    /// Gives a client to the least loaded worker.
    fn place(&mut self, fd: OwnedFd, listener: ListenerId, peer: SockAddr) {
        let peers = Peers {
            src: inet(&peer),
            dst: self.reached(&fd, listener),
        };
        let worker = self.office.assign(self.id);
        let activity = self.office.activity(self.id);
        activity.add(Cell::Accepted, 1);
        activity.add(Cell::Pushed, u64::from(worker != self.id));
        let client = Client {
            fd,
            listener,
            peers,
        };
        if worker == self.id {
            self.serve(client);
        } else {
            self.office.post(worker, Mail::Client(client));
        }
    }

    /// The address the client reached; asked of the socket only where the listener has several.
    fn reached(&self, fd: &OwnedFd, listener: ListenerId) -> Option<std::net::SocketAddr> {
        let endpoint = &self.engine.kit.site.listener(listener).endpoint;
        if endpoint.is_any() || endpoint.ip().is_none() {
            return inet(&SockAddr::from_raw(sys::socket::local_addr(fd).ok()));
        }
        inet(endpoint)
    }

    /// Takes a client in on this worker.
    pub(super) fn serve(&mut self, client: Client) {
        let Client {
            fd,
            listener,
            peers,
        } = client;
        if self
            .engine
            .accept(Wire::Socket(Socket::new(fd)), listener, peers)
            .is_err()
        {
            self.office.unassign(self.id);
            self.office.dismiss(listener);
        }
    }
}

fn inet(addr: &SockAddr) -> Option<std::net::SocketAddr> {
    match addr.clone().unmapped() {
        SockAddr::Inet(addr) => Some(addr),
        SockAddr::Unix(_) | SockAddr::Abstract(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;

    use mio::{Poll, Waker};

    use super::*;
    use crate::id::{FrontendId, WorkerId};
    use crate::mux::Inner;
    use crate::site::{Frontend, Listener, Service, Site, Visit};
    use crate::worker::turn::Place;
    use crate::worker::{Inners, Mailbox, Office};

    struct Nobody;

    impl Inners for Nobody {
        fn operator(&self, _: &Arc<Office>, _: ListenerId) -> Box<dyn Inner> {
            unreachable!("nobody asks")
        }
        fn page(&self, _: &Arc<Office>, _: Visit) -> Box<dyn Inner> {
            unreachable!("nobody asks")
        }
        fn service(&self, _: &Arc<Office>, _: &str) -> Option<Box<dyn Inner>> {
            None
        }
        fn surrender(&self, _: OwnedFd) {}
    }

    /// `tune.maxaccept`.
    #[test]
    fn a_batch_is_as_large_as_asked() {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        socket.set_nonblocking(true).expect("a socket");
        let addr = socket.local_addr().expect("bound");
        let mut site = Site::default();
        site.global.threads = 1;
        site.global.maxconn = 10;
        site.global.tune.max_accept = 2;
        let service = Service::Frontend(FrontendId::at(0));
        site.listeners
            .push(Listener::new(service, SockAddr::from(addr)));
        site.frontends.push(Frontend::default());
        site.open_books();
        let site = Arc::new(site);
        let poll = Poll::new().expect("a poll");
        let waker = Waker::new(poll.registry(), Worker::mail_token()).expect("a waker");
        let mailbox = Mailbox::new(waker);
        let office = Arc::new(Office::new(Arc::clone(&site), vec![mailbox.clone()]));
        let place = Place {
            id: WorkerId::at(0),
            site,
            poll,
            mailbox,
            office: Arc::clone(&office),
            inners: Arc::new(Nobody),
            listening: vec![Listening::new(socket.into(), ListenerId::at(0))],
        };
        let mut worker = Worker::new(place).expect("a worker");
        let clients = [0; 5].map(|_| TcpStream::connect(addr).expect("it listens"));
        for expected in [2, 4, 5] {
            worker.listening[0].ready = true;
            worker.accept_all();
            assert_eq!(office.clients(), expected);
        }
        drop(clients);
    }
}
