//! The kinds a value can have, and which casts the language allows.

/// The kind of a value, or what a keyword says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A converter that takes whatever comes; a fetch whose kind shows only while it runs.
    Any,
    /// A converter that yields the kind it was given.
    Same,
    /// True or false.
    Bool,
    /// A signed integer.
    Int,
    /// An address of either family.
    Addr,
    /// An IPv4 address.
    Ip4,
    /// An IPv6 address.
    Ip6,
    /// Text.
    Str,
    /// Bytes.
    Bin,
    /// A request's method.
    Method,
}

impl Kind {
    /// The name HAProxy gives the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Any => "any",
            Kind::Same => "same",
            Kind::Bool => "bool",
            Kind::Int => "sint",
            Kind::Addr => "addr",
            Kind::Ip4 => "ipv4",
            Kind::Ip6 => "ipv6",
            Kind::Str => "str",
            Kind::Bin => "bin",
            Kind::Method => "meth",
        }
    }

    /// Whether a value of this kind can be used where `to` is wanted.
    #[must_use]
    pub fn casts_to(self, to: Kind) -> bool {
        use Kind::{Addr, Any, Bin, Bool, Int, Ip4, Ip6, Method, Same, Str};
        match (self, to) {
            (_, Any) | (Any, _) | (_, Same) | (Same, _) => true,
            (Bool, Bool | Int | Str) => true,
            (Int, Bool | Int | Addr | Ip4 | Ip6 | Str | Bin) => true,
            (Addr, Addr | Ip4 | Ip6 | Str | Bin) => true,
            (Ip4, Int | Addr | Ip4 | Ip6 | Str | Bin) => true,
            (Ip6, Addr | Ip4 | Ip6 | Str | Bin) => true,
            (Str, _) => true,
            (Bin, Str | Bin | Method) => true,
            (Method, Str | Bin | Method) => true,
            (Bool | Int | Addr | Ip4 | Ip6 | Bin | Method, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_in_samples() {
        assert!(Kind::Bool.casts_to(Kind::Str));
        assert!(!Kind::Bool.casts_to(Kind::Bin));
        assert!(!Kind::Ip6.casts_to(Kind::Int));
        assert!(Kind::Ip4.casts_to(Kind::Int));
        assert!(!Kind::Bin.casts_to(Kind::Ip4));
        assert!(!Kind::Method.casts_to(Kind::Int));
        assert!(Kind::Str.casts_to(Kind::Method));
    }
}
