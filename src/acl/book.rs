//! The book of one proxy's named ACLs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::lang::{Cursor, Diag, Env, Span, Word, check_name};
use crate::pattern::Library;
use crate::sample::{Facts, NamedTests, Names, Places, Reader, Test};

use super::condition::{Verdict3, is_or};
use super::criterion::Criterion;
use super::{parse, predefined};

/// An ACL: criteria of which one has to be met.
#[derive(Debug)]
pub struct Acl {
    /// Its name; empty for an anonymous one.
    pub name: Arc<str>,
    /// Where it was first written.
    pub span: Span,
    /// Filled while the configuration is read: rules may come before the lines they refer to.
    written: Mutex<Vec<Criterion>>,
    /// What is tested, from the first test on.
    settled: OnceLock<Box<[Criterion]>>,
}

impl Acl {
    pub(super) fn new(name: &str, span: Span, first: Criterion) -> Arc<Acl> {
        Arc::new(Acl {
            name: Arc::from(name),
            span,
            written: Mutex::new(vec![first]),
            settled: OnceLock::new(),
        })
    }

    fn add(&self, criterion: Criterion) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push(criterion);
    }

    /// The criteria. Lines that add to the ACL after the first asking are not seen: ask when the
    /// configuration has been read.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        self.settled.get_or_init(|| {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *written).into_boxed_slice()
        })
    }

    /// Whether the facts meet one of the criteria.
    pub fn test<'a>(&'a self, facts: &'a Facts<'a>) -> Verdict3 {
        let mut verdict = Verdict3::Miss;
        for criterion in self.criteria() {
            verdict = verdict.or(criterion.test(facts));
            if verdict == Verdict3::Hit {
                break;
            }
        }
        verdict
    }

    /// Shows each criterion while the configuration is still being read.
    pub(super) fn each_written(&self, mut show: impl FnMut(&Criterion)) {
        if let Some(settled) = self.settled.get() {
            settled.iter().for_each(show);
            return;
        }
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.iter().for_each(&mut show);
    }

    /// Where any of the criteria can be tested.
    #[must_use]
    pub fn places(&self) -> Places {
        let mut places = Places::NONE;
        self.each_written(|c| places = places.or(c.expr.places()));
        places
    }

    /// Closes the names in the criteria.
    ///
    /// # Errors
    /// HAProxy's sentence about a name that nothing has.
    pub fn resolve(&self, names: &dyn Names) -> Result<(), Diag> {
        self.criteria().iter().try_for_each(|c| c.resolve(names))
    }

    /// Whether testing it changes something.
    #[must_use]
    pub fn acts(&self) -> bool {
        self.criteria().iter().any(|c| c.expr.acts())
    }
}

impl Test for Acl {
    fn holds(&self, facts: &Facts<'_>) -> Option<bool> {
        match self.test(facts) {
            Verdict3::Hit => Some(true),
            Verdict3::Miss => Some(false),
            Verdict3::NotYet => None,
        }
    }
}

/// The named ACLs of one proxy, and the library its patterns go to.
#[derive(Debug)]
pub struct Book {
    library: Arc<Library>,
    acls: Mutex<BTreeMap<Arc<str>, Arc<Acl>>>,
    /// The ACLs of the `defaults` section.
    base: Option<Box<Book>>,
    /// Whether a rule is read that comes from there: it sees the ACLs of its own section, and no other rule does.
    turned: AtomicBool,
}

impl Book {
    /// An empty book.
    #[must_use]
    pub fn new(library: Arc<Library>) -> Book {
        Book {
            library,
            acls: Mutex::default(),
            base: None,
            turned: AtomicBool::new(false),
        }
    }

    /// Adds the ACLs of the `defaults` section, for the rules that come from there.
    pub fn inherit(&mut self, base: Book) {
        self.base = Some(Box::new(base));
    }

    /// Turns to the ACLs that the next rule sees: with `inherited` to those of the `defaults` section.
    pub fn turn(&self, inherited: bool) {
        self.turned.store(inherited, Relaxed);
    }

    /// The page that is open.
    fn open(&self) -> &Book {
        match &self.base {
            Some(base) if self.turned.load(Relaxed) => base,
            _ => self,
        }
    }

    /// An empty book with an empty library in which every file is missing.
    #[must_use]
    pub fn without_files() -> Book {
        Book::new(Arc::new(Library::without_files()))
    }

    /// The library.
    #[must_use]
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// What reading expressions in this proxy may consult.
    #[must_use]
    pub fn reader<'a>(&'a self, env: &'a Env) -> Reader<'a> {
        Reader {
            library: &self.library,
            named: self,
            env,
        }
    }

