//! The courier: one thread for conversations that carry no client's traffic.
//!
//! Peers talk over it, mail goes out, and log lines go from rings to syslog servers and from senders to the targets of `log-forward`
//! sections. Its [`rounds`] own the sockets that listen for such conversations, the connections, and the deadlines; what is
//! said is a [`Talk`]'s, which knows bytes and time and no socket. Stick tables ring its bell when something is to be told.
//!
//! Always true: the thread exists only where the site has something for it; it never holds a lock while it waits; each connection's
//! buffers have a limit, and a turn moves only so much of each, so that nobody starves the others.

mod datagrams;
mod departure;
mod door;
mod guard;
mod lines;
mod link;
mod links;
mod mail;
mod peers;
mod post;
mod renewal;
mod rounds;
mod thread;
mod token;

pub use datagrams::bind_datagrams;
pub use renewal::keep_answers_fresh;
pub use thread::Courier;

use std::fmt;

use crate::site::Site;
use crate::time::Tick;

/// One side of a conversation.
trait Talk: Send {
    /// Reads what came and says what there is to say.
    fn advance(&mut self, said: Said<'_>, around: Around<'_>) -> Outcome;

    /// When it wants to be asked again at the latest.
    fn deadline(&self) -> Tick;

    /// Whom it is with: the section and the member.
    fn peer(&self) -> Option<(usize, usize)> {
        None
    }

    /// The section whose senders it serves.
    fn forward(&self) -> Option<usize> {
        None
    }

    /// Where a successor goes on.
    fn place(&self) -> u64 {
        0
    }

    /// The connection is over, whoever ended it.
    fn end(&mut self, around: Around<'_>);
}

// By name only: a vtable with `Debug` in it keeps every part of every implementor in the program.
impl fmt::Debug for dyn Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talk")
    }
}

/// What was said, and what is to be said.
struct Said<'a> {
    input: &'a mut Vec<u8>,
    output: &'a mut Vec<u8>,
    /// Nothing more will come.
    ended: bool,
}

/// What a conversation sees of the process.
#[derive(Clone, Copy)]
struct Around<'a> {
    site: &'a Site,
    now: Tick,
}

/// How a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It does.
    Go,
    /// It is over once everything was sent.
    Over,
}
