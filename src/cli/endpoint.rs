//! A session as an inner endpoint: the lanes of a connection around a [`Session`].

use std::sync::Arc;

use super::Desk;
use super::face::Face;
use super::session::{Progress, Session};
use crate::buf::Buf;
use crate::mux::{End, Inner, Lane, Lent, Said};
use crate::site::Listener;
use crate::worker::Office;

/// A connection to the stats socket.
#[derive(Debug)]
pub struct Endpoint {
    desk: Arc<Desk>,
    office: Arc<Office>,
    session: Session,
}

/// How many pieces of work one turn of the engine gives a session.
const STEPS_MAX: usize = 64;

impl Endpoint {
    /// A session of somebody who came to `listener`.
    pub fn new(desk: Arc<Desk>, office: Arc<Office>, listener: &Listener) -> Self {
        let session = Session::new(listener.level, listener.severity).exposing(listener.expose_fd);
        Self {
            desk,
            office,
            session,
        }
    }
}

impl Inner for Endpoint {
    fn step(&mut self, request: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said {
        while let Some(data) = request.take_data() {
            self.session.feed(&data);
            lent.pool.give_back(data);
        }
        if request.end() != End::Open {
            self.session.end();
        }
        let mut face = Face::new(&self.desk, &self.office, lent.now);
        let mut out = Vec::new();
        let mut progress = Progress::More;
        for _ in 0..STEPS_MAX {
            if progress != Progress::More
                || !response.room()
                || out.len() >= super::reply::PIECE_LEN
            {
                break;
            }
            progress = self.session.step(&mut face, &mut out);
        }
        if !out.is_empty() {
            response.put_data(Buf::from_vec(out));
        }
        match progress {
            Progress::More => Said::More,
            Progress::Idle => Said::Listening,
            Progress::Wait => Said::Later,
            Progress::Surrender => Said::Surrender,
            Progress::Close => {
                response.complete(None);
                Said::Done
            }
        }
    }
}
