//! What an entry can store: one row a kind of datum, in the order HAProxy shows them.

use crate::time::Millis;
use crate::time::rate::Rate;
use std::sync::Arc;

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datum {
    /// The number of the server the key sticks to.
    ServerId,
    /// The general tag 0.
    Gpt0,
    /// The general counter 0.
    Gpc0,
    /// Its rate.
    Gpc0Rate,
    /// Connections.
    ConnCnt,
    /// Their rate.
    ConnRate,
    /// Connections at this moment.
    ConnCur,
    /// Sessions.
    SessCnt,
    /// Their rate.
    SessRate,
    /// Requests.
    HttpReqCnt,
    /// Their rate.
    HttpReqRate,
    /// Requests in error.
    HttpErrCnt,
    /// Their rate.
    HttpErrRate,
    /// Bytes from clients.
    BytesInCnt,
    /// Their rate.
    BytesInRate,
    /// Bytes to clients.
    BytesOutCnt,
    /// Their rate.
    BytesOutRate,
    /// The general counter 1.
    Gpc1,
    /// Its rate.
    Gpc1Rate,
    /// The name or address of the server the key sticks to.
    ServerKey,
    /// Failed responses.
    HttpFailCnt,
    /// Their rate.
    HttpFailRate,
    /// General tags.
    Gpt,
    /// General counters.
    Gpc,
    /// Their rates.
    GpcRate,
    /// Breaches of protocol.
    GlitchCnt,
    /// Their rate.
    GlitchRate,
}

/// The form a datum is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number.
    Number,
    /// A sliding rate over a period.
    Rate,
    /// A name.
    Name,
    /// Several numbers.
    Numbers,
    /// Several rates.
    Rates,
}

/// One row of the table of data.
pub struct Row {
    /// Which.
    pub datum: Datum,
    /// The name in `store` and after `data.`.
    pub name: &'static str,
    /// How it is kept.
    pub form: Form,
}

const fn row(datum: Datum, name: &'static str, form: Form) -> Row {
    Row { datum, name, form }
}

/// Every datum, in the order of output.
pub const DATA: &[Row] = &[
    row(Datum::ServerId, "server_id", Form::Number),
    row(Datum::Gpt0, "gpt0", Form::Number),
    row(Datum::Gpc0, "gpc0", Form::Number),
    row(Datum::Gpc0Rate, "gpc0_rate", Form::Rate),
    row(Datum::ConnCnt, "conn_cnt", Form::Number),
    row(Datum::ConnRate, "conn_rate", Form::Rate),
    row(Datum::ConnCur, "conn_cur", Form::Number),
    row(Datum::SessCnt, "sess_cnt", Form::Number),
    row(Datum::SessRate, "sess_rate", Form::Rate),
    row(Datum::HttpReqCnt, "http_req_cnt", Form::Number),
    row(Datum::HttpReqRate, "http_req_rate", Form::Rate),
    row(Datum::HttpErrCnt, "http_err_cnt", Form::Number),
    row(Datum::HttpErrRate, "http_err_rate", Form::Rate),
    row(Datum::BytesInCnt, "bytes_in_cnt", Form::Number),
    row(Datum::BytesInRate, "bytes_in_rate", Form::Rate),
    row(Datum::BytesOutCnt, "bytes_out_cnt", Form::Number),
    row(Datum::BytesOutRate, "bytes_out_rate", Form::Rate),
    row(Datum::Gpc1, "gpc1", Form::Number),
    row(Datum::Gpc1Rate, "gpc1_rate", Form::Rate),
    row(Datum::ServerKey, "server_key", Form::Name),
    row(Datum::HttpFailCnt, "http_fail_cnt", Form::Number),
    row(Datum::HttpFailRate, "http_fail_rate", Form::Rate),
    row(Datum::Gpt, "gpt", Form::Numbers),
    row(Datum::Gpc, "gpc", Form::Numbers),
    row(Datum::GpcRate, "gpc_rate", Form::Rates),
    row(Datum::GlitchCnt, "glitch_cnt", Form::Number),
    row(Datum::GlitchRate, "glitch_rate", Form::Rate),
];

/// Most elements of an array.
pub const ARRAY_LEN_MAX: u32 = 100;

