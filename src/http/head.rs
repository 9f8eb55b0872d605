//! The head of one message: start line and fields over one arena.
//!
//! The parser of `proto::h1` (or an encoder of another protocol) fills a head, rules read and edit it, an emitter writes it out.
//! `clear` keeps the memory, so a connection that reuses its heads allocates nothing per message.
//!
//! Always true: each field stands in the arena as the line `name: value CRLF`, the start line likewise, so that what follows
//! one another unedited is written out in one copy; names are lower-case tokens; no value holds a control byte other than a
//! tab, because [`Head::push`] drops what a strict parser would refuse. Edits append a new line and forget the old one.
//!
//! It does not judge: framing, contradictions between fields and the limits on their number are the parser's.

use super::grammar::{self, TOKEN_LOWER};
use super::known::KnownSet;
use super::{Known, Method, Status, Values, Version};

/// The start line and fields of a message.
#[derive(Clone, Default)]
pub struct Head {
    text: Vec<u8>,
    line: Line,
    fields: Vec<Field>,
    /// The known names among the fields.
    known: KnownSet,
}

/// The start line; positions are into the arena.
#[derive(Clone, Copy, Default)]
enum Line {
    /// None: a block of trailers, or a head still empty.
    #[default]
    Absent,
    Request {
        method: Method,
        start: u32,
        method_len: u32,
        target_len: u32,
        version: Version,
    },
    Response {
        status: Status,
        start: u32,
        reason_len: u32,
        version: Version,
    },
}

/// One line of the arena: `name: value CRLF`.
#[derive(Clone, Copy)]
struct Field {
    start: u32,
    name_len: u32,
    value_len: u32,
    known: Option<Known>,
}

impl Field {
    fn name(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..(self.start + self.name_len) as usize]
    }

    fn value_start(self) -> usize {
        (self.start + self.name_len) as usize + COLON.len()
    }

    /// The value without the blanks around it, as whoever receives the line will read it.
    fn value(self, text: &[u8]) -> &[u8] {
        let start = self.value_start();
        let mut value = &text[start..start + self.value_len as usize];
        while let [blank, rest @ ..] = value
            && grammar::is_blank(*blank)
        {
            value = rest;
        }
        while let [rest @ .., blank] = value
            && grammar::is_blank(*blank)
        {
            value = rest;
        }
        value
    }

    fn end(self) -> usize {
        self.value_start() + self.value_len as usize + CRLF.len()
    }
}

/// Reading.
impl Head {
    /// An empty head.
    pub fn new() -> Head {
        Head::default()
    }

    /// An empty head with room for `text` bytes and `fields` fields.
    pub fn with_capacity(text: usize, fields: usize) -> Head {
        Head {
            text: Vec::with_capacity(text),
            line: Line::Absent,
            fields: Vec::with_capacity(fields),
            known: KnownSet::default(),
        }
    }

