//! One keyword, one row: its name, where it may stand, how it is written, what it does, and the
//! function that reads it.
//!
//! A room exports `pub const KEYWORDS: &[Keyword<Draft>]` over its own draft. A [`Lift`] pairs such
//! a list with a lens into the draft of a whole section, so that a room never knows where its draft
//! lives; a [`Catalog`] finds a row by the words of a line, by hash. Parser, manual page,
//! completions and `-dK` all read the same rows.

use hashbrown::HashMap;

use super::cursor::Cursor;
use super::diag::Diag;
use super::span::Word;

/// A set of kinds of places a keyword may stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sections(u32);

impl Sections {
    /// `global`.
    pub const GLOBAL: Sections = Sections(1);
    /// `defaults`.
    pub const DEFAULTS: Sections = Sections(1 << 1);
    /// `frontend`, and the frontend half of `listen`.
    pub const FRONTEND: Sections = Sections(1 << 2);
    /// `backend`, and the backend half of `listen`.
    pub const BACKEND: Sections = Sections(1 << 3);
    /// `userlist`.
    pub const USERLIST: Sections = Sections(1 << 4);
    /// `resolvers`.
    pub const RESOLVERS: Sections = Sections(1 << 5);
    /// `peers`.
    pub const PEERS: Sections = Sections(1 << 6);
    /// `mailers`.
    pub const MAILERS: Sections = Sections(1 << 7);
    /// `cache`.
    pub const CACHE: Sections = Sections(1 << 8);
    /// `http-errors`.
    pub const HTTP_ERRORS: Sections = Sections(1 << 9);
    /// `ring`.
    pub const RING: Sections = Sections(1 << 10);
    /// `log-forward`.
    pub const LOG_FORWARD: Sections = Sections(1 << 11);
    /// `program`.
    pub const PROGRAM: Sections = Sections(1 << 12);
    /// `crt-store`.
    pub const CRT_STORE: Sections = Sections(1 << 13);
    /// A parameter of a `bind` line.
    pub const BIND: Sections = Sections(1 << 14);
    /// A parameter of a `server` or `default-server` line.
    pub const SERVER: Sections = Sections(1 << 15);
    /// `healthcheck`.
    pub const HEALTHCHECK: Sections = Sections(1 << 16);
    /// `log-profile`.
    pub const LOG_PROFILE: Sections = Sections(1 << 17);

    /// `defaults` and frontends.
    pub const FRONT: Sections = Sections::DEFAULTS.or(Sections::FRONTEND);
    /// `defaults` and backends.
    pub const BACK: Sections = Sections::DEFAULTS.or(Sections::BACKEND);
    /// Frontends and backends, not `defaults`; what a `listen` section is.
    pub const LISTEN: Sections = Sections::FRONTEND.or(Sections::BACKEND);
    /// Every proxy section.
    pub const PROXY: Sections = Sections::DEFAULTS.or(Sections::LISTEN);

    /// The words for the members.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [&str; 18] = [
            "global",
            "defaults",
            "frontend",
            "backend",
            "userlist",
            "resolvers",
            "peers",
            "mailers",
            "cache",
            "http-errors",
            "ring",
            "log-forward",
            "program",
            "crt-store",
            "bind",
            "server",
            "healthcheck",
            "log-profile",
        ];
        let member = move |(bit, name)| (self.0 & (1_u32 << bit) != 0).then_some(name);
        NAMES.into_iter().enumerate().filter_map(member)
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Sections) -> Sections {
        Sections(self.0 | other.0)
    }

    /// Whether the sets share a member.
    #[must_use]
    pub const fn meets(self, other: Sections) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether every member of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Sections) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A keyword of draft `D`.
pub struct Keyword<D: 'static> {
    /// The name, one word or several: `timeout connect`.
    pub name: &'static str,
    /// Where it may stand.
    pub sections: Sections,
    /// Its arguments as the manual writes them: `<time>`.
    pub usage: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Reads the arguments into the draft.
    pub parse: Parse<D>,
}

