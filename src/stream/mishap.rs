//! What keeps a client's connection from its first byte: why it failed, and the line about it.
//!
//! Such a connection never becomes an exchange. Its line is `error-log-format`'s where there is one, else who and where and one
//! sentence; `option dontlognull` hides those that brought nothing.

use super::engine::Engine;
use super::front::Held;
use super::remark::Remark;
use super::upstream::failure;
use super::{Greeting, Kit};
use crate::id::FrontendId;
use crate::log::{Level, Origin};
use crate::mux::Fill;
use crate::proto::{netscaler, proxy};
use crate::slab::Key;
use crate::tls::Refusal;

/// Why a connection ended before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// It was closed while this was awaited, after so many bytes of it.
    Closed(Greeting, usize),
    /// It failed meanwhile.
    Broken(Greeting),
    /// This did not come in time.
    Late(Greeting),
    /// A header is longer than a buffer.
    Endless(Greeting),
    /// No PROXY header.
    Proxy(proxy::Refused),
    /// No NetScaler header.
    Netscaler(netscaler::Refused),
    /// A handshake that did not succeed.
    Handshake(Option<Refusal>),
}

impl Mishap {
    /// What reading ended with instead of more bytes.
    pub(super) fn of(fill: Fill, awaited: Greeting, held: usize) -> Option<Self> {
        match fill {
            Fill::Ended => Some(Self::Closed(awaited, held)),
            Fill::Failed => Some(Self::Broken(awaited)),
            Fill::Got | Fill::Blocked | Fill::Starved => None,
        }
    }

    /// HAProxy's number of it: `fc_err`.
    pub(super) fn number(self) -> u16 {
        use proxy::Refused;
        match self {
            Self::Closed(awaited, 0) => first(awaited),
            Self::Broken(awaited) => first(awaited) + 1,
            Self::Late(awaited) => first(awaited) + 2,
            Self::Closed(awaited, _) | Self::Endless(awaited) => match awaited {
                Greeting::Done | Greeting::Tls => first(awaited),
                Greeting::Proxy | Greeting::Netscaler { .. } => first(awaited) + 3,
            },
            Self::Proxy(Refused::NotAHeader) => 15,
            Self::Proxy(Refused::UnknownFamily) => 17,
            Self::Proxy(_) => 16,
            Self::Netscaler(netscaler::Refused::Magic) => 22,
            Self::Netscaler(_) => 23,
            Self::Handshake(refusal) => failure(refusal),
        }
    }

    /// Whether the peer brought nothing to judge.
    fn is_null(self) -> bool {
        match self {
            Self::Closed(_, bytes) => bytes == 0,
            Self::Broken(_) | Self::Late(_) => true,
            Self::Endless(_) | Self::Proxy(_) | Self::Netscaler(_) | Self::Handshake(_) => false,
        }
    }
}

/// The first of the numbers that HAProxy gives to what can happen meanwhile: closed, failed, late.
fn first(awaited: Greeting) -> u16 {
    match awaited {
        Greeting::Proxy => 11,
        Greeting::Netscaler { .. } => 18,
        Greeting::Done | Greeting::Tls => 24,
    }
}

impl Engine {
    /// Ends a client's connection that never came to a first byte, with a line about it.
    pub(super) fn fail_greeting(&mut self, key: Key<Held>, mishap: Mishap) {
        if let Some(frontend) = self.frontend_of(key) {
            self.kit.log_mishap(key, frontend, mishap);
        }
        self.kit.close(key);
    }
}

impl Kit {
    fn log_mishap(&mut self, key: Key<Held>, frontend: FrontendId, mishap: Mishap) {
        let site = self.site.clone();
        let own = site.frontend(frontend);
        let hidden = own.dont_log_null && mishap.is_null();
        if own.logging.is_silent() || hidden {
            return;
        }
        let level = match own.log_separate_errors {
            true => Level::Err,
            false => Level::Info,
        };
        let remark = Remark {
            origin: Origin::SessionError,
            error: mishap.number(),
            level,
            profile: None,
        };
        self.remark(key, frontend, remark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::connection_error;

    #[test]
    fn every_mishap_has_the_number_of_its_sentence() {
        let netscaler = Greeting::Netscaler { proxy: false };
        for (mishap, sentence) in [
            (
                Mishap::Closed(Greeting::Proxy, 0),
                "Connection closed while waiting for PROXY protocol header",
            ),
            (
                Mishap::Closed(Greeting::Proxy, 5),
                "Truncated PROXY protocol header received",
            ),
            (
                Mishap::Late(Greeting::Proxy),
                "Timeout while waiting for PROXY protocol header",
            ),
            (
                Mishap::Proxy(proxy::Refused::NotAHeader),
                "Received something which does not look like a PROXY protocol header",
            ),
            (
                Mishap::Proxy(proxy::Refused::TooShort),
                "Received an invalid PROXY protocol header",
            ),
            (
                Mishap::Late(netscaler),
                "Timeout while waiting for a NetScaler Client IP header",
            ),
            (
                Mishap::Closed(netscaler, 9),
                "Truncated NetScaler Client IP header received",
            ),
            (
                Mishap::Netscaler(netscaler::Refused::Magic),
                "Received an invalid NetScaler Client IP magic number",
            ),
            (
                Mishap::Closed(Greeting::Tls, 0),
                "Connection closed during SSL handshake",
            ),
            (Mishap::Late(Greeting::Tls), "Timeout during SSL handshake"),
            (Mishap::Handshake(None), "SSL handshake failure"),
        ] {
            assert_eq!(connection_error(mishap.number()), sentence, "{mishap:?}");
        }
    }
}
