//! How large a head may be, and how strictly it is read.

use crate::http::Head;

/// What a head may be. Every connection holds it twice: hence the narrow numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest head in bytes, the empty line included.
    pub head_bytes: u32,
    /// The most fields.
    pub fields: u16,
    /// `option accept-invalid-http-request`, `accept-invalid-http-response`: several spaces in the start line, targets with bytes above ASCII or a fragment, any text as Host, and Host beside another authority.
    pub relaxed: bool,
}

impl Limits {
    /// From `tune.bufsize`, `tune.maxrewrite` and `tune.http.maxhdr`.
    pub fn of(bufsize: usize, maxrewrite: usize, maxhdr: usize) -> Limits {
        // haproxy: maxhdr counts the empty line as a header.
        Limits {
            head_bytes: u32::try_from(bufsize.saturating_sub(maxrewrite)).unwrap_or(u32::MAX),
            fields: u16::try_from(maxhdr.saturating_sub(1)).unwrap_or(u16::MAX),
            relaxed: false,
        }
    }

    pub(super) fn longest(&self) -> usize {
        self.head_bytes as usize
    }

    pub(super) fn is_full(&self, head: &Head) -> bool {
        head.len() >= usize::from(self.fields)
    }
}

impl Default for Limits {
    /// HAProxy's defaults: a 16 kB buffer of which 1 kB is kept for rewriting, 101 fields with the end.
    fn default() -> Limits {
        Limits::of(16384, 1024, 101)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::whole;
    use super::super::{Fault, Kind, Progress, Reason};
    use super::*;

    #[test]
    fn the_limits_hold() {
        let limits = Limits {
            head_bytes: 40,
            fields: 2,
            relaxed: false,
        };
        let fits = "GET / HTTP/1.1\r\nA: bcdefghijklmnopqrs\r\n\r\n";
        assert_eq!(fits.len(), 41);
        assert!(whole(Kind::Request, limits, &fits.as_bytes()[..39]).is_ok());
        assert_eq!(
            whole(Kind::Request, limits, &fits.as_bytes()[..40]).map(|_| ()),
            Err(Fault::new(Reason::HeadTooLong, 40))
        );
        let exact = fits.replace("qrs", "rs");
        assert!(matches!(
            whole(Kind::Request, limits, exact.as_bytes()),
            Ok((Progress::Done { consumed: 40 }, _))
        ));
        let crowd = "GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n\r\n";
        assert_eq!(
            whole(Kind::Request, limits, crowd.as_bytes()).map(|_| ()),
            Err(Fault::new(Reason::TooManyFields, 24))
        );
    }
}