    /// Forgets the message, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.known = KnownSet::default();
        self.line = Line::Absent;
    }

    /// Becomes a copy of `other` in the memory at hand.
    pub fn copy_from(&mut self, other: &Head) {
        self.text.clear();
        self.text.extend_from_slice(&other.text);
        self.fields.clear();
        self.fields.extend_from_slice(&other.fields);
        self.known = other.known;
        self.line = other.line;
    }

    /// Whether the start line is a request's.
    pub fn is_request(&self) -> bool {
        matches!(self.line, Line::Request { .. })
    }

    /// Whether the start line is a response's.
    pub fn is_response(&self) -> bool {
        matches!(self.line, Line::Response { .. })
    }

    /// The request's method; [`Method::Other`] where there is none.
    #[inline]
    pub fn method(&self) -> Method {
        match self.line {
            Line::Request { method, .. } => method,
            Line::Response { .. } | Line::Absent => Method::Other,
        }
    }

    /// The method as written; empty outside requests.
    pub fn method_bytes(&self) -> &[u8] {
        match self.line {
            Line::Request {
                start, method_len, ..
            } => self.piece(start, method_len),
            Line::Response { .. } | Line::Absent => b"",
        }
    }

    /// The request's target as written; empty outside requests.
    pub fn target(&self) -> &[u8] {
        match self.line {
            Line::Request {
                start,
                method_len,
                target_len,
                ..
            } => self.piece(start + method_len + 1, target_len),
            Line::Response { .. } | Line::Absent => b"",
        }
    }

    /// The version of the start line; HTTP/1.1 where there is none.
    #[inline]
    pub fn version(&self) -> Version {
        match self.line {
            Line::Request { version, .. } | Line::Response { version, .. } => version,
            Line::Absent => Version::Http11,
        }
    }

    /// The response's status; 500 outside responses.
    #[inline]
    pub fn status(&self) -> Status {
        match self.line {
            Line::Response { status, .. } => status,
            Line::Request { .. } | Line::Absent => Status::new(500),
        }
    }

    /// The response's phrase; may be empty.
    pub fn reason(&self) -> &[u8] {
        match self.line {
            Line::Response {
                start, reason_len, ..
            } => self.piece(start + STATUS_PREFIX_LEN, reason_len),
            Line::Request { .. } | Line::Absent => b"",
        }
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields in order, as (lower-case name, value).
    #[inline]
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            text: &self.text,
            rest: self.fields.iter(),
        }
    }

    /// The name and value of the field at `index`.
    pub fn field(&self, index: usize) -> Option<(&[u8], &[u8])> {
        self.fields
            .get(index)
            .map(|field| (field.name(&self.text), field.value(&self.text)))
    }

    /// The value of the first field of this name, in any case.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.all(name).next()
    }

    /// The value of the first field of this known name.
    #[inline]
    pub fn get_known(&self, known: Known) -> Option<&[u8]> {
        self.all_known(known).next()
    }

    /// The values of all fields of this name, in any case, a line each.
    pub fn all<'a>(&'a self, name: &[u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> + Clone {
        self.fields
            .iter()
            .filter(move |field| field.name(&self.text).eq_ignore_ascii_case(name))
            .map(|field| field.value(&self.text))
    }

    /// The values of all fields of this known name, a line each.
    #[inline]
    pub fn all_known(&self, known: Known) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
        let fields = if self.known.has(known) {
            self.fields.as_slice()
        } else {
            &[]
        };
        fields
            .iter()
            .filter(move |field| field.known == Some(known))
            .map(|field| field.value(&self.text))
    }

    /// Which known names occur.
    #[inline]
    pub fn known_set(&self) -> KnownSet {
        self.known
    }

    /// The index of the first field of this name at or after `from`; for edits by place.
    pub fn find(&self, name: &[u8], from: usize) -> Option<usize> {
        let rest = self.fields.get(from..)?;
        rest.iter()
            .position(|field| field.name(&self.text).eq_ignore_ascii_case(name))
            .map(|at| at + from)
    }

    /// The comma-separated values of all fields of this name, as HAProxy's `hdr` walks them.
    pub fn values<'a>(&'a self, name: &[u8]) -> impl Iterator<Item = &'a [u8]> + Clone {
        self.all(name).flat_map(Values::of)
    }

    /// HAProxy's `hdr(name,occ)`: the `occ`-th comma-separated value from 1, counted from the end when negative, the last for 0.
    pub fn value_at(&self, name: &[u8], occ: i32) -> Option<&[u8]> {
        pick(self.values(name), occ)
    }

    /// HAProxy's `fhdr(name,occ)`: as [`Head::value_at`], each line being one value.
    pub fn line_at(&self, name: &[u8], occ: i32) -> Option<&[u8]> {
        pick(self.all(name), occ)
    }

    /// The number of bytes the head takes when written as HTTP/1, the empty line included.
    pub fn wire_len(&self) -> usize {
        let fields: usize = self
            .fields
            .iter()
            .map(|field| field.end() - field.start as usize)
            .sum();
        self.start_line().len() + fields + CRLF.len()
    }

    /// Appends what the head is on an HTTP/1 wire, without the empty line that ends it: lines that stand one behind the other are
    /// copied together, which in a head that nobody edited is all of them.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        let (mut from, len) = match self.line {
            Line::Absent => (0, 0),
            Line::Request { start, .. } | Line::Response { start, .. } => {
                (start as usize, self.start_line().len())
            }
        };
        let mut to = from + len;
        for field in &self.fields {
            if field.start as usize != to {
                out.extend_from_slice(&self.text[from..to]);
                from = field.start as usize;
            }
            to = field.end();
        }
        out.extend_from_slice(&self.text[from..to]);
    }

    /// The start line with its CRLF; empty where there is none.
    pub(crate) fn start_line(&self) -> &[u8] {
        match self.line {
            Line::Absent => b"",
            Line::Request {
                start,
                method_len,
                target_len,
                ..
            } => self.piece(start, method_len + target_len + REQUEST_LINE_EXTRA),
            Line::Response {
                start, reason_len, ..
            } => self.piece(start, STATUS_PREFIX_LEN + reason_len + 2),
        }
    }

    /// The field lines as they stand, in the fewest contiguous pieces.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.fields.as_slice();
        std::iter::from_fn(move || {
            let (first, tail) = rest.split_first()?;
            let mut end = first.end();
            rest = tail;
            while let Some((next, tail)) = rest.split_first()
                && next.start as usize == end
            {
                end = next.end();
                rest = tail;
            }
            Some(&self.text[first.start as usize..end])
        })
    }

    fn piece(&self, start: u32, len: u32) -> &[u8] {
        &self.text[start as usize..(start + len) as usize]
    }
}

