//! `show stat json`, `show info json` and `show schema json`.

use super::columns::{COLUMNS, Cell};
use super::info::{FIELDS, InfoView};
use super::snapshot::{Kind, Selection, Snapshot};
use crate::codec::json;
use std::io::Write as _;

/// The statistics: a list of objects, each a list of values.
pub fn stat(snapshot: &Snapshot, selection: &Selection, out: &mut Vec<u8>) {
    out.push(b'[');
    for (nth, row) in snapshot.rows(selection).enumerate() {
        separate(nth, out);
        out.push(b'[');
        let cells = COLUMNS
            .iter()
            .filter(|column| !column.is_mark())
            .enumerate()
            .filter_map(|(place, column)| Some((place, column, column.cell(row)?)));
        for (nth, (place, column, cell)) in cells.enumerate() {
            separate(nth, out);
            let kind = object_type(row.kind);
            let (iid, sid) = (row.proxy_id, row.id);
            // Writing to a vector cannot fail.
            let _ = write!(
                out,
                "{{\"objType\":\"{kind}\",\"proxyId\":{iid},\"id\":{sid},"
            );
            value(place, column.name, column.tag_of(row.kind), &cell, out);
        }
        out.push(b']');
    }
    out.extend_from_slice(b"]\n");
}

/// The process's figures: a list of values.
pub fn info(view: &InfoView, out: &mut Vec<u8>) {
    out.push(b'[');
    let fields = FIELDS.iter().enumerate();
    let fields = fields.filter_map(|(place, field)| Some((place, field, field.cell(view)?)));
    for (nth, (place, field, cell)) in fields.enumerate() {
        separate(nth, out);
        out.push(b'{');
        value(place, field.name, field.tag, &cell, out);
    }
    out.extend_from_slice(b"]\n");
}

fn separate(nth: usize, out: &mut Vec<u8>) {
    if nth > 0 {
        out.push(b',');
    }
}

fn value(place: usize, name: &str, tag: &str, cell: &Cell<'_>, out: &mut Vec<u8>) {
    let mut letters = tag.chars();
    let origin = origin(letters.next());
    let nature = nature(letters.next());
    let scope = scope(letters.next());
    let kind = cell.type_name();
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "\"field\":{{\"pos\":{place},\"name\":\"{name}\"}},\"processNum\":1,\
         \"tags\":{{\"origin\":\"{origin}\",\"nature\":\"{nature}\",\"scope\":\"{scope}\"}},\
         \"value\":{{\"type\":\"{kind}\",\"value\":"
    );
    let _ = match cell {
        Cell::U64(n) => write!(out, "{}", n.min(&LARGEST_EXACT)),
        Cell::U32(_) | Cell::S32(_) | Cell::Float(_) => write!(out, "{cell}"),
        Cell::Text(text) => {
            json::string(text.as_bytes(), out);
            Ok(())
        }
    };
    out.extend_from_slice(b"}}");
}

/// The largest whole number that every reader of JSON takes exactly.
const LARGEST_EXACT: u64 = (1 << 53) - 1;

fn object_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Frontend => "Frontend",
        Kind::Backend => "Backend",
        Kind::Server => "Server",
        Kind::Listener => "Listener",
    }
}

fn origin(letter: Option<char>) -> &'static str {
    match letter {
        Some('M') => "Metric",
        Some('S') => "Status",
        Some('K') => "Key",
        Some('C') => "Config",
        Some('P') => "Product",
        _ => "Unknown",
    }
}

fn nature(letter: Option<char>) -> &'static str {
    match letter {
        Some('A') => "Age",
        Some('a') => "Avg",
        Some('C') => "Counter",
        Some('D') => "Duration",
        Some('G') => "Gauge",
        Some('L') => "Limit",
        Some('M') => "Max",
        Some('m') => "Min",
        Some('N') => "Name",
        Some('O') => "Output",
        Some('R') => "Rate",
        Some('T') => "Time",
        _ => "Unknown",
    }
}

fn scope(letter: Option<char>) -> &'static str {
    match letter {
        Some('C') => "Cluster",
        Some('P') => "Process",
        Some('S') => "Service",
        Some('s') => "System",
        _ => "Unknown",
    }
}

