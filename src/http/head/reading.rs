//! Finding fields: by place, by name, by known name, and by the occurrence that HAProxy's fetches count.

use super::{Fields, Head};
use crate::http::{Known, KnownSet, Values};

impl Head {
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

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;
    use crate::http::{Method, Version};

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
}