    /// Reads the rest of a line `acl <name> <criterion> [flags] [patterns]`.
    ///
    /// # Errors
    /// HAProxy's sentence.
    pub fn define(&self, cur: &mut Cursor<'_>) -> Result<(), Diag> {
        let name = cur.expect("an ACL name and a criterion")?;
        check_name(name, "acl").map_err(|diag| Diag {
            message: diag.message.replace("in 'acl' name", "in acl name"),
            ..diag
        })?;
        if is_or(name) {
            return Err(Diag::alert(
                name.span,
                format!(
                    "acl name '{}' will never match. '{}' is used to express a logical disjunction within a condition.",
                    name.str(),
                    name.str().to_ascii_lowercase()
                ),
            ));
        }
        let words = cur.rest();
        let mut warnings = Vec::new();
        let criterion = parse::criterion(words, name.span, self.reader(cur.env()), &mut warnings)
            .map_err(|diag| {
            diag.within(&format!(
                "error detected while parsing ACL '{}' : ",
                name.str()
            ))
        })?;
        warnings.into_iter().for_each(|w| cur.warn(w));
        self.insert(name, criterion);
        Ok(())
    }

    fn insert(&self, name: &Word, criterion: Criterion) {
        let mut acls = self.acls.lock().unwrap_or_else(PoisonError::into_inner);
        match acls.get(name.str()) {
            Some(acl) => acl.add(criterion),
            None => {
                let acl = Acl::new(name.str(), name.span, criterion);
                acls.insert(Arc::clone(&acl.name), acl);
            }
        }
    }

    /// The ACL of this name, predefined ones included.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Arc<Acl>> {
        let open = self.open();
        let known = |name: &str| {
            let acls = open.acls.lock().unwrap_or_else(PoisonError::into_inner);
            acls.get(name).map(Arc::clone)
        };
        if let Some(acl) = known(name) {
            return Some(acl);
        }
        let words: Vec<Word> = predefined::find(name)?
            .iter()
            .map(|word| Word::new(*word, Span::default()))
            .collect();
        let env = Env::default();
        let mut warnings = Vec::new();
        let criterion =
            parse::criterion(&words, Span::default(), self.reader(&env), &mut warnings).ok()?;
        open.insert(&Word::new(name, Span::default()), criterion);
        known(name)
    }

    /// Every named ACL that was written or used, in the order of names.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Acl>> {
        let acls = self.acls.lock().unwrap_or_else(PoisonError::into_inner);
        let base = self.base.as_ref().map_or_else(Vec::new, |base| base.all());
        acls.values().map(Arc::clone).chain(base).collect()
    }

    /// Every name, for suggestions.
    #[must_use]
    pub fn names(&self) -> Vec<Arc<str>> {
        let acls = self
            .open()
            .acls
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        acls.keys().map(Arc::clone).collect()
    }
}

impl NamedTests for Book {
    fn named(&self, name: &str) -> Option<Arc<dyn Test>> {
        self.find(name).map(|acl| acl as Arc<dyn Test>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn define(book: &Book, line: &str) -> Result<(), String> {
        let words: Vec<Word> = line
            .split(' ')
            .map(|w| Word::new(w, Span::default()))
            .collect();
        let env = Env::default();
        let mut cur = Cursor::after(&words, 1, &env);
        book.define(&mut cur).map_err(|diag| diag.message)
    }

    #[test]
    fn lines_of_one_name_add_up() {
        let book = Book::without_files();
        define(&book, "acl a always_false").expect("legal");
        let early = book.find("a").expect("defined");
        define(&book, "acl a always_true").expect("legal");
        assert_eq!(early.test(&Facts::none()), Verdict3::Hit);
        assert_eq!(early.criteria().len(), 2);
        assert_eq!(book.all().len(), 1);
    }

    #[test]
    fn a_fetch_may_ask_for_named_acls() {
        let book = Book::without_files();
        define(&book, "acl yes always_true").expect("legal");
        let holds = |text: &str| {
            let place = crate::sample::Place::FrontRequest;
            let condition = crate::acl::Condition::parse_text(text, &book, place);
            condition.expect("legal").test(&Facts::none()) == Verdict3::Hit
        };
        assert!(holds("{ acl(yes) }"));
        assert!(holds("{ acl(yes,!FALSE) }"));
        assert!(!holds("{ acl(!yes) }"));
        assert!(!holds("{ str(a),when(!acl,yes) -m found }"));
        assert!(holds("{ str(a),when(acl,yes) -m found }"));
    }

    #[test]
    fn sentences_are_haproxys() {
        let book = Book::without_files();
        let error = |line: &str| define(&book, line).expect_err("refused");
        assert_eq!(
            error("acl x/ path y"),
            "character '/' is not permitted in acl name 'x/'."
        );
        assert_eq!(
            error("acl or path y"),
            "acl name 'or' will never match. 'or' is used to express a logical disjunction within a condition."
        );
        assert_eq!(
            error("acl a b c d"),
            "error detected while parsing ACL 'a' : unknown fetch method 'b' in ACL expression 'b'."
        );
        assert_eq!(
            error("acl x"),
            "error detected while parsing ACL 'x' : missing fetch method in ACL expression ''."
        );
    }
}
