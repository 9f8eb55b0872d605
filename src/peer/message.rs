//! Messages: a class, a type, and data where the type says so.

use super::number;

/// Bytes that the data of one message may take.
pub(super) const DATA_MAX: usize = 16 * 1024;
/// Types from here on carry data.
const CARRIES: u8 = 128;

/// The classes.
pub(super) mod class {
    pub(crate) const CONTROL: u8 = 0;
    pub(crate) const ERROR: u8 = 1;
    pub(crate) const TABLE: u8 = 10;
}

/// The types of class control.
pub(super) mod control {
    pub(crate) const REQUEST: u8 = 0;
    pub(crate) const FINISHED: u8 = 1;
    pub(crate) const PARTIAL: u8 = 2;
    pub(crate) const CONFIRM: u8 = 3;
    pub(crate) const HEARTBEAT: u8 = 4;
}

/// The types of class error.
pub(super) mod error {
    pub(crate) const PROTOCOL: u8 = 0;
    pub(crate) const SIZE: u8 = 1;
}

/// The types of class table.
pub(super) mod table {
    pub(crate) const UPDATE: u8 = 128;
    pub(crate) const NEXT_UPDATE: u8 = 129;
    pub(crate) const DEFINE: u8 = 130;
    pub(crate) const SWITCH: u8 = 131;
    pub(crate) const ACK: u8 = 132;
    pub(crate) const TIMED_UPDATE: u8 = 133;
    pub(crate) const NEXT_TIMED_UPDATE: u8 = 134;
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) class: u8,
    pub(super) kind: u8,
    pub(super) data: &'a [u8],
}

/// Takes a message off the front. None: it is not all here.
///
/// # Errors
/// It is too large to come whole.
pub(super) fn take<'a>(input: &mut &'a [u8]) -> Result<Option<Message<'a>>, ()> {
    let [class, kind, rest @ ..] = *input else {
        return Ok(None);
    };
    let mut rest = rest;
    let mut len = 0;
    if *kind >= CARRIES {
        let Some(said) = number::take(&mut rest) else {
            return Ok(None);
        };
        len = usize::try_from(said)
            .ok()
            .filter(|len| *len <= DATA_MAX)
            .ok_or(())?;
    }
    let Some((data, rest)) = rest.split_at_checked(len) else {
        return Ok(None);
    };
    *input = rest;
    Ok(Some(Message {
        class: *class,
        kind: *kind,
        data,
    }))
}

/// Appends a message.
pub(super) fn put(class: u8, kind: u8, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[class, kind]);
    if kind >= CARRIES {
        number::put(data.len() as u64, out);
        out.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_or_not_at_all() {
        let mut out = Vec::new();
        put(class::CONTROL, control::HEARTBEAT, b"", &mut out);
        put(class::TABLE, table::ACK, &[7; 300], &mut out);
        let mut rest = &out[..];
        let first = take(&mut rest).expect("legal").expect("whole");
        assert_eq!((first.class, first.kind), (0, 4));
        for cut in 0..rest.len() {
            assert_eq!(take(&mut &rest[..cut]), Ok(None));
        }
        let second = take(&mut rest).expect("legal").expect("whole");
        assert_eq!((second.data.len(), rest.len()), (300, 0));
        let mut large = vec![10, 128];
        number::put(1 << 20, &mut large);
        assert_eq!(take(&mut &large[..]), Err(()));
    }
}
