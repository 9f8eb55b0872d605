//! Sessions between peers, over the courier's connections.

use super::{Around, Outcome, Said, Talk};
use crate::peer::{self, Fault, Session};
use crate::site::Site;
use crate::sys;
use crate::time::Tick;

/// A session with a member of a section.
#[derive(Debug)]
pub(super) struct PeerTalk {
    section: usize,
    session: Session,
}

impl PeerTalk {
    /// A session with a member that was dialed.
    pub(super) fn to(
        section: usize,
        member: usize,
        last_will: bool,
        around: Around<'_>,
    ) -> Option<Self> {
        let seen = view(section, around.site, around.now)?;
        Some(Self {
            section,
            session: Session::to(member, last_will, &seen),
        })
    }

    /// A session with whoever has connected.
    pub(super) fn from_anyone(section: usize, around: Around<'_>) -> Option<Self> {
        let seen = view(section, around.site, around.now)?;
        Some(Self {
            section,
            session: Session::from_anyone(&seen),
        })
    }
}

fn view(section: usize, site: &Site, now: Tick) -> Option<peer::Around<'_>> {
    Some(peer::Around {
        section: &site.peers.get(section)?.section,
        tables: &site.tables,
        pid: sys::process::pid().unsigned_abs(),
        now,
    })
}

impl Talk for PeerTalk {
    fn advance(&mut self, said: Said<'_>, around: Around<'_>) -> Outcome {
        let Some(seen) = view(self.section, around.site, around.now) else {
            return Outcome::Over;
        };
        match self.session.advance(said.input, said.output, &seen) {
            Ok(()) if !said.ended => Outcome::Go,
            Ok(()) | Err(_) => Outcome::Over,
        }
    }

    fn deadline(&self) -> Tick {
        self.session.deadline()
    }

    fn peer(&self) -> Option<(usize, usize)> {
        Some((self.section, self.session.member()?))
    }

    fn end(&mut self, around: Around<'_>) {
        if let Some(seen) = view(self.section, around.site, around.now) {
            self.session.end(Fault::Silent, &seen);
        }
    }
}