/// Start lines.
impl Head {
    /// Makes this a request. What may not stand in a method or target is dropped; an emptied one becomes `GET` or `/`.
    pub fn set_request(&mut self, method: &[u8], target: &[u8], version: Version) {
        let start = self.text.len();
        self.text.extend(
            method
                .iter()
                .copied()
                .filter(|&byte| grammar::is_token_byte(byte)),
        );
        if self.text.len() == start {
            self.text.extend_from_slice(b"GET");
        }
        let method_len = self.text.len() - start;
        let method = Method::of(&self.text[start..]);
        self.text.push(b' ');
        let target_len = self.append_target(target);
        self.end_request_line(version);
        self.line = Line::Request {
            method,
            start: place(start),
            method_len: place(method_len),
            target_len: place(target_len),
            version,
        };
    }

    /// Makes this a request from a line that the caller has scanned: a token, one space, a target, one space, a version.
    #[inline]
    pub(crate) fn set_request_scanned(&mut self, line: &[u8], method_len: usize, version: Version) {
        let start = self.text.len();
        let target_end = line.len() - VERSION_LEN - 1;
        if line.ends_with(version.text().as_bytes()) {
            self.text.extend_from_slice(line);
            self.text.extend_from_slice(CRLF);
        } else {
            self.text.extend_from_slice(&line[..target_end]);
            self.end_request_line(version);
        }
        self.line = Line::Request {
            method: Method::of(&line[..method_len]),
            start: place(start),
            method_len: place(method_len),
            target_len: place(target_end - method_len - 1),
            version,
        };
    }

    /// Makes this a response from a line that the caller has scanned, if it is written as it would be here: a version, one
    /// space, three digits, one space, a phrase without blanks around it.
    #[inline]
    pub(crate) fn set_response_scanned(
        &mut self,
        line: &[u8],
        version: Version,
        status: Status,
    ) -> bool {
        let prefix_len = STATUS_PREFIX_LEN as usize;
        let Some((prefix, reason)) = line.split_at_checked(prefix_len) else {
            return false;
        };
        let plain = prefix.starts_with(version.text().as_bytes())
            && prefix.ends_with(b" ")
            && !reason.first().is_some_and(|&byte| grammar::is_blank(byte))
            && !reason.last().is_some_and(|&byte| grammar::is_blank(byte));
        if plain {
            let start = self.text.len();
            self.text.extend_from_slice(line);
            self.text.extend_from_slice(CRLF);
            self.line = Line::Response {
                status,
                start: place(start),
                reason_len: place(reason.len()),
                version,
            };
        }
        plain
    }

    /// Makes this a response; control bytes of the phrase are dropped.
    pub fn set_response(&mut self, version: Version, status: Status, reason: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(version.text().as_bytes());
        self.text.push(b' ');
        self.text.extend_from_slice(&status.digits());
        self.text.push(b' ');
        let reason_start = self.text.len();
        append_clean(&mut self.text, grammar::trim(reason));
        let reason_len = self.text.len() - reason_start;
        self.text.extend_from_slice(CRLF);
        self.line = Line::Response {
            status,
            start: place(start),
            reason_len: place(reason_len),
            version,
        };
    }

