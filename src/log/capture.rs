//! Captures: which parts of messages are kept for the log.
//!
//! `capture request header`, `capture response header`, `declare capture` and the `capture` action
//! declare slots; `capture cookie` names one cookie. The engine fills slots when a head is complete
//! and logs show them as `%hr` and `%hs`.

use crate::http::Head;
use crate::sample::Captures;

/// The slots of one direction, in order of declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaptureSlots {
    slots: Vec<Slot>,
    /// The first ones that inherited rules declared.
    inherited: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    /// The field whose value is kept; without one only rules fill the slot.
    field: Option<Box<[u8]>>,
    len_max: usize,
}

impl CaptureSlots {
    /// Declares a slot for a field's value, or one that rules fill, and tells its number.
    pub fn declare(&mut self, field: Option<&[u8]>, len_max: usize) -> usize {
        let field = field.map(|name| name.to_ascii_lowercase().into_boxed_slice());
        self.slots.push(Slot { field, len_max });
        self.slots.len() - 1
    }

    /// Declares a slot that an inherited rule fills: it was read before every line of the section's own.
    pub fn declare_inherited(&mut self, len_max: usize) -> usize {
        let field = None;
        self.slots.insert(self.inherited, Slot { field, len_max });
        self.inherited += 1;
        self.inherited - 1
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The most bytes slot `slot` keeps.
    #[must_use]
    pub fn len_max(&self, slot: usize) -> Option<usize> {
        self.slots.get(slot).map(|slot| slot.len_max)
    }

    /// The most bytes each slot keeps.
    #[must_use]
    pub fn lens(&self) -> Box<[usize]> {
        self.slots.iter().map(|slot| slot.len_max).collect()
    }

    /// Fills the slots from a message: of several fields of a name the last one counts.
    pub fn fill(&self, head: &Head, response: bool, captures: &dyn Captures) {
        for (at, slot) in self.slots.iter().enumerate() {
            let Some(value) = slot
                .field
                .as_deref()
                .and_then(|name| head.all(name).next_back())
            else {
                continue;
            };
            let value = &value[..value.len().min(slot.len_max)];
            match response {
                true => captures.store_response(at, value),
                false => captures.store_request(at, value),
            }
        }
    }
}

/// `capture cookie <name> len <length>`: the name may be the beginning of a cookie's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieCapture {
    /// The name, or its beginning.
    pub name: Box<[u8]>,
    /// The most bytes that are kept, name included.
    pub len_max: usize,
}

impl CookieCapture {
    /// The first cookie whose name begins so, as `name=value`, cut to length.
    #[must_use]
    pub fn find<'h>(&self, head: &'h Head, response: bool) -> Option<&'h [u8]> {
        let field: &[u8] = if response { b"set-cookie" } else { b"cookie" };
        let pairs = head.all(field).flat_map(|line| {
            // Attributes of a response's cookie are no cookies.
            let count = if response { 1 } else { usize::MAX };
            line.split(|b| *b == b';').take(count)
        });
        let found = pairs
            .map(<[u8]>::trim_ascii)
            .find(|pair| pair.starts_with(&self.name))?;
        Some(&found[..found.len().min(self.len_max)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    #[test]
    fn cookies_are_found_by_the_beginning_of_their_names() {
        let mut head = Head::new();
        head.set_request(b"GET", b"/", Version::Http11);
        head.push(b"cookie", b"a=1; SESSID=abcdef; b=2");
        let capture = CookieCapture {
            name: b"SESS"[..].into(),
            len_max: 10,
        };
        assert_eq!(capture.find(&head, false), Some(&b"SESSID=abc"[..]));
        assert_eq!(capture.find(&head, true), None);
        head.push(b"set-cookie", b"x=1; SESSID=no");
        head.push(b"set-cookie", b"SESSID=yes; path=/");
        assert_eq!(capture.find(&head, true), Some(&b"SESSID=yes"[..]));
    }

    #[test]
    fn slots_are_numbered_in_order() {
        let mut slots = CaptureSlots::default();
        assert_eq!(slots.declare(Some(b"Host"), 20), 0);
        assert_eq!(slots.declare(None, 5), 1);
        assert_eq!(slots.clone().declare_inherited(3), 0);
        assert_eq!(
            (slots.len(), slots.len_max(1), slots.len_max(2)),
            (2, Some(5), None)
        );
    }
}
