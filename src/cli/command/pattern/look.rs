//! What lists hold (`show`), and what a value finds in them (`get`).

use crate::cli::operator::Operator;
use crate::cli::reply::{Dump, Piece, Reply};
use crate::pattern::{Match, Purpose, View};
use crate::value::Value;

use super::super::Call;
use super::{Target, noun, target};

use Purpose::{Acl, Map};

/// `show`: a list's lines, or every list there is.
pub(super) fn show(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    if call.word(2).is_empty() {
        return Ok(Reply::long(overview(call, purpose).into_bytes()));
    }
    let target = target(call, purpose)?;
    Ok(Reply::Dump(Box::new(Entries { target, at: 0 })))
}

fn overview(call: &Call<'_>, purpose: Purpose) -> String {
    let mut text = String::from("# id (file) description\n");
    let library = call.operator.patterns();
    let all = library.all();
    for reference in all.iter().filter(|list| list.purpose == purpose) {
        let (current, next) = reference.versions();
        text.push_str(&format!(
            "{} ({}) {}. curr_ver={current} next_ver={next} entry_cnt={}\n",
            reference.id,
            reference.name,
            reference.display,
            reference.len()
        ));
    }
    text
}

/// The lines of a list.
struct Entries {
    target: Target,
    at: usize,
}

/// How many lines are written at once.
const ENTRIES_AT_ONCE: usize = 512;

impl Dump for Entries {
    fn next(&mut self, _: &mut dyn Operator, out: &mut Vec<u8>) -> Piece {
        let Target {
            reference, version, ..
        } = &self.target;
        let Ok(entries) = reference.entries(*version, self.at, ENTRIES_AT_ONCE) else {
            return Piece::Last;
        };
        for entry in &entries {
            out.extend_from_slice(format!("{:#x} ", entry.id).as_bytes());
            out.extend_from_slice(&entry.key);
            if reference.purpose == Map {
                out.push(b' ');
                out.extend_from_slice(&entry.value);
            }
            out.push(b'\n');
        }
        self.at += entries.len();
        if entries.len() < ENTRIES_AT_ONCE {
            Piece::Last
        } else {
            Piece::More
        }
    }
}

/// `get`: what each way of matching finds for a value.
pub(super) fn get(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    if call.word(3).is_empty() {
        let noun = noun(purpose);
        return Err(Reply::error(format!(
            "Missing {noun} identifier and/or key."
        )));
    }
    let target = target(call, purpose)?;
    let key = call.word(target.rest);
    let views = target.reference.views();
    let found = views.iter().map(|view| looked_up(view, key, purpose));
    Ok(Reply::Text(found.collect::<String>().into_bytes()))
}

/// What one way of matching finds.
fn looked_up(view: &View, key: &str, purpose: Purpose) -> String {
    let method = view.method();
    let case = if view.folds() {
        "insensitive"
    } else {
        "sensitive"
    };
    let text = Value::str(key.as_bytes());
    let found = text.cast(method.wants()).and_then(|value| {
        view.find(&value).map(|found| {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (shown(found.key()), shown(found.value()))
        })
    });
    let index = match method {
        Match::Str | Match::Beg | Match::Ip => "tree",
        Match::Found
        | Match::Bool
        | Match::Int
        | Match::Bin
        | Match::Len
        | Match::Sub
        | Match::Reg
        | Match::End
        | Match::Dir
        | Match::Dom
        | Match::Method => "list",
    };
    let label = match purpose {
        Map => "found",
        Acl => "match",
    };
    match found {
        None => format!("type={}, case={case}, {label}=no\n", method.word()),
        Some((key, value)) if purpose == Map => format!(
            "type={}, case={case}, {label}=yes, idx={index}, key=\"{key}\", value=\"{value}\", type=\"str\"\n",
            method.word()
        ),
        Some((key, _)) => format!(
            "type={}, case={case}, {label}=yes, idx={index}, pattern=\"{key}\"\n",
            method.word()
        ),
    }
}