    /// Replaces the method of a request.
    pub fn set_method(&mut self, method: &[u8]) {
        if let Line::Request {
            start,
            method_len,
            target_len,
            version,
            ..
        } = self.line
        {
            let target = (start + method_len + 1) as usize;
            let line_start = self.text.len();
            self.text.extend(
                method
                    .iter()
                    .copied()
                    .filter(|&byte| grammar::is_token_byte(byte)),
            );
            if self.text.len() == line_start {
                self.text.extend_from_slice(b"GET");
            }
            let method_len = self.text.len() - line_start;
            let method = Method::of(&self.text[line_start..]);
            self.text.push(b' ');
            self.text
                .extend_from_within(target..target + target_len as usize);
            self.end_request_line(version);
            self.line = Line::Request {
                method,
                start: place(line_start),
                method_len: place(method_len),
                target_len,
                version,
            };
        }
    }

    /// Replaces the target of a request.
    pub fn set_target(&mut self, target: &[u8]) {
        if let Line::Request {
            method,
            start,
            method_len,
            version,
            ..
        } = self.line
        {
            let line_start = self.text.len();
            self.text
                .extend_from_within(start as usize..(start + method_len) as usize);
            self.text.push(b' ');
            let target_len = self.append_target(target);
            self.end_request_line(version);
            self.line = Line::Request {
                method,
                start: place(line_start),
                method_len,
                target_len: place(target_len),
                version,
            };
        }
    }

    /// Replaces the version of the start line.
    pub fn set_version(&mut self, version: Version) {
        let at = match &mut self.line {
            Line::Absent => return,
            Line::Request {
                version: now,
                start,
                method_len,
                target_len,
                ..
            } => {
                *now = version;
                (*start + *method_len + *target_len + 2) as usize
            }
            Line::Response {
                version: now,
                start,
                ..
            } => {
                *now = version;
                *start as usize
            }
        };
        self.text[at..at + VERSION_LEN].copy_from_slice(version.text().as_bytes());
    }

    /// Replaces the status of a response; without a phrase it takes the usual one.
    pub fn set_status(&mut self, status: Status, reason: Option<&[u8]>) {
        if let Line::Response { version, .. } = self.line {
            self.set_response(
                version,
                status,
                reason.unwrap_or(status.reason().as_bytes()),
            );
        }
    }

    fn append_target(&mut self, target: &[u8]) -> usize {
        let start = self.text.len();
        // Bytes above ASCII pass: the relaxed parser lets them in, and no parser splits a line at them.
        self.text.extend(
            target
                .iter()
                .copied()
                .filter(|&byte| byte > 0x20 && byte != 0x7f),
        );
        if self.text.len() == start {
            self.text.push(b'/');
        }
        self.text.len() - start
    }

    fn end_request_line(&mut self, version: Version) {
        self.text.push(b' ');
        self.text.extend_from_slice(version.text().as_bytes());
        self.text.extend_from_slice(CRLF);
    }
}

