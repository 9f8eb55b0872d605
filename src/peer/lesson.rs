//! Tables and entries on the wire.

use std::sync::Arc;

use super::number;
use crate::stick::{Copied, Copy, DATA, Datum, Form, Key, Kind, Table};
use crate::time::rate::Rate;
use crate::time::{Millis, Tick};

/// A table as a peer described it.
#[derive(Debug)]
pub(super) struct Described {
    /// Its place among the tables that are shared here; none: it is not, or differs.
    pub(super) place: Option<usize>,
    /// What its entries carry, in order: which data, how many values each, and their form.
    columns: Vec<Column>,
    /// The number of the last update that came.
    pub(super) got: u32,
    /// The number of the last update that was acknowledged.
    pub(super) acked: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    datum: Datum,
    len: usize,
    form: Form,
    /// Whether the values mean the same here.
    fits: bool,
}

/// Elements of an array that a peer may describe.
const ELEMENTS_MAX: u64 = 100;
/// Names that each side may abbreviate.
pub(super) const NAMES_MAX: usize = 128;

/// The names that were said once and are numbers from then on.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<Arc<str>>,
    /// The next number to be given anew once all are taken.
    next: usize,
}

fn type_of(kind: Kind) -> (u64, u64) {
    match kind {
        Kind::Integer => (2, 4),
        Kind::Ip => (4, 4),
        Kind::Ipv6 => (5, 16),
        // A string's length counts the end mark that it has elsewhere.
        Kind::String(len) => (6, u64::from(len) + 1),
        Kind::Binary(len) => (7, u64::from(len)),
    }
}

fn number_of(datum: Datum) -> usize {
    DATA.iter().position(|row| row.datum == datum).unwrap_or(0)
}

/// Describes a table under a number.
pub(super) fn describe(number: u64, name: &str, table: &Table) -> Vec<u8> {
    let settings = table.settings();
    let (kind, len) = type_of(settings.kind);
    let mut out = Vec::new();
    number::put(number, &mut out);
    number::put(name.len() as u64, &mut out);
    out.extend_from_slice(name.as_bytes());
    number::put(kind, &mut out);
    number::put(len, &mut out);
    let (mut bits, mut parameters) = (0_u64, Vec::new());
    for stored in settings.layout.in_order() {
        let at = number_of(stored.datum);
        bits |= 1 << at;
        let form = stored.datum.row().form;
        let is_array = matches!(form, Form::Numbers | Form::Rates);
        let is_rate = matches!(form, Form::Rate | Form::Rates);
        if is_array || is_rate {
            number::put(at as u64, &mut parameters);
        }
        if is_array {
            number::put(u64::from(stored.len), &mut parameters);
        }
        if is_rate {
            number::put(u64::from(stored.period.get()), &mut parameters);
        }
    }
    number::put(bits, &mut out);
    number::put(
        settings.expire.map_or(0, |span| u64::from(span.get())),
        &mut out,
    );
    out.extend_from_slice(&parameters);
    out
}

impl Described {
    /// Reads a description; `find` looks a shared table up by name. The number under which it will be spoken of comes first.
    pub(super) fn read<'t>(
        mut data: &[u8],
        find: impl FnOnce(&[u8]) -> Option<(usize, &'t Table)>,
    ) -> Option<(u64, Described)> {
        let input = &mut data;
        let number = number::take(input)?;
        let name_len = usize::try_from(number::take(input)?).ok()?;
        let (name, rest) = input.split_at_checked(name_len)?;
        *input = rest;
        let (kind, len) = (number::take(input)?, number::take(input)?);
        let bits = number::take(input)?;
        // The end of life; ours is what counts here. Old peers say nothing of it, nor of what follows.
        let speaks_of_parameters = number::take(input).is_some();
        let known = find(name).filter(|(_, table)| type_of(table.settings().kind) == (kind, len));
        let table = known.map(|(_, table)| table);
        let columns = columns(bits, input, speaks_of_parameters, table)?;
        let described = Described {
            place: known.map(|(place, _)| place),
            columns,
            got: 0,
            acked: 0,
        };
        Some((number, described))
    }

