//! Switches: the first of many conditions to hold, without testing each.
//!
//! A thousand `use_backend b if { hdr(host) name }` compare one expression with a thousand texts.
//! A [`Switch`] evaluates each such expression once and finds by hash the conditions it can open;
//! only those, and the conditions that cannot be found so, are tested, in the order of writing. The
//! outcome is that of testing one after the other.
//!
//! A condition is opened by hash when each of its alternatives begins with terms that change
//! nothing, among which one compares an expression of the request's head with texts and is not
//! negated.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use crate::pattern::Match;
use crate::sample::{Expr, Facts, Sampled, Walk};
use crate::value::{Kind, Value};

use super::condition::{Condition, Polarity, Term, Verdict3};
use super::criterion::Criterion;

/// An index over a list of conditions. Once somebody edits the words of any ACL the index is not
/// used: conditions are tested one after the other again.
#[derive(Debug, Default)]
pub struct Switch {
    groups: Vec<Group>,
    /// Conditions that are tested in any case, in order.
    always: Vec<u32>,
    len: usize,
    /// The counter of edits of ACL words, and what it was when the index was made.
    edits: Option<(Arc<AtomicU64>, u64)>,
}

/// Conditions that one expression opens.
#[derive(Debug)]
struct Group {
    /// The expression, of the first condition that has it.
    expr: Arc<Expr>,
    fold: bool,
    /// By the hash of a text: the conditions it opens, in order.
    doors: HashMap<u64, Vec<u32>>,
    /// Every condition of the group, in order.
    all: Vec<u32>,
}

/// How many conditions one evaluation may have to test before the index falls back to testing
/// one after the other.
const CANDIDATES_LEN: usize = 64;

/// The places of candidates.
type Candidates = smallvec::SmallVec<[u32; CANDIDATES_LEN]>;

impl Switch {
    /// An index over conditions; `None` stands for a rule without one, which holds always.
    #[must_use]
    pub fn new<'c>(conditions: impl IntoIterator<Item = Option<&'c Condition>>) -> Switch {
        let mut switch = Switch::default();
        for (place, condition) in conditions.into_iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            switch.len += 1;
            match condition.and_then(doors) {
                Some(doors) => doors.into_iter().for_each(|door| switch.open(place, door)),
                None => switch.always.push(place),
            }
        }
        switch
    }

    /// Whether testing through the index saves anything.
    #[must_use]
    pub fn pays(&self) -> bool {
        self.len - self.always.len() > 2 * self.groups.len()
    }

    fn open(&mut self, place: u32, door: Door<'_>) {
        let same = |g: &&mut Group| g.fold == door.fold && g.expr.text() == door.expr.text();
        if self.edits.is_none() {
            let counter = door.edits.map(Arc::clone);
            self.edits = counter.map(|c| {
                let at = c.load(Ordering::Acquire);
                (c, at)
            });
        }
        let group = match self.groups.iter_mut().find(same) {
            Some(group) => group,
            None => {
                self.groups.push(Group {
                    expr: Arc::new(door.expr.clone()),
                    fold: door.fold,
                    doors: HashMap::new(),
                    all: Vec::new(),
                });
                let last = self.groups.len() - 1;
                &mut self.groups[last]
            }
        };
        if group.all.last() != Some(&place) {
            group.all.push(place);
        }
        for text in door.texts {
            let places = group.doors.entry(hash(text, door.fold)).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }

    /// The first condition from `from` on that holds, or that cannot be told yet. `condition`
    /// gives the conditions the index was made of.
    pub fn first<'c>(
        &self,
        facts: &Facts<'_>,
        from: usize,
        condition: impl Fn(usize) -> Option<&'c Condition>,
    ) -> Option<(usize, Verdict3)> {
        let verdict = |place: usize| condition(place).map_or(Verdict3::Hit, |c| c.test(facts));
        let one_by_one = |from: usize| {
            (from..self.len)
                .map(|place| (place, verdict(place)))
                .find(|(_, v)| *v != Verdict3::Miss)
        };
        let edited = |(edits, at): &(Arc<AtomicU64>, u64)| edits.load(Ordering::Acquire) != *at;
        if self.edits.as_ref().is_some_and(edited) {
            return one_by_one(from);
        }
        let Some(candidates) = self.candidates(facts, from) else {
            return one_by_one(from);
        };
        let mut always = self.always[self.always.partition_point(|p| (*p as usize) < from)..]
            .iter()
            .copied()
            .peekable();
        let mut opened = candidates.iter().copied().peekable();
        loop {
            let place = match (always.peek(), opened.peek()) {
                (None, None) => return None,
                (Some(a), Some(b)) if a < b => always.next(),
                (Some(_), None) => always.next(),
                (_, Some(_)) => opened.next(),
            };
            let place = place? as usize;
            match verdict(place) {
                Verdict3::Miss => {}
                found => return Some((place, found)),
            }
        }
    }

    /// The conditions that the facts open, in order; `None` when there are too many of them to
    /// gather, or when it cannot be told yet.
    fn candidates(&self, facts: &Facts<'_>, from: usize) -> Option<Candidates> {
        let mut places = Candidates::new();
        for group in &self.groups {
            let mut walk = Walk::every();
            loop {
                match group.expr.step(facts, &mut walk) {
                    Sampled::Got(value) => {
                        if walk.open {
                            return None;
                        }
                        gather(group, value, from, &mut places)?;
                    }
                    Sampled::Absent => {}
                    Sampled::NotYet => return None,
                }
                if !walk.more {
                    break;
                }
            }
        }
        places.sort_unstable();
        places.dedup();
        Some(places)
    }
}