/// Edits of fields.
impl Head {
    /// Appends a field. The name is stored in lower case without what is no token byte, the value without control
    /// bytes but with its blanks, as HAProxy writes it; a name of which nothing remains adds nothing.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        if let Some(field) = self.append_line(name, value) {
            self.known.extend(field.known);
            self.fields.push(field);
        }
    }

    /// Appends a field of a known name.
    pub fn push_known(&mut self, known: Known, value: &[u8]) {
        self.push(known.name().as_bytes(), value);
    }

    /// Removes all fields of this name, then appends one: HAProxy's `set-header`.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.push(name, value);
    }

    /// As [`Head::set`] for a known name.
    pub fn set_known(&mut self, known: Known, value: &[u8]) {
        self.remove_known(known);
        self.push_known(known, value);
    }

    /// Removes all fields of this name; tells how many there were.
    pub fn remove(&mut self, name: &[u8]) -> usize {
        let (before, text) = (self.fields.len(), &self.text);
        self.fields
            .retain(|field| !field.name(text).eq_ignore_ascii_case(name));
        let gone = before - self.fields.len();
        if gone > 0 {
            self.take_stock();
        }
        gone
    }

    /// Removes all fields of this known name; tells how many there were.
    pub fn remove_known(&mut self, known: Known) -> usize {
        if !self.known.has(known) {
            return 0;
        }
        let before = self.fields.len();
        self.fields.retain(|field| field.known != Some(known));
        self.known.remove(known);
        before - self.fields.len()
    }

    /// Removes the field at `index`.
    pub fn remove_at(&mut self, index: usize) {
        if index < self.fields.len() {
            self.fields.remove(index);
            self.take_stock();
        }
    }

    /// Keeps the fields for which `keep(name, value)` holds; tells how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) -> usize {
        let before = self.fields.len();
        let text = &self.text;
        self.fields
            .retain(|field| keep(field.name(text), field.value(text)));
        let gone = before - self.fields.len();
        if gone > 0 {
            self.take_stock();
        }
        gone
    }

    /// Finds out anew which known names there are.
    fn take_stock(&mut self) {
        self.known = self.fields.iter().filter_map(|field| field.known).collect();
    }

    /// Replaces the value of the field at `index`, in its place among the others.
    pub fn replace_value(&mut self, index: usize, value: &[u8]) {
        let Some(&old) = self.fields.get(index) else {
            return;
        };
        let start = self.text.len();
        let old_start = old.start as usize;
        self.text
            .extend_from_within(old_start..old_start + old.name_len as usize + COLON.len());
        self.fields[index] = self.end_line(start, old.name_len, old.known, value);
    }

    /// Extends the last field pushed by a folded line, `more` beginning with its blanks. As HAProxy does, each byte of the
    /// fold (CR, LF, the blanks) becomes a space.
    pub(crate) fn fold(&mut self, more: &[u8]) {
        let Some(last) = self.fields.last_mut() else {
            return;
        };
        let text = grammar::trim(more);
        if text.is_empty() {
            return;
        }
        debug_assert_eq!(
            last.end(),
            self.text.len(),
            "a folded line follows the field it continues"
        );
        self.text
            .truncate(last.value_start() + last.value_len as usize);
        if last.value_len > 0 {
            let blanks = more
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            self.text
                .resize(self.text.len() + CRLF.len() + blanks, b' ');
        }
        append_clean(&mut self.text, text);
        last.value_len = place(self.text.len() - last.value_start());
        self.text.extend_from_slice(CRLF);
    }

    /// Appends a field that the caller has scanned: `name` is a token, `value` is trimmed and free of control bytes.
    #[inline]
    pub(crate) fn push_scanned(&mut self, name: &[u8], value: &[u8]) -> Option<Known> {
        debug_assert!(
            grammar::is_token(name) && value.iter().all(|&byte| grammar::is_value_byte(byte))
        );
        let start = self.text.len();
        self.text
            .reserve(name.len() + value.len() + COLON.len() + CRLF.len());
        self.text.extend_from_slice(name);
        for byte in &mut self.text[start..] {
            *byte = TOKEN_LOWER[*byte as usize];
        }
        let known = Known::of(&self.text[start..]);
        self.text.extend_from_slice(COLON);
        self.text.extend_from_slice(value);
        self.text.extend_from_slice(CRLF);
        self.fields.push(Field {
            start: place(start),
            name_len: place(name.len()),
            value_len: place(value.len()),
            known,
        });
        self.known.extend(known);
        known
    }

    /// Appends the line of a field as the caller has scanned it: a token of `name_len` bytes, a colon, one space, a value that is
    /// not empty, without control bytes and without blanks around it, CRLF.
    #[inline]
    pub(crate) fn push_line(&mut self, line: &[u8], name_len: usize) {
        debug_assert!(grammar::is_token(&line[..name_len]) && line.ends_with(CRLF));
        let start = self.text.len();
        self.text.extend_from_slice(line);
        let name = &mut self.text[start..start + name_len];
        for byte in name.iter_mut() {
            *byte = TOKEN_LOWER[*byte as usize];
        }
        let known = Known::of(name);
        let frame = COLON.len() + CRLF.len();
        self.known.extend(known);
        self.fields.push(Field {
            start: place(start),
            name_len: place(name_len),
            value_len: place(line.len() - name_len - frame),
            known,
        });
    }

    fn append_line(&mut self, name: &[u8], value: &[u8]) -> Option<Field> {
        let start = self.text.len();
        self.text.extend_from_slice(name);
        let mut fits = true;
        for byte in &mut self.text[start..] {
            *byte = TOKEN_LOWER[*byte as usize];
            fits &= *byte != 0;
        }
        if !fits {
            self.drop_nulls(start);
        }
        let name_len = self.text.len() - start;
        if name_len == 0 {
            return None;
        }
        let known = Known::of(&self.text[start..]);
        self.text.extend_from_slice(COLON);
        Some(self.end_line(start, place(name_len), known, value))
    }

    /// Takes the bytes that were no token bytes out of the name at the end of the arena.
    #[cold]
    fn drop_nulls(&mut self, start: usize) {
        let name: Vec<u8> = self.text.drain(start..).filter(|&byte| byte != 0).collect();
        self.text.extend_from_slice(&name);
    }

    fn end_line(
        &mut self,
        start: usize,
        name_len: u32,
        known: Option<Known>,
        value: &[u8],
    ) -> Field {
        let value_start = self.text.len();
        append_clean(&mut self.text, value);
        let value_len = place(self.text.len() - value_start);
        self.text.extend_from_slice(CRLF);
        Field {
            start: place(start),
            name_len,
            value_len,
            known,
        }
    }
}

