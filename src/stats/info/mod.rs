//! The figures of the process: `show info`, plain, typed, described.

mod table;
mod view;

pub use table::FIELDS;
pub use view::InfoView;

use super::columns::Cell;
use std::io::Write as _;

/// One figure.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Origin, nature and scope.
    pub tag: &'static str,
    /// What it is, in a sentence.
    pub doc: &'static str,
    figure: Figure,
}

/// What a figure is, and where it stands.
enum Figure {
    U32(fn(&InfoView) -> u32),
    U64(fn(&InfoView) -> u64),
    /// A number that may be shown with its fraction.
    Fine(fn(&InfoView) -> f64),
    Text(fn(&InfoView) -> &str),
    MaybeText(fn(&InfoView) -> Option<&str>),
    /// HAProxy has it; here nothing meters it.
    Unknown,
}

impl Field {
    /// Its value; none: it does not apply.
    #[must_use]
    pub fn cell<'a>(&self, view: &'a InfoView) -> Option<Cell<'a>> {
        match self.figure {
            Figure::U32(look) => Some(Cell::U32(look(view))),
            Figure::U64(look) => Some(Cell::U64(look(view))),
            Figure::Fine(look) if view.fractions => Some(Cell::Float(look(view))),
            Figure::Fine(look) => Some(Cell::U32(whole(look(view)))),
            Figure::Text(look) => Some(Cell::Text(look(view))),
            Figure::MaybeText(look) => look(view).map(Cell::Text),
            Figure::Unknown => None,
        }
    }
}

/// A figure without its fraction.
fn whole(figure: f64) -> u32 {
    // A cast of this kind stays within what it is cast to.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "figures are below, fractions go"
    )]
    #[expect(clippy::cast_sign_loss, reason = "no figure is negative")]
    let whole = figure as u32;
    whole
}

/// The plain form: `Name: value`, and the description behind it where `describe`.
pub fn plain(view: &InfoView, describe: bool, out: &mut Vec<u8>) {
    for field in FIELDS {
        let Some(cell) = field.cell(view) else {
            continue;
        };
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}: {cell}", field.name);
        end_line(field, describe, out);
    }
    out.push(b'\n');
}

/// The typed form: `0.Name.1:POS:str:…`.
pub fn typed(view: &InfoView, describe: bool, out: &mut Vec<u8>) {
    for (place, field) in FIELDS.iter().enumerate() {
        let Some(cell) = field.cell(view) else {
            continue;
        };
        let (name, tag, kind) = (field.name, field.tag, cell.type_name());
        // Writing to a vector cannot fail.
        let _ = write!(out, "{place}.{name}.1:{tag}:{kind}:{cell}");
        end_line(field, describe, out);
    }
    out.push(b'\n');
}

fn end_line(field: &Field, describe: bool, out: &mut Vec<u8>) {
    if describe {
        // Writing to a vector cannot fail.
        let _ = write!(out, ":\"{}\"", field.doc);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> InfoView {
        let view = InfoView {
            product: "HAProxy".into(),
            threads: 2,
            uptime: 93_784.25,
            memory_limit: 5 << 20,
            ..InfoView::default()
        };
        view.finish()
    }

    fn text(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn plain_and_typed_lines_are_haproxys() {
        let plain = text(|out| plain(&view(), false, out));
        assert!(plain.starts_with("Name: HAProxy\n"));
        assert!(plain.contains("\nProcess_num: 1\n"));
        assert!(plain.contains("\nUptime: 1d 2h03m04s\n"));
        assert!(plain.contains("\nMemmax_MB: 5\n"));
        let typed = text(|out| typed(&view(), false, out));
        for line in [
            "0.Name.1:POS:str:HAProxy",
            "3.Nbthread.1:CGS:u32:2",
            "47.Tasks.1:MGP:u32:0",
            "54.Unstoppable Jobs.1:MGP:u32:0",
            "71.Tainted.1:SGP:str:0",
        ] {
            assert!(typed.lines().any(|l| l == line), "{line}");
        }
        assert!(!typed.contains("description"));
        let exact = text(|out| {
            let exact = InfoView {
                fractions: true,
                conn_rate: 2.5,
                sess_rate: 3.0,
                ..view()
            };
            super::typed(&exact, false, out);
        });
        for line in [
            "8.Uptime_sec.1:MDP:flt:93784.25",
            "26.ConnRate.1:MRP:flt:2.5",
            "29.SessRate.1:MRP:flt:3",
            "27.ConnRateLimit.1:CLP:u32:0",
        ] {
            assert!(exact.lines().any(|l| l == line), "{line}");
        }
    }

    #[test]
    fn descriptions_follow_where_asked() {
        let text = text(|out| plain(&view(), true, out));
        assert!(text.starts_with("Name: HAProxy:\"Name of the product.\"\n"));
    }
}
