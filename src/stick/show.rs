//! `show table`, `clear table` and `set table`: a table as text, and the filters that choose entries.

use super::datum::{Cell, Datum, Form};
use super::shard::{Entry, EntryRef};
use super::table::{Table, standing};
use crate::time::Tick;
use std::io::Write as _;

/// How many entries are written under one lock.
const ENTRIES_AT_ONCE: usize = 64;
/// Most filters of one command.
pub const FILTERS_MAX: usize = 4;

/// A comparison of a datum with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    datum: Datum,
    element: u32,
    operator: Operator,
    value: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    Le,
    Ge,
    Lt,
    Gt,
}

impl Filter {
    /// Reads `data.<name> <operator> <value>` for a table.
    ///
    /// # Errors
    /// The sentence the stats socket answers.
    pub fn parse(table: &Table, data: &str, operator: &str, value: &str) -> Result<Self, String> {
        let (datum, element) = parse_datum(data).ok_or("Unknown data type")?;
        let layout = &table.settings().layout;
        if layout.find(datum).is_none() || layout.cell(datum, element).is_none() {
            return Err("Data type not stored in this table".to_owned());
        }
        let operator = match operator {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "le" => Operator::Le,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "gt" => Operator::Gt,
            _ => return Err(OPERATORS.to_owned()),
        };
        let value = value
            .parse()
            .map_err(|_| "Require a valid integer value to compare against".to_owned())?;
        Ok(Self {
            datum,
            element,
            operator,
            value,
        })
    }

    fn takes(&self, table: &Table, entry: &Entry, now: Tick) -> bool {
        let Some(value) = value_of(table, entry, self.datum, self.element, now) else {
            return false;
        };
        match self.operator {
            Operator::Eq => value == self.value,
            Operator::Ne => value != self.value,
            Operator::Le => value <= self.value,
            Operator::Ge => value >= self.value,
            Operator::Lt => value < self.value,
            Operator::Gt => value > self.value,
        }
    }
}

const OPERATORS: &str = "Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"";

/// Reads `data.<name>`, an element of an array as `data.gpc[2]`.
#[must_use]
pub fn parse_datum(word: &str) -> Option<(Datum, u32)> {
    let name = word.strip_prefix("data.")?;
    let (name, element) = match name.split_once('[') {
        Some((name, rest)) => (name, rest.strip_suffix(']')?.parse().ok()?),
        None => (name, 0),
    };
    Some((Datum::named(name)?.datum, element))
}

/// Where a long output goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume(u32, u32);

/// The line that introduces a table.
pub fn head(table: &Table, out: &mut Vec<u8>) {
    let settings = table.settings();
    let (name, kind) = (table.name(), settings.kind.name());
    let (size, used) = (settings.size, table.used());
    // Writing to a vector cannot fail.
    let _ = writeln!(
        out,
        "# table: {name}, type: {kind}, size:{size}, used:{used}"
    );
}

/// Writes some entries that pass all filters; where to go on, none at the end.
pub fn entries(
    table: &Table,
    filters: &[Filter],
    from: Resume,
    now: Tick,
    out: &mut Vec<u8>,
) -> Option<Resume> {
    let next = table.visit((from.0, from.1), ENTRIES_AT_ONCE, |name, entry| {
        if filters.iter().all(|filter| filter.takes(table, entry, now)) {
            line(table, name, entry, now, out);
        }
    });
    next.map(|(shard, index)| Resume(shard, index))
}

/// The entry that a line of [`entries`] began with, if it is still there.
#[must_use]
pub fn at(table: &Table, shown: u64) -> Option<EntryRef> {
    let mut found = None;
    let mut from = (u32::try_from((shown >> 32) & 0xff).ok()?, 0);
    from.1 = u32::try_from((shown & 0xffff_ffff).checked_sub(1)?).ok()?;
    table.visit(from, 1, |name, _| {
        found = Some(name).filter(|name| pointer(*name) == shown);
    });
    found
}

/// The number that stands for an entry where HAProxy shows a pointer; never zero.
fn pointer(name: EntryRef) -> u64 {
    let id = (u64::from(name.generation) << 40) + (u64::from(name.shard) << 32);
    id + u64::from(name.index) + 1
}

/// Writes the entry of this name, if it is still there.
pub fn one(table: &Table, name: EntryRef, now: Tick, out: &mut Vec<u8>) {
    table.visit((name.shard, name.index), 1, |found, entry| {
        if found == name {
            line(table, found, entry, now, out);
        }
    });
}

/// Forgets some entries that pass all filters; where to go on, none at the end.
pub fn clear(table: &Table, filters: &[Filter], from: Resume, now: Tick) -> Option<Resume> {
    let mut chosen = Vec::new();
    let next = table.visit((from.0, from.1), ENTRIES_AT_ONCE, |name, entry| {
        if filters.iter().all(|filter| filter.takes(table, entry, now)) {
            chosen.push(name);
        }
    });
    for name in chosen {
        table.forget(name);
    }
    next.map(|(shard, index)| Resume(shard, index))
}