/// Appends `value` without the control bytes that would end or poison a line. Blanks around it are written as they were given, and
/// read by nobody: a parser takes them for no part of the value.
fn append_clean(text: &mut Vec<u8>, value: &[u8]) {
    if grammar::find_control(value, 0) == value.len() {
        text.extend_from_slice(value);
    } else {
        let clean = value
            .iter()
            .copied()
            .filter(|&byte| grammar::is_value_byte(byte));
        text.extend(clean.skip_while(|&byte| grammar::is_blank(byte)));
    }
}

/// The `occ`-th item from 1, from the end when negative, the last for 0.
fn pick<'a>(mut values: impl Iterator<Item = &'a [u8]> + Clone, occ: i32) -> Option<&'a [u8]> {
    if occ > 0 {
        return values.nth(usize::try_from(occ).ok()? - 1);
    }
    let back = usize::try_from(occ.unsigned_abs().max(1)).ok()?;
    let count = values.clone().count();
    values.nth(count.checked_sub(back)?)
}

#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).expect("the arena of a head is bounded by buffers far below 4 GiB")
}

/// The fields of a head in order, as (lower-case name, value).
#[derive(Clone)]
pub struct Fields<'a> {
    text: &'a [u8],
    rest: std::slice::Iter<'a, Field>,
}

impl Fields<'_> {
    /// The known name of the field that `next` would yield.
    pub fn peek_known(&self) -> Option<Known> {
        self.rest.as_slice().first().and_then(|field| field.known)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.rest
            .next()
            .map(|field| (field.name(self.text), field.value(self.text)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl DoubleEndedIterator for Fields<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.rest
            .next_back()
            .map(|field| (field.name(self.text), field.value(self.text)))
    }
}

impl ExactSizeIterator for Fields<'_> {}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.start_line().escape_ascii())?;
        self.runs()
            .try_for_each(|run| write!(f, "{}", run.escape_ascii()))
    }
}

/// Two heads are equal when they would be written out alike.
impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.start_line() == other.start_line() && self.fields().eq(other.fields())
    }
}

impl Eq for Head {}

