//! Captured fields.

use super::Source;
use crate::log::style::{Guard, Pen, Style};

/// Appends the captures of one message, between braces or as a list; false where none are declared.
pub(super) fn captured(from: &Source<'_>, response: bool, list: bool, pen: &mut Pen<'_>) -> bool {
    let counts = from.record.captures;
    let count = if response {
        counts.response
    } else {
        counts.request
    };
    if count == 0 {
        return false;
    }
    let captures = from.facts.captures;
    let quote = pen.style.has(Style::QUOTE) && !list;
    let encoded = pen.style.is_encoded();
    let start = pen.out.len();
    if quote && !encoded {
        pen.out.push(b'"');
    }
    if !list {
        pen.out.push(b'{');
    }
    for slot in 0..count {
        let value = if response {
            captures.response(slot)
        } else {
            captures.request(slot)
        };
        if slot > 0 {
            pen.out.push(if list { b' ' } else { b'|' });
        }
        match (value, list && !encoded) {
            (value, true) => listed(pen, value.as_deref()),
            (Some(value), false) => pen.plain(Guard::Header, &value),
            (None, false) => {}
        }
    }
    if !list {
        pen.out.push(b'}');
    }
    if encoded {
        let text: Vec<u8> = pen.out.drain(start..).collect();
        pen.encoded_text(&text);
    } else if quote {
        pen.out.push(b'"');
    }
    true
}

/// One value of the common log format's list.
fn listed(pen: &mut Pen<'_>, value: Option<&[u8]>) {
    match value {
        Some(value) => pen.guarded(Guard::Header, Some(value)),
        None if pen.style.has(Style::QUOTE) => pen.out.extend_from_slice(b"\"\""),
        None => pen.out.push(b'-'),
    }
}
