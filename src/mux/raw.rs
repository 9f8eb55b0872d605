//! No protocol: bytes in, bytes out; the end of the stream is the end of the message.

use super::{Conn, Fill, Lane, Lent, Received};

/// Reads one buffer into `lane`.
pub(super) fn receive(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) -> Received {
    if !lane.room() {
        return Received::Full;
    }
    if conn.pending().is_empty() {
        match conn.fill(lent.pool, lent.now) {
            Fill::Got => {}
            Fill::Blocked => return Received::Blocked,
            Fill::Starved => return Received::Starved,
            Fill::Ended => {
                lane.complete(None);
                return Received::Full;
            }
            Fill::Failed => {
                lane.abort();
                return Received::Closed;
            }
        }
    }
    match conn.take_pending(lent.pool, u64::MAX) {
        Some(data) => {
            lane.put_data(data);
            Received::Progress
        }
        None => Received::Blocked,
    }
}

/// Hands the lane's buffers over.
pub(super) fn send(conn: &mut Conn, lane: &mut Lane, lent: &mut Lent<'_>) {
    while conn.has_room() {
        let Some(data) = lane.take_data() else { return };
        conn.output.push(lent.pool, data);
    }
}