/// The schema that both forms follow.
pub fn schema(out: &mut Vec<u8>) {
    let integer = |name: &str, min: &str, max: &str| {
        format!(
            "\"{name}Value\":{{\"properties\":{{\"type\":{{\"type\":\"string\",\"enum\":[\"{name}\"]}},\
             \"value\":{{\"type\":\"integer\",\"minimum\":{min},\"maximum\":{max}}}}},\
             \"required\":[\"type\",\"value\"]}}"
        )
    };
    let value = "#/definitions/typedValue/definitions/";
    let kinds = ["s32", "s64", "u32", "u64", "str"];
    let one_of: Vec<String> = kinds
        .iter()
        .map(|kind| format!("{{\"$ref\":\"{value}{kind}Value\"}}"))
        .collect();
    let definitions = [
        integer("s32", "-2147483648", "2147483647"),
        integer("s64", "-9007199254740991", "9007199254740991"),
        integer("u32", "0", "4294967295"),
        integer("u64", "0", "9007199254740991"),
        "\"strValue\":{\"properties\":{\"type\":{\"type\":\"string\",\"enum\":[\"str\"]},\
         \"value\":{\"type\":\"string\"}},\"required\":[\"type\",\"value\"]}"
            .to_owned(),
    ];
    out.extend_from_slice(SCHEMA_LISTS.as_bytes());
    out.extend_from_slice(SCHEMA_DEFINITIONS.as_bytes());
    let tail = format!(
        "\"typedValue\":{{\"type\":\"object\",\"oneOf\":[{}],\"definitions\":{{{}}}}}}}}}\n",
        one_of.join(","),
        definitions.join(",")
    );
    out.extend_from_slice(tail.as_bytes());
}

const SCHEMA_LISTS: &str = r##"{"$schema":"http://json-schema.org/draft-04/schema#","oneOf":[{"title":"Info","type":"array","items":{"title":"InfoItem","type":"object","properties":{"field":{"$ref":"#/definitions/field"},"processNum":{"$ref":"#/definitions/processNum"},"tags":{"$ref":"#/definitions/tags"},"value":{"$ref":"#/definitions/typedValue"}},"required":["field","processNum","tags","value"]}},{"title":"Stat","type":"array","items":{"type":"array","items":{"title":"StatItem","type":"object","properties":{"objType":{"enum":["Frontend","Backend","Listener","Server","Unknown"]},"proxyId":{"type":"integer","minimum":0},"id":{"type":"integer","minimum":0},"field":{"$ref":"#/definitions/field"},"processNum":{"$ref":"#/definitions/processNum"},"tags":{"$ref":"#/definitions/tags"},"value":{"$ref":"#/definitions/typedValue"}},"required":["objType","proxyId","id","field","processNum","tags","value"]}}}],"##;

const SCHEMA_DEFINITIONS: &str = r##""definitions":{"field":{"type":"object","properties":{"pos":{"type":"integer","minimum":0},"name":{"type":"string"}},"required":["pos","name"]},"processNum":{"type":"integer","minimum":1},"tags":{"type":"object","properties":{"origin":{"type":"string","enum":["Metric","Status","Key","Config","Product","Unknown"]},"nature":{"type":"string","enum":["Gauge","Limit","Min","Max","Rate","Counter","Duration","Age","Time","Name","Output","Avg","Unknown"]},"scope":{"type":"string","enum":["Cluster","Process","Service","System","Unknown"]}},"required":["origin","nature","scope"]},"##;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::rig;

    /// Counts brackets outside strings: enough to see that nothing is left open.
    fn is_balanced(text: &str) -> bool {
        let (mut depth, mut in_string, mut escaped) = (0_i32, false, false);
        for c in text.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if in_string => escaped = true,
                '"' => in_string = !in_string,
                '[' | '{' if !in_string => depth += 1,
                ']' | '}' if !in_string => depth -= 1,
                _ => {}
            }
        }
        depth == 0 && !in_string
    }

    #[test]
    fn values_are_haproxys() {
        let mut out = Vec::new();
        stat(&rig::snapshot(), &Selection::default(), &mut out);
        let text = String::from_utf8(out).expect("text");
        // Observed on haproxy 2.6.12.
        assert!(text.starts_with(
            "[[{\"objType\":\"Frontend\",\"proxyId\":2,\"id\":0,\"field\":{\"pos\":0,\"name\":\"pxname\"},\
             \"processNum\":1,\"tags\":{\"origin\":\"Key\",\"nature\":\"Name\",\"scope\":\"Service\"},\
             \"value\":{\"type\":\"str\",\"value\":\"fe\"}},{"
        ));
        assert!(is_balanced(&text), "{text}");
    }

    #[test]
    fn the_schema_is_closed() {
        let mut out = Vec::new();
        schema(&mut out);
        assert!(is_balanced(&String::from_utf8(out).expect("text")));
    }
}