fn gather(group: &Group, value: Value<'_>, from: usize, places: &mut Candidates) -> Option<()> {
    let wanted = match value {
        Value::Method(_) => Some(value),
        other => other.cast(Kind::Str),
    };
    let Some(value) = wanted else { return Some(()) };
    let text = value.as_bytes().unwrap_or_default();
    let Some(opened) = group.doors.get(&hash(text, group.fold)) else {
        return Some(());
    };
    let opened = &opened[opened.partition_point(|p| (*p as usize) < from)..];
    if places.len() + opened.len() > CANDIDATES_LEN {
        return None;
    }
    places.extend_from_slice(opened);
    Some(())
}

/// One way into a condition: the texts an expression has to equal.
struct Door<'c> {
    expr: &'c Expr,
    fold: bool,
    texts: Vec<&'c [u8]>,
    edits: Option<&'c Arc<AtomicU64>>,
}

/// The ways into a condition, one an alternative; `None` when an alternative has none.
fn doors(condition: &Condition) -> Option<Vec<Door<'_>>> {
    if condition.polarity == Polarity::Unless {
        return None;
    }
    let per_suite = condition.suites.iter().map(|suite| {
        let quiet = suite.iter().take_while(|term| !term.acl.acts());
        quiet.filter(|term| !term.negated).find_map(door)
    });
    let lists = per_suite.collect::<Option<Vec<_>>>()?;
    Some(lists.into_iter().flatten().collect())
}

/// The ways into an ACL: all its criteria have to compare stable expressions with texts.
fn door(term: &Term) -> Option<Vec<Door<'_>>> {
    term.acl.criteria().iter().map(door_of).collect()
}

fn door_of(criterion: &Criterion) -> Option<Door<'_>> {
    let exact = matches!(criterion.method, Match::Str | Match::Method);
    if !exact || !criterion.expr.is_stable() {
        return None;
    }
    let lines = criterion.patterns()?;
    Some(Door {
        expr: &criterion.expr,
        fold: criterion.views.first()?.folds(),
        texts: lines.indices().map(|row| lines.key(row)).collect(),
        edits: criterion.views.first()?.reference().word_edits(),
    })
}

fn hash(text: &[u8], fold: bool) -> u64 {
    if !fold {
        return xxh3_64(text);
    }
    let mut folded: smallvec::SmallVec<[u8; 128]> = smallvec::SmallVec::from_slice(text);
    folded.make_ascii_lowercase();
    xxh3_64(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::Book;
    use crate::http::{Head, Version};
    use crate::sample::Place;

    fn head(host: &str, path: &str) -> Head {
        let mut head = Head::new();
        head.set_request(b"GET", path.as_bytes(), Version::Http11);
        head.push(b"host", host.as_bytes());
        head
    }

    #[test]
    fn it_agrees_with_testing_each() {
        let book = Book::without_files();
        let texts: Vec<String> = (0..300)
            .map(|n| match n % 7 {
                0 => format!("{{ hdr(host) -i h{n} }} {{ path_beg /{n} }}"),
                1 => format!("{{ path_beg /p{n}/ }}"),
                2 => format!("!{{ hdr(host) h{n} }} {{ path /q{n} }}"),
                3 => format!("{{ hdr(host) h{n} }} or {{ hdr(host) g{n} }}"),
                4 => format!("{{ path /x }} {{ hdr(host) h{n} k{n} }}"),
                _ => format!("{{ hdr(host) -i H{n} }}"),
            })
            .collect();
        let conditions: Vec<Condition> = texts
            .iter()
            .map(|t| Condition::parse_text(t, &book, Place::UseBackend).expect("legal"))
            .collect();
        let switch = Switch::new(conditions.iter().map(Some));
        assert!(switch.pays());
        for n in 0..310 {
            for (host, path) in [
                (format!("h{n}"), format!("/{n}/x")),
                (format!("H{n}"), format!("/p{n}/")),
                (format!("g{n}"), format!("/q{n}")),
                (format!("k{n}"), "/x".to_string()),
            ] {
                let head = head(&host, &path);
                let facts = Facts {
                    request: Some(&head),
                    ..Facts::none()
                };
                let plain = conditions
                    .iter()
                    .enumerate()
                    .map(|(at, c)| (at, c.test(&facts)))
                    .find(|(_, v)| *v != Verdict3::Miss);
                let quick = switch.first(&facts, 0, |at| conditions.get(at));
                assert_eq!(quick, plain, "{host} {path}");
                if let Some((at, _)) = plain {
                    let next = switch.first(&facts, at + 1, |at| conditions.get(at));
                    assert!(next.is_none_or(|(n, _)| n > at));
                }
            }
        }
    }

    #[test]
    fn edits_are_seen() {
        let book = Book::without_files();
        let condition = Condition::parse_text("{ hdr(host) a }", &book, Place::UseBackend);
        let condition = condition.expect("legal");
        let switch = Switch::new([Some(&condition)]);
        let head = head("b", "/");
        let facts = Facts {
            request: Some(&head),
            ..Facts::none()
        };
        assert_eq!(switch.first(&facts, 0, |_| Some(&condition)), None);
        let words = book.library().by_id(0).expect("the words");
        words.add(b"b", b"", None).expect("fits");
        assert_eq!(
            switch.first(&facts, 0, |_| Some(&condition)),
            Some((0, Verdict3::Hit))
        );
    }

    #[test]
    fn a_rule_without_condition_holds() {
        let switch = Switch::new([None]);
        assert_eq!(
            switch.first(&Facts::none(), 0, |_| None),
            Some((0, Verdict3::Hit))
        );
    }
}