/// What reads a keyword's arguments into draft `D`.
pub type Parse<D> = fn(&mut Cursor<'_>, &mut D) -> Result<(), Diag>;

impl<D: 'static> Keyword<D> {
    /// A keyword of these sections.
    #[must_use]
    pub const fn of(
        sections: Sections,
        name: &'static str,
        usage: &'static str,
        doc: &'static str,
        parse: Parse<D>,
    ) -> Self {
        Keyword {
            name,
            sections,
            usage,
            doc,
            parse,
        }
    }

    /// A keyword of every proxy section.
    #[must_use]
    pub const fn of_proxies(
        name: &'static str,
        usage: &'static str,
        doc: &'static str,
        parse: Parse<D>,
    ) -> Self {
        Self::of(Sections::PROXY, name, usage, doc, parse)
    }

    /// A keyword of `global`.
    #[must_use]
    pub const fn of_global(
        name: &'static str,
        usage: &'static str,
        doc: &'static str,
        parse: Parse<D>,
    ) -> Self {
        Self::of(Sections::GLOBAL, name, usage, doc, parse)
    }

    /// The same where only these sections have it.
    #[must_use]
    pub const fn within(self, sections: Sections) -> Self {
        Keyword { sections, ..self }
    }
}

/// What a row says about itself, without its draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: &'static str,
    /// Where it may stand.
    pub sections: Sections,
    /// Its arguments.
    pub usage: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

/// A list of rows that write into a whole-section draft `T`.
pub trait Table<T>: Sync {
    /// What each row says about itself.
    fn entries(&self) -> Vec<Entry>;

    /// Has row `index` read its arguments into its part of `draft`.
    ///
    /// # Errors
    /// What the row refuses.
    fn parse(&self, index: usize, cur: &mut Cursor<'_>, draft: &mut T) -> Result<(), Diag>;
}

/// The rows of one room, and the lens that finds the room's draft in the whole.
pub struct Lift<D: 'static, T> {
    /// The room's rows.
    pub rows: &'static [Keyword<D>],
    /// Finds the room's draft.
    pub lens: fn(&mut T) -> &mut D,
}

impl<D, T> Table<T> for Lift<D, T> {
    fn entries(&self) -> Vec<Entry> {
        self.rows
            .iter()
            .map(|row| Entry {
                name: row.name,
                sections: row.sections,
                usage: row.usage,
                doc: row.doc,
            })
            .collect()
    }

    fn parse(&self, index: usize, cur: &mut Cursor<'_>, draft: &mut T) -> Result<(), Diag> {
        (self.rows[index].parse)(cur, (self.lens)(draft))
    }
}

/// Every keyword of one kind of section, found by hash.
pub struct Catalog<T: 'static> {
    tables: Vec<&'static dyn Table<T>>,
    entries: Vec<Entry>,
    /// By entry: its table and its index there.
    places: Vec<(usize, usize)>,
    names: HashMap<&'static str, Vec<usize>>,
    longest: usize,
}

/// A row that was found.
pub struct Found<'c, T: 'static> {
    /// What it says about itself.
    pub entry: Entry,
    /// How many words its name took.
    pub words: usize,
    table: &'c dyn Table<T>,
    index: usize,
}

impl<T> Found<'_, T> {
    /// Reads the arguments.
    ///
    /// # Errors
    /// What the row refuses.
    pub fn parse(&self, cur: &mut Cursor<'_>, draft: &mut T) -> Result<(), Diag> {
        self.table.parse(self.index, cur, draft)
    }
}

