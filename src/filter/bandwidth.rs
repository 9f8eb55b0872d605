//! Bandwidth limitation as it is configured: `filter bwlim-in` and `bwlim-out`.
//!
//! A line is [`Written`] while the configuration is read and a [`Bandwidth`] once its expressions are; `set-bandwidth-limit`
//! starts a [`Limiter`](super::Limiter) from it for one stream. A limit is each stream's own, or shared by all whose key
//! is the same: then the bytes are counted in an entry of a stick table, where others may read them.

use std::sync::{Arc, OnceLock};

use crate::id::TableId;
use crate::lang::{Cursor, Diag, Shape, Unit, Word};
use crate::sample::{Expr, Facts, Names, Reader, Sampled};
use crate::stick::{self, Datum, Table};
use crate::time::Millis;

/// A `filter bwlim-in` or `bwlim-out` line.
#[derive(Debug)]
pub struct Bandwidth {
    /// Its name, by which `set-bandwidth-limit` starts it.
    pub name: Arc<str>,
    /// Whether it limits what comes from the client (`bwlim-in`).
    pub upload: bool,
    /// Whether the proxy's compression comes before it: the limit then holds for what that made.
    pub behind_compression: bool,
    /// `default-limit`, or `limit`: bytes a period.
    pub limit: u64,
    /// `min-size`: where the limit cuts what waits, no smaller pieces are made, so that a low limit makes no crumbs.
    pub size_min: u64,
    /// Whose limit it is.
    pub scope: Scope,
}

/// Who has a limit to itself.
#[derive(Debug)]
pub enum Scope {
    /// Each stream, with this `default-period`.
    Stream(Millis),
    /// All streams with the same `key`.
    Key(Shared),
}

/// The key of a shared limit, and the table that counts.
#[derive(Debug)]
pub struct Shared {
    key: Expr,
    table: Option<Arc<str>>,
    id: OnceLock<TableId>,
}

/// A line as it was written.
#[derive(Debug, Clone)]
pub struct Written {
    name: Arc<str>,
    upload: bool,
    limit: Option<u64>,
    period: Option<Millis>,
    size_min: u64,
    key: Vec<Word>,
    table: Option<Arc<str>>,
}

/// The words that end a key.
const OPTIONS: [&str; 6] = [
    "default-limit",
    "default-period",
    "min-size",
    "limit",
    "key",
    "table",
];

impl Written {
    /// Reads what follows `filter bwlim-…`.
    ///
    /// # Errors
    /// HAProxy's sentence about what is wrong or missing.
    pub(super) fn parse(cur: &mut Cursor<'_>, upload: bool) -> Result<Self, Diag> {
        let keyword = if upload { "bwlim-in" } else { "bwlim-out" };
        let wrong = |cur: &Cursor<'_>, what: &str| cur.alert(format!("'{keyword}' : {what}"));
        let word = cur.expect("a name")?;
        let mut line = Self {
            name: word.text()?.into(),
            upload,
            limit: None,
            period: None,
            size_min: 0,
            key: Vec::new(),
            table: None,
        };
        let (mut own, mut shared) = (false, false);
        while let Some(word) = cur.next() {
            match word.str() {
                "default-limit" => (own, line.limit) = (true, Some(super::keywords::size(cur)?)),
                "default-period" => (own, line.period) = (true, Some(cur.millis(Unit::Millis)?)),
                "limit" => (shared, line.limit) = (true, Some(super::keywords::size(cur)?)),
                "min-size" => line.size_min = super::keywords::size(cur)?,
                "table" => {
                    let name = cur.expect("a table name")?.text()?;
                    (shared, line.table) = (true, Some(name.into()));
                }
                "key" => {
                    shared = true;
                    let is_key = |word: &&Word| !OPTIONS.contains(&word.str());
                    while let Some(part) = cur.peek().filter(is_key) {
                        line.key.push(part.clone());
                        cur.skip(1);
                    }
                }
                other => return Err(wrong(cur, &format!("unknown option '{other}'"))),
            }
            if own && shared {
                return Err(wrong(cur, "cannot mix per-stream and shared parameter"));
            }
        }
        let missing = match shared {
            true if line.key.is_empty() => Some("key"),
            true if line.limit.is_none_or(|limit| limit == 0) => Some("limit"),
            false if line.period.is_none_or(Millis::is_zero) => Some("default-period"),
            false if line.limit.is_none_or(|limit| limit == 0) => Some("default-limit"),
            true | false => None,
        };
        match missing {
            Some(missing) => Err(wrong(cur, &format!("<{missing}> option is missing"))),
            None => Ok(line),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What runs.
    ///
    /// # Errors
    /// HAProxy's sentence about the key.
    pub(super) fn compile(
        &self,
        behind_compression: bool,
        reader: Reader<'_>,
    ) -> Result<Bandwidth, Diag> {
        let scope = match self.period {
            Some(period) => Scope::Stream(period),
            None => {
                let mut cur = Cursor::new(&self.key, reader.env);
                let key = Expr::parse(&mut cur, reader)?;
                cur.end()?;
                let (table, id) = (self.table.clone(), OnceLock::new());
                Scope::Key(Shared { key, table, id })
            }
        };
        Ok(Bandwidth {
            name: Arc::clone(&self.name),
            upload: self.upload,
            behind_compression,
            limit: self.limit.unwrap_or(1),
            size_min: self.size_min,
            scope,
        })
    }
}

impl Bandwidth {
    /// Whether the limit is shared through a table.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.scope, Scope::Key(_))
    }

    /// The rate that counts a shared limit's bytes.
    pub(super) fn datum(&self) -> Datum {
        if self.upload {
            Datum::BytesInRate
        } else {
            Datum::BytesOutRate
        }
    }

    /// Closes the names in the key, and finds the table.
    ///
    /// # Errors
    /// A name that nothing has, or a table that does not count the bytes.
    pub fn resolve(&self, names: &dyn Names, tables: &[Table]) -> Result<(), Diag> {
        let Scope::Key(shared) = &self.scope else {
            return Ok(());
        };
        shared.key.resolve(names)?;
        let (proxy, own) = (names.proxy(), &self.name);
        let table = shared.table.as_deref().unwrap_or(proxy);
        let alert = |what: String| {
            let text = format!("Proxy {proxy} : {what}");
            Diag::alert(shared.key.span(), text).with_shape(Shape::Plain)
        };
        let id = names.table(table).ok_or_else(|| {
            alert(format!(
                "unable to find table '{table}' referenced by bwlim filter '{own}'"
            ))
        })?;
        let datum = self.datum();
        let layout = &tables[id.index()].settings().layout;
        if layout.find(datum).is_none() {
            return Err(alert(format!(
                "stick-table '{table}' uses a data type incompatible with bwlim filter '{own}'. It must be '{}'",
                datum.row().name
            )));
        }
        let _ = shared.id.set(id);
        Ok(())
    }
}

impl Shared {
    /// The table, and the key of whoever the facts are about; nothing where there is none.
    #[must_use]
    pub fn key(&self, facts: &Facts<'_>, tables: &[Table]) -> Option<(TableId, stick::Key)> {
        let id = *self.id.get()?;
        let Sampled::Got(value) = self.key.eval(facts) else {
            return None;
        };
        let key = tables[id.index()].settings().kind.key(&value)?;
        Some((id, key))
    }
}
