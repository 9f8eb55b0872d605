//! Where something was written: files, spans and words.
//!
//! A [`Span`] names one stretch of one line of one file; a [`Word`] is what the lexer made of it,
//! with quotes, escapes and variables resolved. [`Files`] keeps the text of every file that was
//! read, so that a diagnostic can show the line it talks about.
//!
//! Spans always point into the text as it was written, never into expanded text. Nothing here
//! reads a file: `config::load` does, and hands the bytes over.

use smallvec::SmallVec;
use std::borrow::Cow;

use super::diag::Diag;

/// A file of the configuration, in the order of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// A stretch of one line: `line` counts from 1, `start` and `end` are byte columns from 0, `end`
/// exclusive. The order is that of reading: file, line, column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: u32,
    /// The first byte's column, from 0.
    pub start: u32,
    /// The column after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from the start of `self` to the end of `other`, which stands on the same line.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            end: other.end.max(self.end),
            ..self
        }
    }

    /// The empty place just after this span: where something is missing.
    #[must_use]
    pub fn after(self) -> Span {
        Span {
            start: self.end,
            ..self
        }
    }

    /// How many columns the span covers.
    #[must_use]
    pub fn width(self) -> u32 {
        self.end.saturating_sub(self.start)
    }
}

/// The bytes of a word: most are short, and a configuration has hundreds of thousands.
pub(super) type Bytes = SmallVec<[u8; 16]>;

/// One word of a line, resolved, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// The word's bytes after quotes, escapes and variables.
    pub bytes: Bytes,
    /// Where it stands, quotes included.
    pub span: Span,
}

impl Word {
    /// A word with these bytes, written at `span`.
    pub fn new(bytes: impl AsRef<[u8]>, span: Span) -> Word {
        Word {
            bytes: Bytes::from_slice(bytes.as_ref()),
            span,
        }
    }

    /// The word as text for comparing with ASCII words; empty when it is not UTF-8, which equals
    /// no keyword. For messages use [`Word::shown`], for names [`Word::text`].
    #[must_use]
    pub fn str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or("")
    }

    /// The word as text for a message, foreign bytes replaced.
    #[must_use]
    pub fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The word as text, or a located error when it is not UTF-8.
    ///
    /// # Errors
    /// The word holds bytes that are no UTF-8 text.
    pub fn text(&self) -> Result<&str, Diag> {
        std::str::from_utf8(&self.bytes).map_err(|_| {
            Diag::alert(
                self.span,
                format!("'{}' is not valid UTF-8 text.", self.shown()),
            )
        })
    }

    /// Whether the word is exactly `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        *self.bytes == *text.as_bytes()
    }

    /// Where bytes `start..end` of the word were written: exact when the word was written plainly,
    /// the whole word when quotes, escapes or variables moved its bytes.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        if self.bytes.len() != self.span.width() as usize {
            return self.span;
        }
        let column = |at: usize| {
            self.span.start + u32::try_from(at.min(self.bytes.len())).unwrap_or(u32::MAX)
        };
        Span {
            start: column(start),
            end: column(end),
            ..self.span
        }
    }
}

/// The text of every file read, by [`FileId`].
#[derive(Debug, Default)]
pub struct Files {
    list: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    path: String,
    text: Vec<u8>,
    /// The offset at which each line begins; made once, when the file is added.
    lines: Vec<usize>,
}

impl Files {
    /// Adds a file and names it.
    pub fn add(&mut self, path: impl Into<String>, text: Vec<u8>) -> FileId {
        let mut lines = vec![0];
        lines.extend(memchr::memchr_iter(b'\n', &text).map(|at| at + 1));
        let id = FileId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source {
            path: path.into(),
            text,
            lines,
        });
        id
    }

    /// The path under which the file was given; empty for a file that was never added.
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.source(file).map_or("", |s| s.path.as_str())
    }

    /// The whole text of a file.
    #[must_use]
    pub fn text(&self, file: FileId) -> &[u8] {
        self.source(file).map_or(&[], |s| s.text.as_slice())
    }

    /// The bytes of line `line` (from 1), without its end.
    #[must_use]
    pub fn line(&self, file: FileId, line: u32) -> &[u8] {
        let Some(source) = self.source(file) else {
            return &[];
        };
        let index = (line as usize).wrapping_sub(1);
        let Some(&start) = source.lines.get(index) else {
            return &[];
        };
        let end = source
            .lines
            .get(index + 1)
            .map_or(source.text.len(), |next| next - 1);
        let bytes = &source.text[start..end];
        bytes.strip_suffix(b"\r").unwrap_or(bytes)
    }

    /// Every file in the order of loading.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &str)> {
        (0..)
            .map(FileId)
            .zip(self.list.iter().map(|s| s.path.as_str()))
    }

    fn source(&self, file: FileId) -> Option<&Source> {
        self.list.get(file.0 as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_and_without_their_ends() {
        let mut files = Files::default();
        let id = files.add("a.cfg", b"one\r\ntwo\n\nlast".to_vec());
        assert_eq!(files.line(id, 1), b"one");
        assert_eq!(files.line(id, 2), b"two");
        assert_eq!(files.line(id, 3), b"");
        assert_eq!(files.line(id, 4), b"last");
        assert_eq!(files.line(id, 5), b"");
        assert_eq!(files.line(id, 0), b"");
        assert_eq!(files.path(FileId(9)), "");
    }

    #[test]
    fn a_part_of_a_plain_word_is_exact() {
        let span = Span {
            start: 10,
            end: 15,
            line: 1,
            ..Span::default()
        };
        let plain = Word::new("a,b,c", span);
        assert_eq!((plain.part(2, 3).start, plain.part(2, 3).end), (12, 13));
        let quoted = Word::new("abc", span);
        assert_eq!(quoted.part(1, 2), span);
    }
}
