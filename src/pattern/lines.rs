//! The lines of a list: one text, and where in it the keys and values stand.
//!
//! A file's bytes are kept as they were read; a line costs twenty bytes beside its text. Lines
//! added while the process runs make a list of their own (see [`super::layers`]).

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    key_start: u32,
    key_len: u32,
    value_start: u32,
    value_len: u32,
    /// The number of the line, unique in its reference.
    pub id: u32,
}

/// A list of lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    text: Vec<u8>,
    rows: Vec<Row>,
}

/// The longest text a list may have: positions are of 32 bits.
pub(super) const TEXT_LEN_MAX: usize = u32::MAX as usize;

impl Lines {
    /// The lines of a pattern file: one key each; blanks around it, empty lines and lines that
    /// begin with `#` are left out.
    #[must_use]
    pub fn of_patterns(text: Vec<u8>) -> Lines {
        Lines::scan(text, |_| None)
    }

    /// The lines of a map file: a key, blanks, a value.
    #[must_use]
    pub fn of_map(text: Vec<u8>) -> Lines {
        Lines::scan(text, |line| {
            line.iter().position(|b| matches!(b, b' ' | b'\t'))
        })
    }

    fn scan(text: Vec<u8>, key_end: impl Fn(&[u8]) -> Option<usize>) -> Lines {
        let mut lines = Lines {
            rows: Vec::with_capacity(text.len() / LINE_LEN_GUESS),
            text: Vec::new(),
        };
        let mut start = 0;
        while start < text.len() && start <= TEXT_LEN_MAX {
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |n| start + n);
            let line = text[start..end].trim_ascii();
            if !line.is_empty() && line[0] != b'#' {
                let first = end - text[start..end].trim_ascii_start().len();
                let key_len = key_end(line).unwrap_or(line.len());
                let value = line[key_len..].trim_ascii_start();
                lines.push_row(
                    first,
                    key_len,
                    first + line.len() - value.len(),
                    value.len(),
                );
            }
            start = end + 1;
        }
        lines.rows.shrink_to_fit();
        lines.text = text;
        lines
    }

    fn push_row(&mut self, key: usize, key_len: usize, value: usize, value_len: usize) {
        let id = self.rows.last().map_or(0, |row| row.id + 1);
        self.rows.push(Row {
            key_start: narrow(key),
            key_len: narrow(key_len),
            value_start: narrow(value),
            value_len: narrow(value_len),
            id,
        });
    }

    /// Appends a line, numbered after the last.
    pub fn push(&mut self, key: &[u8], value: &[u8]) {
        let id = self.rows.last().map_or(0, |row| row.id + 1);
        self.push_numbered(key, value, id);
    }

    /// Appends a line with a number of its own.
    pub fn push_numbered(&mut self, key: &[u8], value: &[u8], id: u32) {
        let start = self.text.len();
        self.text.extend_from_slice(key);
        self.text.extend_from_slice(value);
        self.rows.push(Row {
            key_start: narrow(start),
            key_len: narrow(key.len()),
            value_start: narrow(start + key.len()),
            value_len: narrow(value.len()),
            id,
        });
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The line at `index`.
    #[must_use]
    pub fn row(&self, index: u32) -> Row {
        self.rows[index as usize]
    }

    /// The index of the line with this number, where numbers grow along the list.
    #[must_use]
    pub fn position(&self, id: u32) -> Option<u32> {
        self.rows
            .binary_search_by_key(&id, |row| row.id)
            .ok()
            .map(narrow)
    }

    /// The key of the line at `index`.
    #[must_use]
    pub fn key(&self, index: u32) -> &[u8] {
        let row = &self.rows[index as usize];
        &self.text[row.key_start as usize..(row.key_start + row.key_len) as usize]
    }

    /// The value of the line at `index`.
    #[must_use]
    pub fn value(&self, index: u32) -> &[u8] {
        let row = &self.rows[index as usize];
        &self.text[row.value_start as usize..(row.value_start + row.value_len) as usize]
    }

    /// Every index.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = u32> + use<> {
        0..narrow(self.rows.len())
    }

    /// Every line as number, key and value.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
        self.indices()
            .map(|at| (self.row(at).id, self.key(at), self.value(at)))
    }
}

/// What a line of a file is expected to take, for the first reservation.
const LINE_LEN_GUESS: usize = 24;

/// A position as one of 32 bits; the scan stops where that would not fit.
pub(super) fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &Lines) -> Vec<(String, String)> {
        let text = |b: &[u8]| b.escape_ascii().to_string();
        lines.iter().map(|(_, k, v)| (text(k), text(v))).collect()
    }

    #[test]
    fn map_lines() {
        let lines = Lines::of_map(b"# no\n\n a.com  be1 \r\nb.com\tbe2 x\nc.com".to_vec());
        let want = [("a.com", "be1"), ("b.com", "be2 x"), ("c.com", "")];
        assert_eq!(
            rows(&lines),
            want.map(|(k, v)| (k.to_string(), v.to_string()))
        );
        assert_eq!(lines.row(2).id, 2);
    }

    #[test]
    fn pattern_lines_keep_their_blanks() {
        let lines = Lines::of_patterns(b"  a b \n#c\nd\n".to_vec());
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.key(0), b"a b");
    }

    #[test]
    fn lines_are_added() {
        let mut lines = Lines::default();
        lines.push(b"k", b"v");
        lines.push_numbered(b"l", b"", 9);
        lines.push(b"m", b"w");
        assert_eq!(lines.row(2).id, 10);
        assert_eq!((lines.key(2), lines.value(0)), (&b"m"[..], &b"v"[..]));
    }
}
