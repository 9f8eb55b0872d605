//! Commands on stick tables.

use crate::stick::Table;
use crate::stick::show::{self, Filter, Resume};
use crate::value::Value;

use super::super::operator::Operator;
use super::super::reply::{Dump, Piece, Reply};
use super::{Call, Row, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show table",
        "show table <table> [<filter>]*",
        "report table usage stats or dump this table's contents (filter: data/key)",
        Level::Operator,
        show_table,
    ),
    row(
        "clear table",
        "clear table <table> [<filter>]*",
        "remove an entry from a table (filter: data/key)",
        Level::Admin,
        clear_table,
    ),
    row(
        "set table",
        "set table <table> key <k> [data.* <v>]*",
        "update or create a table entry's data",
        Level::Admin,
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
    Key(Vec<u8>),
    Filters(Vec<Filter>),
}

fn choice(call: &Call<'_>, table: &Table) -> Result<Choice, Reply> {
    match call.word(3) {
        "" => Ok(Choice::All),
        "key" => key(call.word(4), table).map(Choice::Key),
        _ => {
            let mut filters = Vec::new();
            let words: Vec<&str> = call.words[3..].iter().map(String::as_str).collect();
            for part in words.chunks(3) {
                let [data, operator, value] = part else {
                    return Err(Reply::error(
                        "Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"",
                    ));
                };
                let filter = Filter::parse(table, data, operator, value);
                filters.push(filter.map_err(Reply::error)?);
            }
            Ok(Choice::Filters(filters))
        }
    }
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
    let filters = match choice(call, table) {
        Ok(Choice::All) => Vec::new(),
        Ok(Choice::Filters(filters)) => filters,
        Ok(Choice::Key(key)) => {
            show::entry(table, &key, call.operator.now(), &mut head);
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
        return Reply::error("\"table\" expected");
    }
    let at = match find(call) {
        Ok(at) => at,
        Err(reply) => return reply,
    };
    let table = &call.operator.tables()[at];
    let filters = match choice(call, table) {
        Ok(Choice::All) => Vec::new(),
        Ok(Choice::Filters(filters)) => filters,
        Ok(Choice::Key(key)) => {
            let now = call.operator.now();
            if let Some(entry) = table.find(&key, now)
                && !table.forget(entry)
            {
                return Reply::error("Entry currently in use, cannot remove");
            }
            return Reply::Done;
        }
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
    let at = match find(call) {
        Ok(at) => at,
        Err(reply) => return reply,
    };
    let table = &call.operator.tables()[at];
    if call.word(3) != "key" {
        return Reply::Done;
    }
    let key = match key(call.word(4), table) {
        Ok(key) => key,
        Err(reply) => return reply,
    };
    let words: Vec<&str> = call.words[5..].iter().map(String::as_str).collect();
    let mut changes = Vec::new();
    for pair in words.chunks(2) {
        let Some((datum, element)) = show::parse_datum(pair[0]) else {
            let known = pair[0].starts_with("data.");
            return Reply::error(if known {
                "Unknown data type"
            } else {
                "\"data.<type>\" followed by a value expected"
            });
        };
        if table.settings().layout.find(datum).is_none() {
            return Reply::error("Data type not stored in this table");
        }
        let Some(value) = pair.get(1).and_then(|text| text.parse::<u64>().ok()) else {
            return Reply::error("Require a valid integer value to store");
        };
        changes.push((datum, element, value));
    }
    let now = call.operator.now();
    let Some(entry) = table.enter(&key, now) else {
        return Reply::error("Unable to allocate a new entry");
    };
    for (datum, element, value) in changes {
        table.set(entry, datum, element, value, now);
    }
    Reply::Done
}

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
    fn mistakes_have_haproxys_words() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        assert_eq!(asked("show table zz"), "No such table\n\n");
        assert_eq!(
            asked("set table t key 1.1.1.1 data.zz 1"),
            "Unknown data type\n\n"
        );
    }
}
