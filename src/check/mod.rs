//! Health checks: what is asked of servers, what their answers mean, and what the servers' health is.
//!
//! The configuration becomes a [`Script`]; the engine makes a [`Run`] of it for each check, feeds it events and carries out
//! its orders; the [`Report`] it ends with is noted in the server's [`Health`], whose rise and fall machine says what
//! changed. [`Pace`] tells when the next check is due. Agents are read by [`agent`].
//!
//! Always true: nothing here opens a connection or looks at a clock; a server's answer is judged from bounded bytes however
//! they were cut. It does not decide what a change means for queues, sessions or logs: those are the engine's.

pub mod agent;
mod answer;
mod compile;
pub mod draft;
mod expect;
mod health;
mod keyword;
mod pace;
mod report;
mod run;
mod script;
mod status;

pub use compile::{Tools, agent as agent_script, compile};
pub use draft::{Draft, ServerDraft};
pub use expect::{Expect, Match, What, unhex};
pub use health::{Admin, AgentState, Beginning, Health, Last, Noted, Shift, Standing, Thresholds};
pub use keyword::{KEYWORDS, RULES, SECTION_KEYWORDS, SERVER_KEYWORDS};
pub use pace::{Pace, first_delay, spread};
pub use report::{Report, Sentence};
pub use run::{Event, Order, RECEIVED_MAX, Run};
pub use script::{Act, Assign, Connect, Phrase, Program, Request, Script, Step, Style, Text};
pub use status::{Status, Verdict};
