//! The keywords `compression` and `filter`, and the draft they fill.

use std::sync::Arc;

use crate::lang::{Cursor, Diag, Keyword, Sections, Span, quantity, suggest};
use crate::sample::Reader;

use super::Filters;
use super::bandwidth::Written;
use super::compression::{Compression, Direction};
use super::encoder::Algorithm;

/// What a proxy says about filters.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// `compression`, once a line of it was read.
    pub compression: Option<Compression>,
    /// `filter bwlim-…`.
    pub bandwidths: Vec<Written>,
    /// How many of those stand before `filter compression`; without that line, compression comes last.
    pub before_compression: Option<usize>,
    /// The `filter` lines, in the order of writing.
    pub attached: Vec<(Listed, Span)>,
}

/// What a `filter` line attaches, as far as its place among the others matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// What compresses responses.
    Compression,
    /// The cache of this name.
    Cache(Arc<str>),
    /// Anything else.
    Other,
}

impl Draft {
    /// What runs.
    ///
    /// # Errors
    /// HAProxy's sentence about the key of a shared limit.
    pub fn filters(&self, reader: Reader<'_>) -> Result<Filters, Diag> {
        let useful = |line: &&Compression| {
            !line.responses.algorithms.is_empty() || !line.requests.algorithms.is_empty()
        };
        let before = self.before_compression.unwrap_or(usize::MAX);
        let bandwidths = (0..).zip(&self.bandwidths).map(|(at, line)| {
            let line = line.compile(at >= before, reader)?;
            Ok(Arc::new(line))
        });
        Ok(Filters {
            bandwidths: bandwidths.collect::<Result<_, Diag>>()?,
            compression: self
                .compression
                .as_ref()
                .filter(useful)
                .cloned()
                .map(Arc::new),
        })
    }

    fn compression(&mut self) -> &mut Compression {
        self.compression.get_or_insert_with(|| Compression {
            response: true,
            ..Compression::default()
        })
    }
}

/// Every keyword of this room.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "compression",
        sections: Sections::PROXY,
        usage: "{ algo | algo-req | algo-res | type | type-req | type-res } <word>... | offload | direction <way> | minsize-req <size> | minsize-res <size>",
        doc: "Says which bodies are compressed and how.",
        parse: compression,
    },
    Keyword {
        name: "filter",
        sections: Sections::LISTEN,
        usage: "<name> [ <argument>... ]",
        doc: "Attaches a filter.",
        parse: filter,
    },
    Keyword {
        name: "filter-sequence",
        sections: Sections::LISTEN,
        usage: "{ request | response } <name>[,<name>...]",
        doc: "Accepted: there is one order of filters, and it is always in force.",
        parse: |cur, _| {
            let message = "'filter-sequence' has no effect: filters have one order here.";
            cur.warn(Diag::warning(cur.line_span(), message));
            cur.rest();
            Ok(())
        },
    },
];

fn compression(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let word = cur.next().map_or("", crate::lang::Word::str);
    let line = draft.compression();
    match word {
        "algo" | "algo-res" => algorithms(cur, &mut line.responses)?,
        "algo-req" => algorithms(cur, &mut line.requests)?,
        "type" | "type-res" => types(cur, &mut line.responses)?,
        "type-req" => types(cur, &mut line.requests)?,
        "minsize-res" => line.responses.size_min = size(cur)?,
        "minsize-req" => line.requests.size_min = size(cur)?,
        "offload" => line.offload = true,
        "direction" => {
            let (request, response) = cur.choice(
                "'request', 'response' or 'both'",
                &[
                    ("request", (true, false)),
                    ("response", (false, true)),
                    ("both", (true, true)),
                ],
            )?;
            (line.request, line.response) = (request, response);
        }
        _ => {
            return Err(cur.alert("'compression' expects 'algo', 'type' or 'offload'"));
        }
    }
    cur.end()
}