const CRLF: &[u8] = b"\r\n";
const COLON: &[u8] = b": ";
/// `HTTP/1.1`
const VERSION_LEN: usize = 8;
/// `HTTP/1.1 200 `
const STATUS_PREFIX_LEN: u32 = 13;
/// Two spaces, the version, CRLF.
const REQUEST_LINE_EXTRA: u32 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Head {
        let mut head = Head::new();
        head.set_request(b"GET", b"/a", Version::Http11);
        head.push(b"Host", b"example.org");
        head.push(b"X-Thing", b"one, two");
        head.push(b"x-thing", b"three");
        head
    }

    fn text(head: &Head) -> String {
        let mut out = head.start_line().to_vec();
        head.runs().for_each(|run| out.extend_from_slice(run));
        String::from_utf8(out).expect("test heads are ASCII")
    }

    #[test]
    fn an_unedited_head_is_one_piece() {
        let head = request();
        assert_eq!(head.runs().count(), 1);
        assert_eq!(
            text(&head),
            "GET /a HTTP/1.1\r\nhost: example.org\r\nx-thing: one, two\r\nx-thing: three\r\n"
        );
        assert_eq!(head.wire_len(), text(&head).len() + 2);
    }

    #[test]
    fn reading_back() {
        let head = request();
        assert_eq!(
            (head.method(), head.method_bytes(), head.target()),
            (Method::Get, b"GET".as_slice(), b"/a".as_slice())
        );
        assert_eq!(head.version(), Version::Http11);
        assert_eq!(head.get_known(Known::Host), Some(b"example.org".as_slice()));
        assert_eq!(head.get(b"X-THING"), Some(b"one, two".as_slice()));
        assert_eq!(head.all(b"x-thing").count(), 2);
        assert_eq!(head.find(b"X-Thing", 2), Some(2));
        assert_eq!(
            head.field(2),
            Some((b"x-thing".as_slice(), b"three".as_slice()))
        );
    }

    #[test]
    fn occurrences_count_as_haproxy_counts_them() {
        let head = request();
        let at = |occ| {
            head.value_at(b"x-thing", occ)
                .map(|v| v.escape_ascii().to_string())
        };
        assert_eq!(at(1).as_deref(), Some("one"));
        assert_eq!(at(3).as_deref(), Some("three"));
        assert_eq!(at(4), None);
        assert_eq!(at(0).as_deref(), Some("three"));
        assert_eq!(at(-1).as_deref(), Some("three"));
        assert_eq!(at(-3).as_deref(), Some("one"));
        assert_eq!(at(-4), None);
        assert_eq!(head.line_at(b"x-thing", 1), Some(b"one, two".as_slice()));
        assert_eq!(head.line_at(b"x-thing", -3), None);
        assert_eq!(at(i32::MIN), None);
    }

    #[test]
    fn start_line_edits_keep_the_rest() {
        let mut head = request();
        head.set_method(b"POST");
        head.set_target(b"/b?c");
        head.set_version(Version::Http10);
        assert_eq!(head.method(), Method::Post);
        assert!(text(&head).starts_with("POST /b?c HTTP/1.0\r\nhost: example.org\r\n"));
        assert!(!head.is_response());
        head.clear();
        head.set_response(Version::Http11, Status::OK, b"Fine");
        head.set_status(Status::new(404), None);
        assert_eq!(text(&head), "HTTP/1.1 404 Not Found\r\n");
        head.set_version(Version::Http10);
        head.set_status(Status::new(404), Some(b""));
        assert_eq!(text(&head), "HTTP/1.0 404 \r\n");
        assert_eq!(head.reason(), b"");
    }

    #[test]
    fn field_edits() {
        let mut head = request();
        head.replace_value(1, b"changed");
        assert_eq!(
            head.field(1),
            Some((b"x-thing".as_slice(), b"changed".as_slice()))
        );
        assert_eq!(
            text(&head),
            "GET /a HTTP/1.1\r\nhost: example.org\r\nx-thing: changed\r\nx-thing: three\r\n"
        );
        head.set(b"X-Thing", b"only");
        assert_eq!(head.all(b"x-thing").collect::<Vec<_>>(), [b"only"]);
        assert_eq!(head.remove_known(Known::Host), 1);
        assert_eq!(head.len(), 1);
        head.remove_at(0);
        head.remove_at(0);
        assert!(head.is_empty());
    }

    #[test]
    fn nothing_that_a_parser_refuses_gets_in() {
        let mut head = Head::new();
        head.set_request(b"G ET\r\n", b"/a b\r\nc\0\x7f", Version::Http11);
        head.push(b"na me:\r\n", b" \r\nx\r\nInjected: 1\0 \r\n");
        head.push(b"\r\n:", b"no name");
        head.push(b"empty", b"\r \n");
        assert_eq!(
            text(&head),
            "GET /abc HTTP/1.1\r\nname: xInjected: 1 \r\nempty: \r\n"
        );
        head.set_method(b" ");
        head.set_target(b"");
        head.replace_value(0, b"\x01\n");
        assert_eq!(text(&head), "GET / HTTP/1.1\r\nname: \r\nempty: \r\n");
        head.set(b"name", b" \ta: b\t ");
        assert_eq!(head.get(b"name"), Some(&b"a: b"[..]));
    }

    #[test]
    fn folding_joins_with_spaces() {
        let mut head = Head::new();
        head.push_scanned(b"A", b"b");
        head.fold(b" c ");
        head.push_scanned(b"Empty", b"");
        head.fold(b"  ");
        head.fold(b"\td");
        assert_eq!(text(&head), "a: b   c\r\nempty: d\r\n");
        head.push_scanned(b"e", b"f");
        assert_eq!(head.runs().count(), 1);
    }
}
