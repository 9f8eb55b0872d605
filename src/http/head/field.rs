//! One field as it stands in the arena, and the walk over all of them.
//!
//! Always true: a field spans its whole line, so that two which stand one behind the other can be written out together.

use super::{COLON, CRLF};
use crate::http::{Known, grammar};

/// One line of the arena: `name: value CRLF`.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) start: u32,
    pub(super) name_len: u32,
    pub(super) value_len: u32,
    pub(super) known: Option<Known>,
}

impl Field {
    pub(super) fn name(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..(self.start + self.name_len) as usize]
    }

    pub(super) fn value_start(self) -> usize {
        (self.start + self.name_len) as usize + COLON.len()
    }

    /// The value without the blanks around it, as whoever receives the line will read it.
    pub(super) fn value(self, text: &[u8]) -> &[u8] {
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

    pub(super) fn end(self) -> usize {
        self.value_start() + self.value_len as usize + CRLF.len()
    }
}

/// The fields of a head in order, as (lower-case name, value).
#[derive(Clone)]
pub struct Fields<'a> {
    pub(super) text: &'a [u8],
    pub(super) rest: std::slice::Iter<'a, Field>,
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
