//! Commands on stick tables.

use crate::stick::show::{self, FILTERS_MAX, Filter, Resume};
use crate::stick::{Datum, EntryRef, Table};
use crate::value::Value;

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row};
use crate::site::Level;

/// Who may change tables. haproxy: everybody who may give commands at all; here: not those of whom its manual says that no change
/// is allowed to them.
const CHANGES: Level = Level::Operator;

pub(super) const ROWS: &[Row] = &[
    row(
        "show table",
        "show table <table> [<filter>]*",
        "report table usage stats or dump this table's contents (filter: data/key)",
        Level::User,
        show_table,
    ),
    row(
        "clear table",
        "clear table <table> [<filter>]*",
        "remove an entry from a table (filter: data/key)",
        CHANGES,
        clear_table,
    ),
    row(
        "set table",
        "set table <table> key <k> [data.* <v>]*",
        "update or create a table entry's data",
        CHANGES,
        set_table,
    ),
];

/// The place of the table that the third word names.
fn find(call: &Call<'_>) -> Result<usize, Reply> {
    let name = call.word(2);
    let found = call
        .operator
        .tables()
        .iter()
        .position(|table| &**table.name() == name);
    found.ok_or_else(|| Reply::error("No such table"))
}

/// What the words after the table's name choose.
enum Choice {
    All,
    /// What `key` or `ptr` names, if it is there.
    One(Option<EntryRef>),
    Filters(Vec<Filter>),
}

fn choice(call: &Call<'_>, table: &Table, otherwise: &str) -> Result<Choice, Reply> {
    match call.word(3) {
        "" => Ok(Choice::All),
        "key" => {
            let key = key(call.word(4), table)?;
            Ok(Choice::One(table.find(&key, call.operator.now())))
        }
        "ptr" => Ok(Choice::One(Some(pointed(call.word(4), table)?))),
        word if word.starts_with("data.") => filters(&call.words[3..], table).map(Choice::Filters),
        _ => Err(Reply::error(otherwise)),
    }
}

fn filters(words: &[String], table: &Table) -> Result<Vec<Filter>, Reply> {
    let mut filters = Vec::new();
    for (at, part) in words.chunks(3).enumerate() {
        if at >= FILTERS_MAX {
            let (place, first) = (at * 3 + 4, &part[0]);
            return Err(Reply::error(format!(
                "Detected extra data in filter, {place}th word of input, after '{first}'"
            )));
        }
        let word = |at: usize| part.get(at).map_or("", String::as_str);
        let filter = Filter::parse(table, word(0), word(1), word(2));
        let number = at + 1;
        filters.push(filter.map_err(|why| Reply::error(format!("Filter entry #{number}: {why}")))?);
    }
    Ok(filters)
}

/// The entry that `show table` showed with this number in front.
fn pointed(text: &str, table: &Table) -> Result<EntryRef, Reply> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let shown = u64::from_str_radix(digits, 16);
    let shown = shown.map_err(|_| Reply::error("Pointer value expected"))?;
    show::at(table, shown).ok_or_else(|| Reply::error("No entry can be found matching ptr."))
}

/// A key as the table stores it.
fn key(text: &str, table: &Table) -> Result<Vec<u8>, Reply> {
    if text.is_empty() {
        return Err(Reply::error("Key value expected"));
    }
    let value = Value::str(text.as_bytes());
    let key = table.settings().kind.key(&value);
    key.map(|key| key.to_vec())
        .ok_or_else(|| Reply::error("Invalid key"))
}

