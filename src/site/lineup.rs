//! The servers of one backend, as balancing looks at them.

use super::Server;
use crate::balance::{Seat, Seats};
use crate::id::ServerId;

/// A backend's servers in order of their ranks.
#[derive(Clone, Copy, Debug)]
pub struct Lineup<'a> {
    /// All servers of the site.
    pub servers: &'a [Server],
    /// Those of this backend.
    pub ids: &'a [ServerId],
    /// Requests the backend has, on which dynamic limits depend.
    pub load: u32,
}

impl Lineup<'_> {
    /// The server of this rank.
    pub fn server(&self, at: usize) -> &Server {
        &self.servers[self.ids[at].index()]
    }

    /// The rank of this server.
    pub fn rank(&self, id: ServerId) -> Option<usize> {
        // Servers of a backend are numbered in one run.
        let first = self.ids.first()?.index();
        id.index()
            .checked_sub(first)
            .filter(|&rank| rank < self.ids.len())
    }
}

impl Seats for Lineup<'_> {
    fn count(&self) -> usize {
        self.ids.len()
    }

    fn seat(&self, at: usize) -> &Seat {
        &self.server(at).seat
    }

    fn has_room(&self, at: usize) -> bool {
        let server = self.server(at);
        server.line.is_empty() && server.slots.has_room(server.limit(self.load))
    }
}