    /// Reads the key and the data of an entry.
    pub(super) fn entry(
        &self,
        mut data: &[u8],
        left: Option<Millis>,
        table: &Table,
        names: &mut Names,
        now: Tick,
    ) -> Option<Copy> {
        let input = &mut data;
        let kind = table.settings().kind;
        let len = match kind {
            Kind::String(_) => usize::try_from(number::take(input)?).ok()?,
            Kind::Integer | Kind::Ip | Kind::Ipv6 | Kind::Binary(_) => {
                usize::try_from(type_of(kind).1).ok()?
            }
        };
        let (key, rest) = input.split_at_checked(len)?;
        *input = rest;
        let key = match kind {
            Kind::String(max) => &key[..key.len().min(max as usize)],
            Kind::Ip | Kind::Ipv6 | Kind::Integer | Kind::Binary(_) => key,
        };
        let mut values = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let mut own = Vec::with_capacity(column.len);
            for _ in 0..column.len {
                own.push(value(column.form, input, names, now)?);
            }
            if column.fits {
                values.push((column.datum, own));
            }
        }
        Some(Copy {
            key: Key::from_slice(key),
            left,
            data: values,
        })
    }
}

fn columns(
    bits: u64,
    input: &mut &[u8],
    speaks_of_parameters: bool,
    table: Option<&Table>,
) -> Option<Vec<Column>> {
    let mut columns = Vec::new();
    for (at, row) in DATA.iter().enumerate() {
        if bits & (1 << at) == 0 {
            continue;
        }
        let is_array = matches!(row.form, Form::Numbers | Form::Rates);
        let is_rate = matches!(row.form, Form::Rate | Form::Rates);
        let (mut len, mut period) = (1, None);
        if speaks_of_parameters && (is_array || is_rate) {
            if number::take(input)? != at as u64 {
                return None;
            }
            if is_array {
                len = number::take(input)?;
            }
            if is_rate {
                period = Some(number::take(input)?);
            }
        }
        if len > ELEMENTS_MAX {
            return None;
        }
        let own = table.and_then(|table| table.settings().layout.find(row.datum));
        columns.push(Column {
            datum: row.datum,
            len: usize::try_from(len).ok()?,
            form: row.form,
            fits: own.is_some_and(|own| {
                period.is_none_or(|period| period == u64::from(own.period.get()))
            }),
        });
    }
    // A datum without a row here has an unknown form: nothing behind it could be read.
    (bits >> DATA.len() == 0).then_some(columns)
}

fn value(form: Form, input: &mut &[u8], names: &mut Names, now: Tick) -> Option<Copied> {
    let small =
        |input: &mut &[u8]| number::take(input).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Some(match form {
        Form::Number | Form::Numbers => Copied::Number(number::take(input)?),
        Form::Rate | Form::Rates => {
            let parts = (small(input)?, small(input)?, small(input)?);
            Copied::Rate(Rate::from_parts(parts, now))
        }
        Form::Name => {
            let len = usize::try_from(number::take(input)?).ok()?;
            let (said, rest) = input.split_at_checked(len)?;
            *input = rest;
            if len == 0 {
                return Some(Copied::Name(None));
            }
            Copied::Name(Some(names.hear(said)?))
        }
    })
}

/// Appends the key and the data of an entry.
pub(super) fn put_entry(copy: &Copy, kind: Kind, names: &mut Names, now: Tick, out: &mut Vec<u8>) {
    if let Kind::String(_) = kind {
        number::put(copy.key.len() as u64, out);
    }
    out.extend_from_slice(&copy.key);
    for value in copy.data.iter().flat_map(|(_, values)| values) {
        match value {
            Copied::Number(number) => number::put(*number, out),
            Copied::Rate(rate) => {
                let (elapsed, current, previous) = rate.parts(now);
                for part in [elapsed, current, previous] {
                    number::put(u64::from(part), out);
                }
            }
            Copied::Name(None) => out.push(0),
            Copied::Name(Some(name)) => names.say(name, out),
        }
    }
}