fn line(table: &Table, name: EntryRef, entry: &Entry, now: Tick, out: &mut Vec<u8>) {
    let settings = table.settings();
    let known = standing(entry, settings.expire, now);
    // Writing to a vector cannot fail.
    let _ = write!(out, "{:#x}: key=", pointer(name));
    settings.kind.show(&entry.key, out);
    let left = known.expires_in.map_or(0, |left| left.get());
    let _ = write!(out, " use={} exp={left} shard=0", known.trackers);
    for stored in settings.layout.in_order() {
        let row = stored.datum.row();
        for element in 0..stored.len {
            let base = row.name.trim_end_matches("_rate");
            let value = value_of(table, entry, stored.datum, element, now).unwrap_or(0);
            let period = stored.period.get();
            let _ = match row.form {
                Form::Number => write!(out, " {}={value}", row.name),
                Form::Numbers => write!(out, " {base}{element}={value}"),
                Form::Rate => write!(out, " {}({period})={value}", row.name),
                Form::Rates => write!(out, " {base}{element}_rate({period})={value}"),
                Form::Name => write!(out, " {}={}", row.name, name_of(table, entry, stored.datum)),
            };
        }
    }
    out.push(b'\n');
}

fn value_of(table: &Table, entry: &Entry, datum: Datum, element: u32, now: Tick) -> Option<u64> {
    let (cell, period) = table.settings().layout.cell(datum, element)?;
    match &entry.cells[cell] {
        Cell::Number(number) => Some(*number),
        Cell::Rate(rate) => Some(u64::from(rate.read(now, period))),
        Cell::Name(_) => None,
    }
}

fn name_of<'a>(table: &Table, entry: &'a Entry, datum: Datum) -> &'a str {
    let cell = table.settings().layout.cell(datum, 0);
    match cell.map(|(cell, _)| &entry.cells[cell]) {
        Some(Cell::Name(Some(name))) => name,
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stick::table::Event;
    use crate::stick::table::tests::table;

    const NOW: Tick = Tick::from_millis(1_000);

    fn filled() -> Table {
        let data = [
            (Datum::HttpReqRate, 10_000),
            (Datum::Gpt0, 0),
            (Datum::ServerKey, 0),
        ];
        let table = table(100, Some(60_000), &data);
        for (key, tag) in [(&b"a b"[..], 5), (b"cccc", 7), (b"dd", 9)] {
            let entry = table.enter(key, NOW).expect("room");
            table.set(entry, Datum::Gpt0, 0, tag, NOW);
            table.note(entry, Event::Request, NOW);
        }
        table
    }

    fn shown(table: &Table, filters: &[Filter]) -> Vec<String> {
        let mut out = Vec::new();
        let mut from = Some(Resume::default());
        while let Some(place) = from {
            from = entries(table, filters, place, NOW, &mut out);
        }
        let text = String::from_utf8(out).expect("text");
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned())
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn entries_are_written_in_haproxys_order_of_data() {
        let table = filled();
        let mut out = Vec::new();
        head(&table, &mut out);
        assert_eq!(out, b"# table: t, type: string, size:100, used:3\n");
        assert_eq!(
            shown(&table, &[])[0],
            "key=a\\ b use=0 exp=60000 shard=0 gpt0=5 http_req_rate(10000)=1 server_key=-"
        );
        let mut one = Vec::new();
        let named = table.find(b"dd", NOW).expect("it is there");
        super::one(&table, named, NOW, &mut one);
        assert!(String::from_utf8_lossy(&one).contains("key=dd "));
        assert_eq!(one.iter().filter(|&&b| b == b'\n').count(), 1);
    }

    #[test]
    fn filters_choose() {
        let table = filled();
        let filter = |operator, value| Filter::parse(&table, "data.gpt0", operator, value);
        let above = filter("gt", "6").expect("well formed");
        let below = filter("lt", "8").expect("well formed");
        assert_eq!(shown(&table, &[above]).len(), 2);
        assert_eq!(shown(&table, &[above, below]).len(), 1);
        assert_eq!(
            Filter::parse(&table, "data.gpc0", "gt", "6"),
            Err("Data type not stored in this table".to_owned())
        );
        assert!(filter("foo", "6").is_err_and(|e| e.starts_with("Require and operator")));
        assert!(filter("eq", "x").is_err());
        assert!(Filter::parse(&table, "data.nope", "eq", "1").is_err());
    }

    #[test]
    fn clearing_forgets_what_is_chosen() {
        let table = filled();
        let nine = Filter::parse(&table, "data.gpt0", "eq", "9").expect("well formed");
        let mut from = Some(Resume::default());
        while let Some(place) = from {
            from = clear(&table, &[nine], place, NOW);
        }
        assert_eq!(table.used(), 2);
    }
}