fn show_table(call: &mut Call<'_>) -> Reply {
    if call.word(2).is_empty() {
        let mut out = Vec::new();
        for table in call.operator.tables() {
            show::head(table, &mut out);
        }
        return Reply::long(out);
    }
    let at = match find(call) {
        Ok(at) => at,
        Err(reply) => return reply,
    };
    let table = &call.operator.tables()[at];
    let mut head = Vec::new();
    show::head(table, &mut head);
    let filters = match choice(call, table, SHOW_USAGE) {
        Ok(Choice::All) => Vec::new(),
        Ok(Choice::Filters(filters)) => filters,
        Ok(Choice::One(None)) => return Reply::Done,
        Ok(Choice::One(Some(entry))) => {
            show::one(table, entry, call.operator.now(), &mut head);
            return Reply::Text(head);
        }
        Err(reply) => return reply,
    };
    Reply::Dump(Box::new(Entries {
        at,
        filters,
        from: Resume::default(),
        head,
        clear: false,
    }))
}

fn clear_table(call: &mut Call<'_>) -> Reply {
    if call.word(2).is_empty() {
        return Reply::error(CLEAR_USAGE);
    }
    let at = match find(call) {
        Ok(at) => at,
        Err(reply) => return reply,
    };
    let table = &call.operator.tables()[at];
    let filters = match choice(call, table, CLEAR_USAGE) {
        Ok(Choice::All) => Vec::new(),
        Ok(Choice::Filters(filters)) => filters,
        Ok(Choice::One(Some(entry))) if !table.forget(entry) => {
            return Reply::error("Entry currently in use, cannot remove");
        }
        Ok(Choice::One(_)) => return Reply::Done,
        Err(reply) => return reply,
    };
    let (from, head) = (Resume::default(), Vec::new());
    Reply::Dump(Box::new(Entries {
        at,
        filters,
        from,
        head,
        clear: true,
    }))
}

/// Entries that are written, or forgotten, some at a time.
struct Entries {
    at: usize,
    filters: Vec<Filter>,
    from: Resume,
    head: Vec<u8>,
    clear: bool,
}

impl Dump for Entries {
    fn next(&mut self, operator: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        out.append(&mut self.head);
        let now = operator.now();
        let Some(table) = operator.tables().get(self.at) else {
            return Piece::Last;
        };
        let next = match self.clear {
            true => show::clear(table, &self.filters, self.from, now),
            false => show::entries(table, &self.filters, self.from, now, out),
        };
        match next {
            Some(next) => {
                self.from = next;
                Piece::More
            }
            None => Piece::Last,
        }
    }
}

fn set_table(call: &mut Call<'_>) -> Reply {
    if call.word(2).is_empty() {
        return Reply::error(SET_USAGE);
    }
    let at = match find(call) {
        Ok(at) => at,
        Err(reply) => return reply,
    };
    let table = &call.operator.tables()[at];
    let now = call.operator.now();
    let changes = match call.word(3) {
        "key" | "ptr" => changes(call.words.get(5..).unwrap_or_default(), table),
        "" => return Reply::Done,
        word if word.starts_with("data.") => Err(Reply::error(CONTENT_USAGE)),
        _ => Err(Reply::error(SET_USAGE)),
    };
    let named = match call.word(3) {
        "ptr" => pointed(call.word(4), table),
        _ => key(call.word(4), table).and_then(|key| {
            // Nothing is entered for the sake of words that change nothing.
            let entry = changes.is_ok().then(|| table.enter(&key, now)).flatten();
            entry.ok_or_else(|| Reply::error("Unable to allocate a new entry"))
        }),
    };
    match (changes, named) {
        (Ok(changes), Ok(entry)) => {
            for (datum, element, value) in changes {
                table.set(entry, datum, element, value, now);
            }
            Reply::Done
        }
        (Err(reply), _) | (_, Err(reply)) => reply,
    }
}

/// What the pairs `data.<type> <value>` put into an entry.
fn changes(words: &[String], table: &Table) -> Result<Vec<(Datum, u32, u64)>, Reply> {
    let mut changes = Vec::new();
    for pair in words.chunks(2) {
        let Some((datum, element)) = show::parse_datum(&pair[0]) else {
            return Err(Reply::error(match pair[0].starts_with("data.") {
                true => "Unknown data type",
                false => "\"data.<type>\" followed by a value expected",
            }));
        };
        if table.settings().layout.find(datum).is_none() {
            return Err(Reply::error("Data type not stored in this table"));
        }
        let Some(value) = pair.get(1).and_then(|text| text.parse::<u64>().ok()) else {
            return Err(Reply::error("Require a valid integer value to store"));
        };
        changes.push((datum, element, value));
    }
    Ok(changes)
}

