//! A lane: the parts of one message on their way from one connection to the other.
//!
//! The receiving mux puts parts in, the sending mux takes them out; between the two the stream looks at the head and may
//! hold everything back. A lane carries one message at a time (plus the interim heads before it) and asks one question for all
//! back-pressure: is there [`room`](Lane::room)?

use std::collections::VecDeque;
use std::io;

use crate::buf::{Buf, Pool};
use crate::http::Head;
use crate::proto::h1::Body;
use crate::wire::{Pipe, Pipes, Wire};

/// Buffers that wait in a lane before the receiving side stops reading.
const BUFFERS_MAX: usize = 2;

/// How far the message in a lane is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// More may come.
    #[default]
    Open,
    /// The sender finished the message.
    Complete,
    /// The sender left in the middle of it.
    Aborted,
}

/// The parts between two connections.
#[derive(Debug)]
pub struct Lane {
    draft: Option<Box<Head>>,
    head: Option<Box<Head>>,
    announced: Body,
    data: VecDeque<Buf>,
    queued: usize,
    trailers: Option<Box<Head>>,
    end: End,
    total: u64,
    /// Body bytes behind those in buffers, and whether a chunk head has announced them.
    pipe: Option<Pipe>,
    pipe_announced: bool,
    /// Bytes that went into pipes and out of them.
    spliced: (u64, u64),
    /// How many body bytes in buffers may be taken out; `u64::MAX` where nothing limits them.
    gate: u64,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            draft: None,
            head: None,
            announced: Body::None,
            data: VecDeque::new(),
            queued: 0,
            trailers: None,
            end: End::Open,
            total: 0,
            pipe: None,
            pipe_announced: false,
            spliced: (0, 0),
            gate: u64::MAX,
        }
    }
}

impl Lane {
    /// Whether another buffer may be put in.
    #[inline]
    pub fn room(&self) -> bool {
        self.data.len() < BUFFERS_MAX && self.piped() == 0
    }

    /// Whether a head waits to be taken.
    pub fn has_head(&self) -> bool {
        self.head.is_some()
    }

    /// The head that waits.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_deref()
    }

    /// The head that waits, to change it.
    pub fn head_mut(&mut self) -> Option<&mut Head> {
        self.head.as_deref_mut()
    }

    /// Puts a head in; the lane must not hold one.
    pub fn put_head(&mut self, head: Box<Head>) {
        debug_assert!(self.head.is_none(), "a lane carries one head at a time");
        self.head = Some(head);
    }

    /// Takes the head out.
    pub fn take_head(&mut self) -> Option<Box<Head>> {
        self.head.take()
    }

    /// Keeps a head that is not complete yet.
    pub fn put_draft(&mut self, head: Box<Head>) {
        self.draft = Some(head);
    }

    /// Takes the incomplete head to go on with it.
    pub fn take_draft(&mut self) -> Option<Box<Head>> {
        self.draft.take()
    }

    /// Says what body the head announces.
    pub fn announce(&mut self, announced: Body) {
        self.announced = announced;
    }

    /// What body the head announces.
    pub fn announced(&self) -> Body {
        self.announced
    }

    /// Lets a message that was complete go on: the exchange has become a tunnel.
    pub fn reopen(&mut self) {
        self.end = End::Open;
        self.announced = Body::Tunnel;
    }

    /// Puts body bytes in.
    #[inline]
    pub fn put_data(&mut self, data: Buf) {
        self.queued += data.len();
        self.total += data.len() as u64;
        self.data.push_back(data);
    }

    /// Puts a copy of body bytes behind the newest ones, where their buffer has room: many small pieces then take no more
    /// room than one large one. Tells whether it had.
    pub fn put_copy(&mut self, bytes: &[u8]) -> bool {
        let Some(last) = self
            .data
            .back_mut()
            .filter(|last| last.room() >= bytes.len())
        else {
            return false;
        };
        last.tail().extend_from_slice(bytes);
        self.queued += bytes.len();
        self.total += bytes.len() as u64;
        true
    }

    /// Moves the bytes of the newest buffer into the one before it, where they fit: many small pieces then take no more
    /// room than one large one.
    pub fn pack(&mut self, pool: &mut Pool) {
        while let [.., before, last] = self.data.make_contiguous() {
            before.make_room(last.len());
            if before.room() < last.len() {
                return;
            }
            before.tail().extend_from_slice(last);
            if let Some(last) = self.data.pop_back() {
                pool.give_back(last);
            }
        }
    }

    /// Takes the oldest body bytes out.
    #[inline]
    pub fn take_data(&mut self) -> Option<Buf> {
        if self.gate != u64::MAX {
            return self.take_gated();
        }
        let data = self.data.pop_front()?;
        self.queued -= data.len();
        Some(data)
    }

    /// The same where a gate counts: no more than it lets through.
    #[cold]
    fn take_gated(&mut self) -> Option<Buf> {
        let open = usize::try_from(self.gate).unwrap_or(usize::MAX);
        let first = self.data.front_mut()?;
        let taken = if first.len() <= open {
            self.data.pop_front()?
        } else if open == 0 {
            return None;
        } else {
            let part = Buf::from_vec(first[..open].to_vec());
            first.consume(open);
            part
        };
        self.queued -= taken.len();
        self.gate -= taken.len() as u64;
        Some(taken)
    }

    /// Lets this many more body bytes be taken out.
    pub fn set_gate(&mut self, open: u64) {
        self.gate = open;
    }

    /// Lets all body bytes be taken out.
    pub fn open_gate(&mut self) {
        self.gate = u64::MAX;
    }

    /// How many body bytes may still be taken out.
    pub fn gate(&self) -> u64 {
        self.gate
    }

    /// Puts back what [`take_data`](Self::take_data) gave and was not used.
    pub fn return_data(&mut self, data: Buf) {
        self.gate = self.gate.saturating_add(data.len() as u64);
        self.queued += data.len();
        self.data.push_front(data);
    }

    /// The body bytes that wait, oldest first.
    pub fn data(&self) -> impl Iterator<Item = &[u8]> {
        self.data.iter().map(|data| &**data)
    }

    /// How many body bytes wait, in buffers and in the pipe.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// How many body bytes have passed in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Ends the message.
    pub fn complete(&mut self, trailers: Option<Box<Head>>) {
        self.trailers = trailers;
        self.end = End::Complete;
    }

    /// Ends the message before its time.
    pub fn abort(&mut self) {
        if self.end == End::Open {
            self.end = End::Aborted;
        }
    }

    /// How far the message is complete.
    pub fn end(&self) -> End {
        self.end
    }

    /// Whether nothing waits and nothing will come.
    pub fn is_drained(&self) -> bool {
        self.end != End::Open && self.queued == 0 && self.head.is_none() && self.trailers.is_none()
    }

    /// Takes the trailers out.
    pub fn take_trailers(&mut self) -> Option<Box<Head>> {
        self.trailers.take()
    }

    /// Whether trailers wait.
    pub fn has_trailers(&self) -> bool {
        self.trailers.is_some()
    }

    /// Takes everything back but what the head announced, for the same message once more.
    pub fn rewind(&mut self, pool: &mut Pool) {
        let announced = self.announced;
        self.clear(pool);
        self.announced = announced;
    }

    /// Empties the lane for the next message.
    pub fn clear(&mut self, pool: &mut Pool) {
        while let Some(data) = self.data.pop_front() {
            pool.give_back(data);
        }
        self.draft = None;
        self.head = None;
        self.announced = Body::None;
        self.trailers = None;
        self.queued = 0;
        self.total = 0;
        self.end = End::Open;
        self.pipe = None;
        self.spliced = (0, 0);
        self.gate = u64::MAX;
    }
}