impl Datum {
    /// The row of this datum.
    #[must_use]
    pub fn row(self) -> &'static Row {
        let found = DATA.iter().find(|row| row.datum == self);
        found.expect("every datum has a row")
    }

    /// The row with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Row> {
        DATA.iter().find(|row| row.name == name)
    }

    /// Where the value lives when the table has the array instead: `gpc0` is element 0 of `gpc`.
    fn in_array(self) -> Option<(Self, u32)> {
        let stand_ins = [
            (Self::Gpt0, Self::Gpt, 0),
            (Self::Gpc0, Self::Gpc, 0),
            (Self::Gpc1, Self::Gpc, 1),
            (Self::Gpc0Rate, Self::GpcRate, 0),
            (Self::Gpc1Rate, Self::GpcRate, 1),
        ];
        let found = stand_ins.iter().find(|(single, ..)| *single == self);
        found.map(|&(_, array, element)| (array, element))
    }
}

/// What a table stores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    stored: Vec<Stored>,
    cells: u32,
}

/// One datum of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub datum: Datum,
    /// Elements of an array; one for anything else.
    pub len: u32,
    /// The period of a rate.
    pub period: Millis,
    first_cell: u32,
}

impl Layout {
    /// Adds a datum; false if it is there already.
    pub fn add(&mut self, datum: Datum, len: u32, period: Millis) -> bool {
        if self.find(datum).is_some() {
            return false;
        }
        self.stored.push(Stored {
            datum,
            len,
            period,
            first_cell: self.cells,
        });
        self.cells += len;
        true
    }

    /// The datum, if it is stored under its own name.
    #[must_use]
    pub fn find(&self, datum: Datum) -> Option<&Stored> {
        self.stored.iter().find(|stored| stored.datum == datum)
    }

    /// What is stored, in the order of output.
    pub fn in_order(&self) -> impl Iterator<Item = &Stored> {
        DATA.iter().filter_map(|row| self.find(row.datum))
    }

    /// The cell of an element, and the period of a rate; the array stands in for its first elements.
    #[must_use]
    pub fn cell(&self, datum: Datum, element: u32) -> Option<(usize, Millis)> {
        let (stored, element) = match self.find(datum) {
            Some(stored) => (stored, element),
            None => {
                let (array, element) = datum.in_array()?;
                (self.find(array)?, element)
            }
        };
        let inside = element < stored.len;
        inside.then(|| ((stored.first_cell + element) as usize, stored.period))
    }

    pub(super) fn fresh_cells(&self) -> Box<[Cell]> {
        let cells = self.stored.iter().flat_map(|stored| {
            let cell = match stored.datum.row().form {
                Form::Number | Form::Numbers => Cell::Number(0),
                Form::Rate | Form::Rates => Cell::Rate(Rate::default()),
                Form::Name => Cell::Name(None),
            };
            std::iter::repeat_n(cell, stored.len as usize)
        });
        cells.collect()
    }
}

/// One stored value.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    Number(u64),
    Rate(Rate),
    Name(Option<Arc<str>>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_stand_in_for_their_first_elements() {
        let mut layout = Layout::default();
        assert!(layout.add(Datum::ConnCnt, 1, Millis::ZERO));
        assert!(layout.add(Datum::Gpc, 3, Millis::ZERO));
        assert!(!layout.add(Datum::Gpc, 3, Millis::ZERO));
        assert_eq!(layout.cell(Datum::Gpc0, 0), Some((1, Millis::ZERO)));
        assert_eq!(layout.cell(Datum::Gpc1, 0), Some((2, Millis::ZERO)));
        assert_eq!(layout.cell(Datum::Gpc, 2), Some((3, Millis::ZERO)));
        assert_eq!(layout.cell(Datum::Gpc, 3), None);
        assert_eq!(layout.cell(Datum::Gpt0, 0), None);
        assert_eq!(layout.fresh_cells().len(), 4);
    }

    #[test]
    fn names_are_found() {
        for row in DATA {
            assert_eq!(Datum::named(row.name).map(|r| r.datum), Some(row.datum));
            assert_eq!(row.datum.row().name, row.name);
        }
    }
}
