//! `cache` sections: their keywords, and the limits they amount to.

use crate::lang::{Cursor, Diag, Keyword, Sections, Shape, Span};

/// A section as written.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Where it was named.
    pub span: Span,
    /// `total-max-size`, in bytes.
    pub total: Option<usize>,
    /// `max-object-size`
    pub object: Option<usize>,
    /// `max-age`, in seconds.
    pub age: u32,
    /// `process-vary`
    pub vary: bool,
    /// `max-secondary-entries`
    pub variants: usize,
    /// `early-hints`
    pub hints: EarlyHints,
}

/// The limits of a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all objects may take.
    pub total: usize,
    /// Bytes that one may take.
    pub object: usize,
    /// Seconds that one is kept at most.
    pub age: u32,
    /// Whether answers that vary are kept.
    pub vary: bool,
    /// How many variants of one address are kept.
    pub variants: usize,
    /// What is kept of answers' hints.
    pub hints: EarlyHints,
}

/// Whether hints outlive their answers, and in how much of the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyHints {
    /// Hundredths of the cache that hints without their answers may take; none: they are not kept.
    pub percent: usize,
    /// Whether nothing but hints is kept.
    pub only: bool,
}

impl EarlyHints {
    const OFF: EarlyHints = EarlyHints {
        percent: 0,
        only: false,
    };
}

const MEBIBYTE: usize = 1024 * 1024;
/// haproxy: the largest `total-max-size`, in megabytes.
const TOTAL_MAX: usize = 4095;
/// The share of the whole that an object may take unless `max-object-size` says otherwise.
const SHARE: usize = 256;
const AGE_DEFAULT: u32 = 60;
const VARIANTS_DEFAULT: usize = 10;
/// The share that hints may take beside whole answers unless `ratio` says otherwise.
const HINTS_PERCENT: usize = 10;

impl Draft {
    /// A section of which nothing was read yet.
    #[must_use]
    pub fn new(name: &str, span: Span) -> Draft {
        Draft {
            name: name.to_owned(),
            span,
            total: None,
            object: None,
            age: AGE_DEFAULT,
            vary: false,
            variants: VARIANTS_DEFAULT,
            hints: EarlyHints::OFF,
        }
    }

    /// What the section amounts to.
    ///
    /// # Errors
    /// The size is missing, or an object may be larger than half of it.
    pub fn limits(&self) -> Result<Limits, Diag> {
        let Some(total) = self.total else {
            let text = format!("Size not specified for cache '{}'", self.name);
            return Err(Diag::alert(self.span, text)
                .with_shape(Shape::Plain)
                .with_fix("total-max-size 4"));
        };
        let half = total / 2;
        let object = self.object.unwrap_or(total / SHARE);
        if object > half {
            let text = format!(
                "\"max-object-size\" is limited to an half of \"total-max-size\" => {half}"
            );
            return Err(Diag::alert(self.span, text).with_shape(Shape::Plain));
        }
        Ok(Limits {
            total,
            object,
            age: self.age,
            vary: self.vary,
            variants: self.variants,
            hints: self.hints,
        })
    }
}

/// The keywords of `cache` sections.
pub const KEYWORDS: &[Keyword<Draft>] = &[
    Keyword {
        name: "total-max-size",
        sections: Sections::CACHE,
        usage: "<megabytes>",
        doc: "How much memory the whole cache may take.",
        parse: |cur, draft| {
            let megabytes = cur.integer(1..=TOTAL_MAX)?;
            draft.total = Some(megabytes * MEBIBYTE);
            cur.end()
        },
    },
    Keyword {
        name: "max-object-size",
        sections: Sections::CACHE,
        usage: "<bytes>",
        doc: "The largest answer that is kept.",
        parse: |cur, draft| {
            draft.object = Some(cur.integer(1..=TOTAL_MAX * MEBIBYTE)?);
            cur.end()
        },
    },
    Keyword {
        name: "max-age",
        sections: Sections::CACHE,
        usage: "<seconds>",
        doc: "How long an answer is kept at most.",
        parse: |cur, draft| {
            draft.age = cur.integer(1..=u32::MAX)?;
            cur.end()
        },
    },
    Keyword {
        name: "process-vary",
        sections: Sections::CACHE,
        usage: "<on/off>",
        doc: "Keeps answers that vary with accept-encoding, referer or origin.",
        parse: |cur, draft| {
            draft.vary = switch(cur)?;
            cur.end()
        },
    },
    Keyword {
        name: "max-secondary-entries",
        sections: Sections::CACHE,
        usage: "<number>",
        doc: "How many variants of one address are kept.",
        parse: |cur, draft| {
            draft.variants = cur.integer(1..=usize::from(u16::MAX))?;
            cur.end()
        },
    },
    Keyword {
        name: "early-hints",
        sections: Sections::CACHE,
        usage: "{ on | off | only } [ ratio <percent> ]",
        doc: "Keeps the Link fields of answers that leave the cache, and sends them as 103 answers.",
        parse: |cur, draft| {
            draft.hints = hints(cur)?;
            cur.end()
        },
    },
];

fn hints(cur: &mut Cursor<'_>) -> Result<EarlyHints, Diag> {
    let choices = [
        ("on", Some((HINTS_PERCENT, false))),
        ("only", Some((100, true))),
        ("off", None),
    ];
    let kept = cur.choice("'on', 'off' or 'only'", &choices)?;
    let ratio = match cur.take("ratio") {
        true => Some(cur.integer(0..=100)?),
        false => None,
    };
    Ok(kept.map_or(EarlyHints::OFF, |(percent, only)| EarlyHints {
        percent: ratio.unwrap_or(percent),
        only,
    }))
}

fn switch(cur: &mut Cursor<'_>) -> Result<bool, Diag> {
    cur.choice("'on' or 'off'", &[("on", true), ("off", false)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(total: Option<usize>, object: Option<usize>) -> Draft {
        Draft {
            total,
            object,
            ..Draft::new("c", Span::default())
        }
    }

    #[test]
    fn sizes_follow_from_the_whole() {
        let limits = draft(Some(MEBIBYTE), None).limits().expect("legal");
        assert_eq!((limits.object, limits.age), (4096, 60));
        let said = |draft: Draft| draft.limits().expect_err("illegal").message;
        assert_eq!(
            said(draft(Some(MEBIBYTE), Some(600_000))),
            "\"max-object-size\" is limited to an half of \"total-max-size\" => 524288"
        );
        assert_eq!(said(draft(None, None)), "Size not specified for cache 'c'");
    }
}
