//! Log lines between processes: from rings to syslog servers, and from senders to the targets of `log-forward` sections.

use super::{Around, Outcome, Said, Talk};
use crate::log::{NotALine, Sender, parse_received, take_frame};
use crate::sample::Wall;
use crate::site::{Site, Survey};
use crate::sys::clock;
use crate::time::Tick;

/// Lines taken from a ring at once, and bytes that may wait to be sent.
const BATCH: usize = 64;
const OUTPUT_MAX: usize = 64 * 1024;

/// A ring's lines on their way to a server.
#[derive(Debug)]
pub(super) struct RingTalk {
    ring: usize,
    /// The next line.
    pub(super) next: u64,
    /// Each line has its length before it, and no line feed.
    counted: bool,
}

impl RingTalk {
    /// Goes on with line `next` of a ring.
    pub(super) fn new(ring: usize, next: u64, counted: bool) -> Self {
        Self {
            ring,
            next,
            counted,
        }
    }
}

/// Appends a line as it travels over a stream (RFC 6587, 3.4.1 and 3.4.2).
fn frame(line: &[u8], counted: bool, out: &mut Vec<u8>) {
    if !counted {
        return out.extend_from_slice(line);
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    out.extend_from_slice(line.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(line);
}

impl Talk for RingTalk {
    fn advance(&mut self, said: Said<'_>, around: Around<'_>) -> Outcome {
        // Servers have nothing to say.
        said.input.clear();
        let Some(post) = around.site.rings.get(self.ring) else {
            return Outcome::Over;
        };
        if said.ended {
            return Outcome::Over;
        }
        post.ring.hear();
        while said.output.len() < OUTPUT_MAX {
            let batch = post.ring.read(self.next, BATCH);
            self.next = batch.next;
            if batch.lines.is_empty() {
                break;
            }
            for line in &batch.lines {
                frame(line, self.counted, said.output);
            }
        }
        Outcome::Go
    }

    fn deadline(&self) -> Tick {
        Tick::NEVER
    }

    fn place(&self) -> u64 {
        self.next
    }

    fn end(&mut self, _: Around<'_>) {}
}

/// A sender's stream.
#[derive(Debug)]
pub(super) struct SenderTalk {
    forward: usize,
    sender: Option<Sender>,
    silent_until: Tick,
}

impl SenderTalk {
    /// A stream to the section in this place.
    pub(super) fn new(forward: usize, around: Around<'_>) -> Self {
        Self {
            forward,
            sender: around.site.outlets.clone().map(Sender::new),
            silent_until: patience(forward, around),
        }
    }
}

fn patience(forward: usize, around: Around<'_>) -> Tick {
    let section = around.site.forwards.get(forward);
    around
        .now
        .after(section.and_then(|section| section.timeout))
}

impl Talk for SenderTalk {
    fn advance(&mut self, said: Said<'_>, around: Around<'_>) -> Outcome {
        let mut rest = &said.input[..];
        let mut broken = false;
        if !rest.is_empty() {
            self.silent_until = patience(self.forward, around);
        }
        loop {
            match take_frame(&mut rest) {
                Ok(Some(line)) => pass_on(self.forward, line, self.sender.as_mut(), around.site),
                Ok(None) => break,
                Err(NotALine) => {
                    broken = true;
                    break;
                }
            }
        }
        let used = said.input.len() - rest.len();
        said.input.drain(..used);
        if said.ended && !said.input.is_empty() {
            // A last line without its end.
            pass_on(self.forward, said.input, self.sender.as_mut(), around.site);
            said.input.clear();
        }
        if let Some(sender) = &mut self.sender {
            sender.flush();
        }
        if broken || said.ended || self.silent_until.has_come(around.now) {
            return Outcome::Over;
        }
        Outcome::Go
    }

    fn deadline(&self) -> Tick {
        self.silent_until
    }

    fn forward(&self) -> Option<usize> {
        Some(self.forward)
    }

    fn end(&mut self, _: Around<'_>) {}
}

/// Hands a line to the targets of a section.
pub(super) fn pass_on(forward: usize, line: &[u8], sender: Option<&mut Sender>, site: &Site) {
    let (Some(section), Some(sender)) = (site.forwards.get(forward), sender) else {
        return;
    };
    let received = parse_received(line);
    if received.whole.is_empty() {
        return;
    }
    if let Some(outlets) = &site.outlets {
        outlets.note_received();
    }
    let wall = clock::realtime();
    let date = Wall {
        secs: wall.secs,
        micros: wall.nanos / 1_000,
    };
    let survey = Survey {
        site,
        now: Tick::from_millis(clock::monotonic_ms()),
        worker: 0,
        random: 0,
    };
    section
        .logging
        .all(|routes| sender.pass_on(routes, &received, date, &survey));
}

#[cfg(test)]
mod tests {
    use super::frame;

    #[test]
    fn lines_end_with_a_line_feed_or_begin_with_their_length() {
        let mut out = Vec::new();
        frame(b"<1>a\n", false, &mut out);
        frame(b"<1>bc\n", true, &mut out);
        assert_eq!(out, b"<1>a\n5 <1>bc");
    }
}