/// The pipe.
impl Lane {
    /// Whether no body byte waits.
    pub fn is_clear(&self) -> bool {
        self.queued == 0
    }

    /// How many bytes are in the pipe.
    #[inline]
    pub fn piped(&self) -> usize {
        self.pipe.as_ref().map_or(0, Pipe::held)
    }

    /// Whether the lane has a pipe or gets one.
    pub fn takes_pipe(&mut self, pipes: &mut Pipes) -> bool {
        if self.pipe.is_none() {
            self.pipe = pipes.take();
        }
        self.pipe.is_some()
    }

    /// Moves up to `limit` bytes from `wire` into the pipe; zero is the end of the stream.
    pub fn fill_pipe(&mut self, wire: &Wire, limit: u64) -> io::Result<usize> {
        let Some(pipe) = &mut self.pipe else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let count = pipe.fill(wire, limit)?;
        self.queued += count;
        self.total += count as u64;
        self.spliced.0 += count as u64;
        self.pipe_announced = false;
        Ok(count)
    }

    /// Moves bytes from the pipe to `wire`.
    pub fn drain_pipe(&mut self, wire: &Wire) -> io::Result<usize> {
        let Some(pipe) = &mut self.pipe else {
            return Ok(0);
        };
        let count = pipe.drain(wire)?;
        self.queued -= count;
        self.spliced.1 += count as u64;
        Ok(count)
    }

    /// The length that a chunk head has to announce before the pipe's bytes may leave; said once.
    pub fn pipe_to_announce(&mut self) -> Option<u64> {
        let held = self.piped();
        let fresh = held > 0 && !std::mem::replace(&mut self.pipe_announced, true);
        fresh.then_some(held as u64)
    }

    /// Closes the pipe with what is in it.
    pub fn drop_pipe(&mut self) {
        self.queued -= self.piped();
        self.pipe = None;
    }

    /// The pipe, for others, unless something is in it.
    pub fn take_empty_pipe(&mut self) -> Option<Pipe> {
        self.pipe.take_if(|pipe| pipe.held() == 0)
    }

    /// Bytes that went into pipes and out of them.
    pub fn spliced(&self) -> (u64, u64) {
        self.spliced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pieces_are_packed_and_whole_buffers_stay() {
        let mut pool = Pool::new(8, 4, 8);
        let mut lane = Lane::default();
        for piece in ["ab", "cd", "efgh", "ijklmnop"] {
            let mut buf = pool.take(crate::buf::Need::GoingOn).expect("one is left");
            buf.tail().extend_from_slice(piece.as_bytes());
            lane.put_data(buf);
            lane.pack(&mut pool);
        }
        let held: Vec<_> = lane.data().collect();
        assert_eq!(held, [&b"abcdefgh"[..], b"ijklmnop"]);
        assert_eq!((lane.queued(), pool.lent()), (16, 2));
        lane.clear(&mut pool);
        assert_eq!(pool.lent(), 0);
    }
}
