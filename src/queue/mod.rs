//! Slots and the lines before them.
//!
//! * What this is: [`Slots`], an exact count of what may be in service at once (a server's `maxconn`, a listener's, the
//!   process's); [`Line`], the requests that wait for a slot, in order of priority and arrival; and [`call_next`], which
//!   brings the two together when a slot comes free.
//! * Where data comes from and goes: the engine takes a slot before it connects and gives it back when the exchange is
//!   over. A request that finds none joins a line with a [`Ticket`]; whoever gives a slot back calls the next ticket,
//!   and mails it to the worker it names together with the slot.
//! * What is always true: no more slots are out than the limit allows, whichever workers ask; a waiting request is
//!   called before a later one of the same priority; a called ticket owns its slot, so a worker that finds the ticket's
//!   request gone gives the slot back. While nobody waits, taking and giving back is one atomic operation each.
//!   Of servers that say `strict-maxconn`, [`Places`] counts the connections too, those that stand idle among them.
//! * What it deliberately does not do: it wakes nobody itself, knows no clock and no server.

mod draft;
mod line;
mod places;
mod slots;

pub use draft::{Draft, KEYWORDS, SERVER_KEYWORDS, ServerDraft};
pub use line::{Called, Full, LINE_LEN_MAX, Line, Place, Priority, Ticket, Which, call_next};
pub use places::{Occupied, Places};
pub use slots::{Ceiling, FullLoad, Limit, Slots};