fn algorithms(cur: &mut Cursor<'_>, direction: &mut Direction) -> Result<(), Diag> {
    if cur.is_empty() {
        return Err(Diag::alert(
            cur.here(),
            "'compression' expects <algorithm>.",
        ));
    }
    while let Some(word) = cur.next() {
        let found = Algorithm::ALL.iter().find(|(name, _)| word.is(name));
        let Some((_, algorithm)) = found else {
            let nearest = suggest(word.str(), Algorithm::ALL.iter().map(|(name, _)| *name));
            let shown = word.shown();
            let diag = cur.alert(format!(
                "'compression' : '{shown}' is not a supported algorithm."
            ));
            return Err(match nearest {
                Some(nearest) => diag.with_fix(nearest),
                None => diag,
            });
        };
        direction.algorithms.push(*algorithm);
    }
    Ok(())
}

fn types(cur: &mut Cursor<'_>, direction: &mut Direction) -> Result<(), Diag> {
    if cur.is_empty() {
        return Err(Diag::alert(cur.here(), "'compression' expects <type>."));
    }
    let words = cur.rest();
    direction.types.extend(
        words
            .iter()
            .map(|word| word.bytes.clone().into_boxed_slice()),
    );
    Ok(())
}

pub(super) fn size(cur: &mut Cursor<'_>) -> Result<u64, Diag> {
    let word = cur.expect("a size")?;
    let size = quantity::size(&word.bytes);
    size.map(u64::from).map_err(|_| {
        let shown = word.shown();
        cur.alert(format!("'compression' : '{shown}' is not a size."))
    })
}

/// Filters that other programs have and this one refuses, and why.
const REFUSED: &[(&str, &str)] = &[
    ("spoe", "there is no SPOE"),
    ("fcgi-app", "there is no FastCGI"),
    ("opentracing", "there is no OpenTracing"),
];

