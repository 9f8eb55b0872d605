//! The ways of matching.

use crate::value::Kind;

/// How a value is compared with patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// Matches whenever there is a value.
    Found,
    /// Matches when the value is true.
    Bool,
    /// The number is one of these, or within one of these ranges.
    Int,
    /// The address is within one of these networks.
    Ip,
    /// The bytes are these, written in hexadecimal.
    Bin,
    /// The length is one of these, or within one of these ranges.
    Len,
    /// The text is one of these.
    Str,
    /// The text contains one of these.
    Sub,
    /// A regular expression finds something in the text.
    Reg,
    /// The text begins with one of these.
    Beg,
    /// The text ends with one of these.
    End,
    /// One of these stands in the text between slashes.
    Dir,
    /// One of these stands in the text between slashes, dots, colons or question marks.
    Dom,
    /// The method is one of these.
    Method,
}

impl Match {
    /// The methods that `-m` knows, by their words.
    pub const WORDS: [(&'static str, Match); 13] = [
        ("found", Match::Found),
        ("bool", Match::Bool),
        ("int", Match::Int),
        ("ip", Match::Ip),
        ("bin", Match::Bin),
        ("len", Match::Len),
        ("str", Match::Str),
        ("sub", Match::Sub),
        ("reg", Match::Reg),
        ("beg", Match::Beg),
        ("end", Match::End),
        ("dir", Match::Dir),
        ("dom", Match::Dom),
    ];

    /// The method of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Match> {
        let (_, method) = Match::WORDS.iter().find(|(w, _)| *w == word)?;
        Some(*method)
    }

    /// The word of this method.
    #[must_use]
    pub fn word(self) -> &'static str {
        Match::WORDS
            .iter()
            .find(|(_, m)| *m == self)
            .map_or("meth", |(w, _)| w)
    }

    /// The method that fits a kind when none was asked for.
    #[must_use]
    pub fn of_kind(kind: Kind) -> Option<Match> {
        match kind {
            Kind::Bool => Some(Match::Bool),
            Kind::Int => Some(Match::Int),
            Kind::Addr | Kind::Ip4 | Kind::Ip6 => Some(Match::Ip),
            Kind::Str => Some(Match::Str),
            Kind::Bin => Some(Match::Bin),
            Kind::Method => Some(Match::Method),
            Kind::Any | Kind::Same => None,
        }
    }

    /// The kind the values are cast to before they are compared.
    #[must_use]
    pub fn wants(self) -> Kind {
        match self {
            Match::Found => Kind::Any,
            Match::Bool | Match::Int => Kind::Int,
            Match::Ip => Kind::Addr,
            Match::Bin => Kind::Bin,
            Match::Method => Kind::Method,
            Match::Len
            | Match::Str
            | Match::Sub
            | Match::Reg
            | Match::Beg
            | Match::End
            | Match::Dir
            | Match::Dom => Kind::Str,
        }
    }

    /// Whether patterns mean anything to it.
    #[must_use]
    pub fn takes_patterns(self) -> bool {
        !matches!(self, Match::Found | Match::Bool)
    }

    /// Whether `-i` changes anything.
    #[must_use]
    pub fn folds(self) -> bool {
        matches!(
            self,
            Match::Str
                | Match::Sub
                | Match::Reg
                | Match::Beg
                | Match::End
                | Match::Dir
                | Match::Dom
                | Match::Method
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_kinds() {
        assert_eq!(Match::named("beg"), Some(Match::Beg));
        assert_eq!(Match::named("foo"), None);
        assert_eq!(Match::Dom.word(), "dom");
        assert_eq!(Match::of_kind(Kind::Ip6), Some(Match::Ip));
        assert_eq!(Match::of_kind(Kind::Any), None);
        assert_eq!(Match::Len.wants(), Kind::Str);
    }
}
