//! The servers of one backend, as balancing looks at them.

use super::{Members, Server};
use crate::balance::{Seat, Seats};
use crate::id::ServerId;
use crate::queue::Limit;
use crate::roster::Roster;

/// A backend's servers in order of their ranks.
#[derive(Clone, Copy, Debug)]
pub struct Lineup<'a> {
    /// All servers of the site.
    pub servers: &'a Roster<Server>,
    /// Those of this backend.
    pub ids: &'a Members,
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
        self.ids.rank(id)
    }
}

impl Seats for Lineup<'_> {
    fn count(&self) -> usize {
        self.ids.ranks()
    }

    fn seat(&self, at: usize) -> &Seat {
        &self.server(at).seat
    }

    fn has_room(&self, at: usize) -> bool {
        let server = self.server(at);
        server.line.is_empty() && server.slots.has_room(server.limit(self.load))
    }

    fn has_place(&self, at: usize) -> bool {
        let server = self.server(at);
        match server.line_max {
            Limit::None => true,
            Limit::At(limit) => server.line.len() < limit,
        }
    }
}
