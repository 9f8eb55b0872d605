//! The last malformed messages, kept for `show errors`.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use crate::time::date::Dates;

/// Bytes of a message that are kept.
const EXCERPT_MAX: usize = 4096;

/// Proxies whose last faults are kept.
const PROXIES_MAX: usize = 256;

/// A malformed message.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The proxy that met it, and its number.
    pub proxy: (String, u32),
    /// The server that sent it, in a response's case.
    pub server: Option<String>,
    /// Whether it is a response.
    pub response: bool,
    /// The client.
    pub src: Option<SocketAddr>,
    /// Seconds and milliseconds of the calendar.
    pub date: (i64, u32),
    /// What is wrong.
    pub reason: &'static str,
    /// Where.
    pub at: usize,
    /// The message's beginning.
    pub bytes: Vec<u8>,
}

/// The last fault of each proxy and direction.
#[derive(Debug, Default)]
pub struct Faults {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    total: u64,
    last: Vec<(u64, Captured)>,
}

impl Faults {
    /// Keeps a fault in place of the one before of the same proxy and direction.
    pub fn keep(&self, mut fault: Captured) {
        fault.bytes.truncate(EXCERPT_MAX);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let number = kept.total;
        kept.total += 1;
        kept.last
            .retain(|(_, other)| (&other.proxy, other.response) != (&fault.proxy, fault.response));
        if kept.last.len() >= PROXIES_MAX {
            kept.last.remove(0);
        }
        kept.last.push((number, fault));
    }

    /// The answer to `show errors`: for the proxy of this number, for requests (`false`) or responses (`true`) alone.
    pub fn show(
        &self,
        only: (Option<u32>, Option<bool>),
        dates: &mut Dates,
        now: (i64, u32),
    ) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        let _ = writeln!(
            out,
            "Total events captured on [{}] : {}",
            date(dates, now),
            kept.total
        );
        for (number, fault) in kept
            .last
            .iter()
            .filter(|(_, fault)| only.0.is_none_or(|proxy| fault.proxy.1 == proxy))
            .filter(|(_, fault)| only.1.is_none_or(|response| fault.response == response))
        {
            out.push('\n');
            show_one(&mut out, *number, fault, dates);
        }
        out
    }
}

fn show_one(out: &mut String, number: u64, fault: &Captured, dates: &mut Dates) {
    let (kind, what) = if fault.response {
        ("backend", "response")
    } else {
        ("frontend", "request")
    };
    let (name, uuid) = (&fault.proxy.0, fault.proxy.1);
    let _ = writeln!(
        out,
        "[{}] {kind} {name} (#{uuid}): invalid {what}",
        date(dates, fault.date)
    );
    let server = fault.server.as_deref().unwrap_or("<NONE>");
    let src = fault
        .src
        .map_or_else(|| "unix".to_owned(), |src| src.to_string());
    let _ = writeln!(
        out,
        "  {}, server {server}, event #{number}, src {src}",
        fault.reason
    );
    let _ = writeln!(
        out,
        "  len {}, error at position {}:",
        fault.bytes.len(),
        fault.at
    );
    out.push_str("  \n");
    let mut position = 0;
    for line in fault.bytes.split_inclusive(|&byte| byte == b'\n') {
        for piece in line.chunks(64) {
            let _ = writeln!(out, "  {position:05}  {}", piece.escape_ascii());
            position += piece.len();
        }
    }
}

fn date(dates: &mut Dates, (secs, millis): (i64, u32)) -> String {
    let mut text = Vec::new();
    dates.log(secs, millis, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::date::Zone;

    #[test]
    fn the_last_fault_of_a_proxy_is_shown() {
        let faults = Faults::default();
        let fault = Captured {
            proxy: ("fe".to_owned(), 2),
            server: None,
            response: false,
            src: None,
            date: (0, 0),
            reason: "malformed method",
            at: 3,
            bytes: b"G T / HTTP/1.1\r\n".to_vec(),
        };
        faults.keep(fault.clone());
        faults.keep(fault);
        let text = faults.show((None, None), &mut Dates::new(Zone::UTC), (0, 0));
        assert!(text.contains("] : 2\n"), "{text}");
        assert_eq!(text.matches("frontend fe (#2)").count(), 1);
        let kept = |only| {
            let text = faults.show(only, &mut Dates::new(Zone::UTC), (0, 0));
            text.matches("frontend fe").count()
        };
        assert_eq!(kept((Some(2), Some(false))), 1);
        assert_eq!(kept((Some(3), None)), 0, "of another proxy");
        assert_eq!(kept((None, Some(true))), 0, "of responses");
        assert!(text.contains(r"  00000  G T / HTTP/1.1\r\n"));
    }
}
