//! What a panic costs on the courier's thread: the conversation, the caller or the errand in whose turn it came; on the asker's, one answer.
//!
//! A panic is a mistake of ours that somebody's bytes have found. Each piece of the [`Rounds`] is done behind [`Rounds::spare_others`];
//! what slips past those costs one round, after which the thread rests for a moment, so that a mistake that comes back each time
//! does not keep a processor busy.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::rounds::Rounds;
use crate::sys;

/// Does one piece of `who`'s work; none where it panicked, which is told.
pub(super) fn spared<R>(who: &str, place: &str, work: impl FnOnce() -> R) -> Option<R> {
    let done = catch_unwind(AssertUnwindSafe(work)).ok();
    if done.is_none() {
        let line = format!("{who} panicked {place}\n");
        // Standard error that is closed or full loses the line, nothing else.
        let _ = sys::io::write(io::stderr(), line.as_bytes());
    }
    done
}

impl Rounds {
    /// Does one piece of work; none where it panicked, which is told and counted.
    pub(super) fn spare_others<R>(
        &mut self,
        place: &str,
        work: impl FnOnce(&mut Self) -> R,
    ) -> Option<R> {
        let done = spared("the courier", place, || work(self));
        if done.is_none() {
            self.panics += 1;
        }
        done
    }

    /// Ends a conversation that panicked. Its errand is tried again as if the connection had been lost.
    pub(super) fn bury(&mut self, at: usize) {
        let post = self.links.get(at).and_then(|link| link.post);
        if self
            .spare_others("at the end of a conversation", |rounds| rounds.close(at))
            .is_some()
        {
            return;
        }
        let now = self.now;
        if let Some(post) = post.and_then(|post| self.posts.get_mut(post)) {
            post.given_up(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use mio::{Events, Poll};

    use super::super::link::Link;
    use super::super::{Around, Outcome, Said, Talk};
    use super::*;
    use crate::site::Site;
    use crate::time::Tick;
    use crate::wire::{Socket, Wire};

    /// Says back what it hears; some words find a mistake, and one finds another at the end.
    #[derive(Debug, Default)]
    struct Echo {
        ends_badly: bool,
    }

    impl Talk for Echo {
        fn advance(&mut self, said: Said<'_>, _: Around<'_>) -> Outcome {
            assert_ne!(said.input, b"trap", "a mistake");
            self.ends_badly = said.input == b"bad end";
            assert!(!self.ends_badly, "a mistake with another behind it");
            said.output.append(said.input);
            Outcome::Go
        }

        fn deadline(&self) -> Tick {
            Tick::NEVER
        }

        fn end(&mut self, _: Around<'_>) {
            assert!(!self.ends_badly, "a mistake at the end");
        }
    }

    fn rounds() -> Rounds {
        let poll = Poll::new().expect("a poll");
        Rounds::new(&Arc::new(Site::default()), poll, Arc::default()).expect("descriptors")
    }

    /// Somebody who converses.
    fn caller(rounds: &mut Rounds) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().expect("two descriptors");
        ours.set_nonblocking(true).expect("a socket");
        let wire = Wire::Socket(Socket::new(ours.into()));
        let link = Link::new(wire, Box::new(Echo::default()), None, rounds.now);
        assert!(rounds.links.add(link));
        theirs
    }

    #[test]
    fn a_panic_ends_one_conversation() {
        let (mut rounds, mut events) = (rounds(), Events::with_capacity(8));
        let mut kept = Vec::new();
        for (words, panics) in [("trap", 1), ("bad end", 3)] {
            let (mut ill, mut well) = (caller(&mut rounds), caller(&mut rounds));
            ill.write_all(words.as_bytes()).expect("a few bytes");
            well.write_all(b"hello").expect("a few bytes");
            assert!(rounds.round(&mut events), "the thread goes on");
            let (mut heard, mut rest) = ([0; 5], Vec::new());
            well.read_exact(&mut heard).expect("an echo");
            assert_eq!(&heard, b"hello");
            // What it had said is unread, so that the end is a reset.
            let _ = ill.read_to_end(&mut rest);
            assert_eq!((rest, rounds.panics), (Vec::new(), panics));
            kept.push(well);
        }
        assert_eq!(
            rounds.links.iter().count(),
            kept.len(),
            "those who are well"
        );
    }
}