impl<T> Catalog<T> {
    /// Gathers the tables. Where two name the same keyword for the same section, the first wins.
    #[must_use]
    pub fn new(tables: &[&'static dyn Table<T>]) -> Catalog<T> {
        let mut catalog = Catalog {
            tables: tables.to_vec(),
            entries: Vec::new(),
            places: Vec::new(),
            names: HashMap::new(),
            longest: 1,
        };
        for (number, table) in tables.iter().enumerate() {
            for (index, entry) in table.entries().into_iter().enumerate() {
                let at = catalog.entries.len();
                catalog.names.entry(entry.name).or_default().push(at);
                catalog.longest = catalog.longest.max(entry.name.split(' ').count());
                catalog.entries.push(entry);
                catalog.places.push((number, index));
            }
        }
        catalog
    }

    /// The row with the longest name that `words` begin with, for a section in `place`.
    #[must_use]
    pub fn find(&self, words: &[Word], place: Sections) -> Option<Found<'_, T>> {
        let mut name = String::with_capacity(32);
        let mut best = None;
        for (count, word) in (1..=self.longest).zip(words) {
            if count > 1 {
                name.push(' ');
            }
            name.push_str(word.str());
            let hits = self.names.get(name.as_str()).map_or(&[][..], |v| v);
            let fits = |at: &&usize| self.entries[**at].sections.meets(place);
            if let Some(&at) = hits.iter().find(fits) {
                best = Some((at, count));
            }
        }
        let (at, words) = best?;
        let (number, index) = self.places[at];
        Some(Found {
            entry: self.entries[at],
            words,
            table: self.tables[number],
            index,
        })
    }

    /// Every row.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::{Env, Span};

    #[derive(Default)]
    struct Room {
        seen: String,
    }

    #[derive(Default)]
    struct Whole {
        room: Room,
    }

    const ROWS: &[Keyword<Room>] = &[
        Keyword {
            name: "timeout connect",
            sections: Sections::BACK,
            usage: "<time>",
            doc: "How long connecting may take.",
            parse: |cur, room| {
                room.seen = format!("connect {}", cur.expect("a time")?.shown());
                cur.end()
            },
        },
        Keyword {
            name: "timeout",
            sections: Sections::PROXY,
            usage: "",
            doc: "Any other timeout.",
            parse: |_, room| {
                room.seen = "other".into();
                Ok(())
            },
        },
    ];

    static LIFTED: Lift<Room, Whole> = Lift {
        rows: ROWS,
        lens: |whole| &mut whole.room,
    };

    fn read(text: &str, place: Sections) -> Option<String> {
        let words: Vec<Word> = text
            .split(' ')
            .map(|w| Word::new(w, Span::default()))
            .collect();
        let catalog = Catalog::new(&[&LIFTED]);
        let found = catalog.find(&words, place)?;
        let (env, mut whole) = (Env::default(), Whole::default());
        let mut cur = Cursor::after(&words, found.words, &env);
        found.parse(&mut cur, &mut whole).ok()?;
        Some(whole.room.seen)
    }

    #[test]
    fn the_longest_name_that_fits_the_place_is_found() {
        assert_eq!(
            read("timeout connect 5s", Sections::BACKEND).as_deref(),
            Some("connect 5s")
        );
        assert_eq!(
            read("timeout client 5s", Sections::BACKEND).as_deref(),
            Some("other")
        );
        assert_eq!(
            read("timeout connect 5s", Sections::FRONTEND).as_deref(),
            Some("other")
        );
        assert_eq!(
            read("timeout connect 5s", Sections::LISTEN).as_deref(),
            Some("connect 5s")
        );
        assert_eq!(read("timeout connect 5s", Sections::GLOBAL), None);
        assert_eq!(read("timeouts", Sections::BACKEND), None);
    }

    #[test]
    fn sets_of_sections() {
        assert!(Sections::PROXY.contains(Sections::LISTEN));
        assert!(!Sections::FRONT.contains(Sections::LISTEN));
        assert!(Sections::FRONT.meets(Sections::LISTEN));
        assert!(!Sections::GLOBAL.meets(Sections::PROXY));
        let names: Vec<_> = Sections::PROXY.or(Sections::SERVER).names().collect();
        assert_eq!(names, ["defaults", "frontend", "backend", "server"]);
    }
}
