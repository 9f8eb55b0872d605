//! `show stat` as text: CSV, and one line a value (`typed`).

use super::columns::{COLUMNS, Cell};
use super::snapshot::{Kind, ObjectView, Selection, Snapshot};
use crate::codec::quote;
use std::io::Write as _;

/// The CSV form, header first, with an empty line at the end as readers of the stats socket expect it.
pub fn csv(snapshot: &Snapshot, selection: &Selection, out: &mut Vec<u8>) {
    out.extend_from_slice(b"# ");
    for column in COLUMNS {
        out.extend_from_slice(column.name.as_bytes());
        out.push(b',');
    }
    out.push(b'\n');
    for row in snapshot.rows(selection) {
        csv_row(row, out);
    }
    out.push(b'\n');
}

fn csv_row(row: &ObjectView, out: &mut Vec<u8>) {
    for column in COLUMNS {
        match column.cell(row) {
            Some(Cell::Text(text)) if quote::csv_needs_quotes(text.as_bytes()) => {
                quote::csv(text.as_bytes(), out);
            }
            // Writing to a vector cannot fail.
            Some(cell) => _ = write!(out, "{cell}"),
            None if column.is_mark() => out.push(b'-'),
            None => {}
        }
        out.push(b',');
    }
    out.push(b'\n');
}

/// The typed form: `F.2.0.4.scur.1:MGP:u32:0`, and the description behind it where `describe`.
pub fn typed(snapshot: &Snapshot, selection: &Selection, describe: bool, out: &mut Vec<u8>) {
    for row in snapshot.rows(selection) {
        for (place, column) in COLUMNS.iter().filter(|c| !c.is_mark()).enumerate() {
            let Some(cell) = column.cell(row) else {
                continue;
            };
            let tag = column.tag_of(row.kind);
            let letter = letter(row.kind);
            let (iid, sid, name) = (row.proxy_id, row.id, column.name);
            let kind = cell.type_name();
            // Writing to a vector cannot fail.
            let _ = write!(
                out,
                "{letter}.{iid}.{sid}.{place}.{name}.1:{tag}:{kind}:{cell}"
            );
            if describe {
                let _ = write!(out, ":\"{}\"", column.doc);
            }
            out.push(b'\n');
        }
    }
    out.push(b'\n');
}

fn letter(kind: Kind) -> char {
    match kind {
        Kind::Frontend => 'F',
        Kind::Backend => 'B',
        Kind::Server => 'S',
        Kind::Listener => 'L',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rig;

    fn lines(write: impl Fn(&mut Vec<u8>)) -> Vec<String> {
        let mut out = Vec::new();
        write(&mut out);
        let text = String::from_utf8(out).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn csv_is_haproxys() {
        let snapshot = rig::snapshot();
        let lines = lines(|out| csv(&snapshot, &Selection::default(), out));
        assert!(lines[0].starts_with("# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,"));
        // Observed on haproxy 2.6.12 for an idle HTTP frontend; it has no last column, the hints of caches.
        assert_eq!(
            lines[1],
            "fe,FRONTEND,,,0,0,1000,0,0,0,0,0,0,,,,,OPEN,,,,,,,,,1,2,0,,,,0,0,0,0,,,,0,0,0,0,0,0,,0,0,0,,,0,0,0,0,,,,,,,,,,,,,,,,,,,,,http,,0,0,0,0,0,0,0,,,0,0,,,,,,,0,,,,,,,,,-,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
        );
        assert_eq!(
            lines[2],
            "be,s1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,1,1,0,0,0,3,3,,1,3,1,,0,,2,0,,0,L4CON,,0,0,0,0,0,0,0,,,,0,0,0,,,,,-1,Connection refused,,0,0,0,0,,,,Layer4 connection problem,,2,3,0,,,,127.0.0.1:18992,a,http,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,1,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,,"
        );
        assert_eq!(lines.last().map(String::as_str), Some(""));
    }

    #[test]
    fn typed_lines_are_haproxys() {
        let snapshot = rig::snapshot();
        let lines = lines(|out| typed(&snapshot, &Selection::default(), false, out));
        for line in [
            "F.2.0.0.pxname.1:KNS:str:fe",
            "F.2.0.103.ssl_sess.1:MCP:u64:0",
            "S.3.1.19.act.1:SGP:u32:1",
            "S.3.1.55.lastsess.1:MAP:s32:-1",
            "S.3.1.73.addr.1:CGS:str:127.0.0.1:18992",
        ] {
            assert!(lines.iter().any(|l| l == line), "{line}");
        }
    }

    #[test]
    fn a_selection_leaves_rows_out() {
        let snapshot = rig::snapshot();
        let rows = |selection: Selection| snapshot.rows(&selection).count();
        let all = Selection::default();
        assert_eq!(rows(all), 2);
        assert_eq!(rows(Selection { kinds: 1, ..all }), 1);
        assert_eq!(rows(Selection { proxy: 3, ..all }), 1);
        assert_eq!(
            rows(Selection {
                up_only: true,
                ..all
            }),
            1
        );
    }
}