const SHOW_USAGE: &str = "Optional argument only supports \"data.<store_data_type>\" <operator> \
                          <value> or key <key> or ptr <ptr>";
const CLEAR_USAGE: &str = "Required arguments: <table> \"data.<store_data_type>\" <operator> \
                           <value> or <table> key <key> or <table> ptr <ptr>";
const SET_USAGE: &str = "Required arguments: <table> key <key> [data.<store_data_type> <value>]* \
                         or <table> ptr <ptr> [data.<store_data_type> <value>]*";
const CONTENT_USAGE: &str =
    "content-based lookup is only supported with the \"show\" and \"clear\" actions";

#[cfg(test)]
mod tests {
    use super::super::super::rig::{Process, ask, ask_in};
    use super::*;

    #[test]
    fn entries_are_set_shown_and_forgotten() {
        let mut process = Process::default();
        let mut asked = |line: &str| ask_in(&mut process, Level::Admin, &format!("{line}\n"));
        assert_eq!(
            asked("show table"),
            "# table: t, type: ip, size:100, used:0\n\n"
        );
        assert_eq!(asked("set table t key 1.1.1.1 data.gpc0 5"), "\n");
        assert!(
            asked("show table t").contains("key=1.1.1.1 use=0 exp="),
            "shown"
        );
        assert!(asked("show table t key 1.1.1.1").contains("gpc0=5"));
        assert!(!asked("show table t data.gpc0 gt 7").contains("gpc0=5"));
        assert_eq!(asked("clear table t key 1.1.1.1"), "\n");
        assert_eq!(
            asked("show table t"),
            "# table: t, type: ip, size:100, used:0\n\n"
        );
    }

    #[test]
    fn an_entry_is_named_by_what_was_shown_in_front_of_it() {
        let mut process = Process::default();
        let mut asked = |line: &str| ask_in(&mut process, Level::Admin, &format!("{line}\n"));
        asked("set table t key 1.1.1.1 data.gpc0 5");
        let shown = asked("show table t key 1.1.1.1");
        let line = shown.lines().nth(1).expect("an entry");
        let pointer = line.split(':').next().expect("its number").to_owned();
        assert_eq!(
            asked(&format!("set table t ptr {pointer} data.gpc0 6")),
            "\n"
        );
        assert!(asked(&format!("show table t ptr {pointer}")).contains("gpc0=6"));
        assert_eq!(asked(&format!("clear table t ptr {pointer}")), "\n");
        let gone = asked(&format!("show table t ptr {pointer}"));
        assert_eq!(gone, "No entry can be found matching ptr.\n\n");
    }

    #[test]
    fn mistakes_have_haproxys_words() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        assert_eq!(asked("show table zz"), "No such table\n\n");
        for (line, said) in [
            ("show table t zz", SHOW_USAGE),
            (
                "show table t ptr 0x77",
                "No entry can be found matching ptr.",
            ),
            ("show table t ptr", "Pointer value expected"),
            ("clear table", CLEAR_USAGE),
            ("set table t data.gpc0 gt 1", CONTENT_USAGE),
            (
                "show table t data.gpc0 eq 1 data.gpc0 zz 1",
                "Filter entry #2: Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"",
            ),
            (
                "show table t data.gpc0 gt",
                "Filter entry #1: Require a valid integer value to compare against",
            ),
        ] {
            assert_eq!(asked(line), format!("{said}\n\n"), "{line}");
        }
        assert_eq!(asked("show table t key 9.9.9.9"), "\n", "no such entry");
        assert_eq!(
            asked("set table t key 1.1.1.1 data.zz 1"),
            "Unknown data type\n\n"
        );
    }
}
