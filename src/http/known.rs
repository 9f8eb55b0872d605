//! Field names that the proxy treats by name, recognised once when a field enters a head.

macro_rules! known {
    ($($variant:ident = $name:literal,)*) => {
        /// A field name the proxy looks for often enough to compare one byte instead of a text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Known {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Known {
            /// The field that this lower-case name means.
            #[inline]
            pub fn of(name: &[u8]) -> Option<Known> {
                // The pattern match compiles to a switch over the length and then over bytes.
                known_match!(name; $($variant = $name,)*)
            }

            /// The lower-case name.
            pub const fn name(self) -> &'static str {
                match self { $(Known::$variant => $name,)* }
            }

            /// All of them, for tables and tests.
            pub const ALL: &'static [Known] = &[$(Known::$variant,)*];
        }
    };
}

macro_rules! known_match {
    ($subject:ident; $($variant:ident = $name:literal,)*) => {{
        $(const $variant: &[u8] = $name.as_bytes();)*
        match $subject { $($variant => Some(Known::$variant),)* _ => None }
    }};
}

#[expect(
    non_upper_case_globals,
    reason = "the macro names its byte patterns after the variants"
)]
mod list {
    known! {
        Host = "host",
        Connection = "connection",
        ContentLength = "content-length",
        TransferEncoding = "transfer-encoding",
        Upgrade = "upgrade",
        Expect = "expect",
        Te = "te",
        Trailer = "trailer",
        KeepAlive = "keep-alive",
        ProxyConnection = "proxy-connection",
        ProxyAuthenticate = "proxy-authenticate",
        ProxyAuthorization = "proxy-authorization",
        Date = "date",
        Server = "server",
        Cookie = "cookie",
        SetCookie = "set-cookie",
        XForwardedFor = "x-forwarded-for",
        XForwardedProto = "x-forwarded-proto",
        XOriginalTo = "x-original-to",
        Forwarded = "forwarded",
        Via = "via",
        Accept = "accept",
        AcceptEncoding = "accept-encoding",
        AcceptLanguage = "accept-language",
        AcceptRanges = "accept-ranges",
        Age = "age",
        ContentEncoding = "content-encoding",
        ContentType = "content-type",
        ContentRange = "content-range",
        CacheControl = "cache-control",
        Pragma = "pragma",
        Expires = "expires",
        Authorization = "authorization",
        WwwAuthenticate = "www-authenticate",
        Etag = "etag",
        IfNoneMatch = "if-none-match",
        IfModifiedSince = "if-modified-since",
        LastModified = "last-modified",
        Vary = "vary",
        Location = "location",
        Origin = "origin",
        Range = "range",
        UserAgent = "user-agent",
        Referer = "referer",
        SecWebsocketKey = "sec-websocket-key",
        SecWebsocketAccept = "sec-websocket-accept",
        StrictTransportSecurity = "strict-transport-security",
    }
}

pub use list::Known;

/// A set of known names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownSet(u64);

// One bit a name.
const _: () = assert!(Known::ALL.len() <= u64::BITS as usize);

impl KnownSet {
    /// Whether `known` is in the set.
    #[inline]
    pub fn has(self, known: Known) -> bool {
        self.0 & (1 << known as u8) != 0
    }

    /// Whether any of `names` is in the set.
    #[inline]
    pub fn has_any(self, names: &[Known]) -> bool {
        names.iter().any(|&known| self.has(known))
    }
}

impl KnownSet {
    /// Takes a name in.
    #[inline]
    pub(super) fn extend(&mut self, known: Option<Known>) {
        if let Some(known) = known {
            self.0 |= 1 << known as u8;
        }
    }

    /// Takes a name out.
    pub(super) fn remove(&mut self, known: Known) {
        self.0 &= !(1 << known as u8);
    }
}

impl FromIterator<Known> for KnownSet {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Known>>(names: I) -> KnownSet {
        KnownSet(
            names
                .into_iter()
                .fold(0, |set, known| set | 1 << known as u8),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_recognised_and_lower_case() {
        for &known in Known::ALL {
            assert_eq!(Known::of(known.name().as_bytes()), Some(known));
            assert_eq!(known.name(), known.name().to_ascii_lowercase());
        }
    }

    #[test]
    fn sets() {
        let set: KnownSet = [Known::Host, Known::StrictTransportSecurity]
            .into_iter()
            .collect();
        assert!(
            set.has(Known::Host) && set.has(Known::StrictTransportSecurity) && !set.has(Known::Te)
        );
        assert!(set.has_any(&[Known::Te, Known::Host]) && !set.has_any(&[Known::Te]));
    }

    #[test]
    fn near_misses_are_not() {
        for name in [
            "",
            "hos",
            "hosts",
            "Host",
            "content_length",
            "content-lengtH",
            "transfer-encoding ",
        ] {
            assert_eq!(Known::of(name.as_bytes()), None, "{name}");
        }
    }
}