impl Names {
    /// Appends a name: in full the first time, by its number later.
    fn say(&mut self, name: &Arc<str>, out: &mut Vec<u8>) {
        let mut said = Vec::new();
        if let Some(at) = self.list.iter().position(|known| known == name) {
            number::put(at as u64 + 1, &mut said);
        } else {
            let at = self.place(Arc::clone(name));
            number::put(at as u64 + 1, &mut said);
            number::put(name.len() as u64, &mut said);
            said.extend_from_slice(name.as_bytes());
        }
        number::put(said.len() as u64, out);
        out.extend_from_slice(&said);
    }

    fn place(&mut self, name: Arc<str>) -> usize {
        if self.list.len() < NAMES_MAX {
            self.list.push(name);
            return self.list.len() - 1;
        }
        let at = self.next;
        self.next = (at + 1) % NAMES_MAX;
        self.list[at] = name;
        at
    }

    /// The name that these bytes say.
    fn hear(&mut self, mut said: &[u8]) -> Option<Arc<str>> {
        let input = &mut said;
        let at = usize::try_from(number::take(input)?).ok()?.checked_sub(1)?;
        if input.is_empty() {
            return self.list.get(at).cloned();
        }
        let len = usize::try_from(number::take(input)?).ok()?;
        let text = input.get(..len)?;
        let name: Arc<str> = String::from_utf8_lossy(text).into();
        if at >= NAMES_MAX {
            return None;
        }
        if self.list.len() <= at {
            self.list.resize(at + 1, Arc::from(""));
        }
        self.list[at] = Arc::clone(&name);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stick::{Event, Layout, Settings};

    fn table(kind: Kind, period: u32) -> Table {
        let mut layout = Layout::default();
        layout.add(Datum::ConnRate, 1, Millis::new(period));
        layout.add(Datum::ServerKey, 1, Millis::ZERO);
        layout.add(Datum::Gpc, 2, Millis::ZERO);
        let settings = Settings {
            kind,
            size: 10,
            expire: None,
            no_purge: false,
            server_key_is_address: false,
            layout,
        };
        Table::shared("t".into(), settings)
    }

    #[test]
    fn a_table_and_its_entries_arrive() {
        let now = Tick::from_millis(50_000);
        let (one, other) = (table(Kind::String(31), 500), table(Kind::String(31), 500));
        let entry = one.track(b"key", now).expect("room");
        one.note(entry, Event::Connection, now);
        one.set_name(entry, Datum::ServerKey, "s1".into());
        one.set(entry, Datum::Gpc, 1, 300, now);
        let copy = one.copy(b"key", now).expect("there");
        let described = describe(4, "t", &one);
        let (number, described) =
            Described::read(&described, |name| (name == b"t").then_some((0, &other)))
                .expect("read");
        assert_eq!((number, described.place), (4, Some(0)));
        let (mut says, mut hears) = (Names::default(), Names::default());
        for _ in 0..2 {
            let mut out = Vec::new();
            put_entry(&copy, Kind::String(31), &mut says, now, &mut out);
            let heard = described.entry(&out, None, &other, &mut hears, now);
            assert_eq!(heard.as_ref(), Some(&copy));
            for cut in 0..out.len() {
                assert!(
                    described
                        .entry(&out[..cut], None, &other, &mut Names::default(), now)
                        .is_none()
                );
            }
        }
    }

    #[test]
    fn what_differs_is_not_taken() {
        let one = table(Kind::String(31), 500);
        let read = |other: &Table| {
            Described::read(&describe(1, "t", &one), |_| Some((0, other)))
                .expect("read")
                .1
        };
        assert_eq!(read(&table(Kind::String(32), 500)).place, None);
        assert_eq!(read(&table(Kind::Ip, 500)).place, None);
        let other_period = read(&table(Kind::String(31), 600));
        assert!(!other_period.columns[0].fits && other_period.columns[1].fits);
    }
}