fn filter(cur: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Diag> {
    let Some(word) = cur.next() else {
        return Err(Diag::alert(cur.here(), "missing argument for 'filter'."));
    };
    let mut what = Listed::Other;
    match word.str() {
        "compression" | "comp-res" => {
            what = Listed::Compression;
            draft.compression();
            let before = draft.bandwidths.len();
            draft.before_compression.get_or_insert(before);
        }
        "comp-req" => draft.compression().request = true,
        "cache" => {
            let name = cur.expect("a cache name after 'filter cache'")?;
            what = Listed::Cache(name.text()?.into());
        }
        "trace" => {
            cur.rest();
            let message = "'filter trace' has no effect: it shows HAProxy's internals.";
            cur.warn(Diag::notice(word.span, message));
        }
        name @ ("bwlim-in" | "bwlim-out") => {
            let line = Written::parse(cur, name == "bwlim-in")?;
            if draft
                .bandwidths
                .iter()
                .any(|other| other.name() == line.name())
            {
                let own = line.name();
                return Err(cur.alert(format!("bwlim filter '{own}' already declared")));
            }
            draft.bandwidths.push(line);
        }
        name => {
            let refused = REFUSED.iter().find(|(refused, _)| *refused == name);
            return Err(match refused {
                Some((_, why)) => cur.alert(format!(
                    "'filter' : '{name}' is not supported by sluice: {why}."
                )),
                None => cur.alert(format!(
                    "'filter' : unknown keyword '{}'. Registered keywords : bwlim-in bwlim-out \
                     cache comp-req comp-res compression trace",
                    word.shown()
                )),
            });
        }
    }
    draft.attached.push((what, cur.line_span()));
    cur.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, lexer};

    fn read(line: &str, draft: &mut Draft) -> Result<usize, String> {
        let env = Env::default();
        let words = lexer::read(line, &env).expect("a line");
        let row = KEYWORDS
            .iter()
            .find(|row| words[0].is(row.name))
            .expect("a keyword");
        let mut cur = Cursor::after(&words, 1, &env);
        (row.parse)(&mut cur, draft).map_err(|diag| diag.message)?;
        Ok(cur.into_warnings().len())
    }

    fn made(draft: &Draft) -> Filters {
        crate::sample::rig::with_reader(|reader| draft.filters(reader)).expect("legal")
    }

    #[test]
    fn compression_lines_add_up() {
        let mut draft = Draft::default();
        for line in [
            "compression algo gzip deflate",
            "compression type text/html text/plain",
            "compression offload",
            "compression minsize-res 1k",
            "filter compression",
        ] {
            assert_eq!(read(line, &mut draft), Ok(0), "{line}");
        }
        let filters = made(&draft);
        let line = filters.compression.expect("there");
        assert_eq!(
            line.responses.algorithms,
            [Algorithm::Gzip, Algorithm::Deflate]
        );
        assert_eq!(
            (line.responses.types.len(), line.responses.size_min),
            (2, 1024)
        );
        assert!(line.offload && line.response && !line.request);
    }

    #[test]
    fn a_filter_without_an_algorithm_does_nothing() {
        let mut draft = Draft::default();
        read("filter compression", &mut draft).expect("legal");
        assert!(made(&draft).is_empty());
    }

    #[test]
    fn limits_are_started_by_name() {
        let mut draft = Draft::default();
        read(
            "filter bwlim-out lim default-limit 1m default-period 1s",
            &mut draft,
        )
        .expect("legal");
        let filters = made(&draft);
        assert!(!filters.is_empty());
        let (rank, line) = filters.bandwidth("lim").expect("there");
        assert!(rank == 0 && !line.upload && !line.is_shared());
        assert!(filters.bandwidth("none").is_none());
    }

    #[test]
    fn compression_has_a_place_among_the_limits() {
        let own = "default-limit 1m default-period 1s";
        let mut draft = Draft::default();
        for line in [
            format!("filter bwlim-out before {own}"),
            "filter compression".to_owned(),
            "filter bwlim-out behind key src,ipmask(24) table t limit 1k min-size 10".to_owned(),
        ] {
            read(&line, &mut draft).expect("legal");
        }
        let filters = made(&draft);
        let behind = |name| {
            filters
                .bandwidth(name)
                .map(|(_, line)| line.behind_compression)
        };
        assert_eq!(
            (behind("before"), behind("behind")),
            (Some(false), Some(true))
        );
        let (_, shared) = filters.bandwidth("behind").expect("there");
        assert!(shared.is_shared() && (shared.limit, shared.size_min) == (1024, 10));
        draft.before_compression = None;
        let filters = made(&draft);
        assert!(
            filters
                .bandwidths
                .iter()
                .all(|line| !line.behind_compression)
        );
    }

    #[test]
    fn mistakes_and_refusals() {
        let wrong = |line: &str| read(line, &mut Draft::default()).expect_err("wrong");
        assert_eq!(
            wrong("compression algo foo"),
            "'compression' : 'foo' is not a supported algorithm."
        );
        assert_eq!(
            wrong("compression foo"),
            "'compression' expects 'algo', 'type' or 'offload'"
        );
        assert_eq!(
            wrong("compression algo"),
            "'compression' expects <algorithm>."
        );
        assert_eq!(wrong("compression type"), "'compression' expects <type>.");
        assert_eq!(
            wrong("filter spoe engine x config y"),
            "'filter' : 'spoe' is not supported by sluice: there is no SPOE."
        );
        let limit = |rest: &str| wrong(&format!("filter bwlim-in l {rest}"));
        for (rest, what) in [
            (
                "limit 1k default-period 1s",
                "cannot mix per-stream and shared parameter",
            ),
            ("key src", "<limit> option is missing"),
            ("limit 1k table t", "<key> option is missing"),
            ("default-limit 1k", "<default-period> option is missing"),
            (
                "default-period 1s default-limit 0",
                "<default-limit> option is missing",
            ),
            ("foo", "unknown option 'foo'"),
        ] {
            assert_eq!(limit(rest), format!("'bwlim-in' : {what}"));
        }
        let mut twice = Draft::default();
        let line = "filter bwlim-out l default-limit 1m default-period 1s";
        read(line, &mut twice).expect("legal");
        assert_eq!(
            read(line, &mut twice).expect_err("twice"),
            "bwlim filter 'l' already declared"
        );
        assert!(wrong("filter foo").starts_with("'filter' : unknown keyword 'foo'."));
        assert_eq!(read("filter trace name x", &mut Draft::default()), Ok(1));
    }
}
