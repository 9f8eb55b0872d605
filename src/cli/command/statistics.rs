//! Commands that show statistics: of the process, of proxies and servers, of nameservers.

use crate::stats::{self, InfoView, Selection};

use super::super::reply::Reply;
use super::{Call, Row, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show info",
        "show info [desc|json|typed|float]*",
        "report information about the running process",
        Level::User,
        info,
    ),
    row(
        "show stat",
        "show stat [desc|json|no-maint|typed|up]*",
        "report counters for each proxy and server",
        Level::User,
        stat,
    ),
    row(
        "show schema json",
        "show schema json",
        "report schema used for stats",
        Level::User,
        |_| {
            let mut out = Vec::new();
            stats::json::schema(&mut out);
            out.push(b'\n');
            Reply::long(out)
        },
    ),
];

/// How figures are written.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Typed,
    Json,
}

impl Form {
    /// The last form that is asked for counts.
    fn read(words: &[String]) -> Self {
        let forms = words.iter().rev().find_map(|word| match word.as_str() {
            "json" => Some(Self::Json),
            "typed" => Some(Self::Typed),
            _ => None,
        });
        forms.unwrap_or(Self::Plain)
    }
}

fn info(call: &mut Call<'_>) -> Reply {
    let has = |word: &str| call.words.iter().skip(2).any(|w| w == word);
    let describe = has("desc");
    let mask = call.settings.mask;
    let view = InfoView {
        fractions: has("float"),
        ..call.operator.info().masked(mask)
    };
    let mut out = Vec::new();
    match Form::read(&call.words[2..]) {
        Form::Json => {
            stats::json::info(&view, &mut out);
            out.push(b'\n');
        }
        Form::Typed => stats::info_typed(&view, describe, &mut out),
        Form::Plain => stats::info_plain(&view, describe, &mut out),
    }
    end_once(&mut out);
    Reply::long(out)
}

fn stat(call: &mut Call<'_>) -> Reply {
    let at = match (call.word(2), call.word(3)) {
        ("domain", "resolvers") => return nameservers(call),
        ("domain", "proxy") => 4,
        ("domain", _) => return Reply::error("Invalid statistics domain."),
        _ => 2,
    };
    let mut snapshot = call.operator.snapshot();
    if !call.may(Level::Operator) {
        snapshot = snapshot.without_legends();
    }
    let mut selection = Selection::default();
    let mut words = call.words[at..].iter().map(String::as_str).peekable();
    // The numbers come first: proxy (or its name), kinds, object.
    if words.clone().count() >= 3 && call.word(at + 1).parse::<i64>().is_ok() {
        let proxy = words.next().unwrap_or_default();
        let named = snapshot.proxies.iter().find(|view| view.name == proxy);
        let by_name = named
            .and_then(|view| view.rows.first())
            .map(|row| i64::from(row.proxy_id));
        selection.proxy = match (proxy.parse(), by_name) {
            (Ok(number), _) => number,
            (Err(_), Some(number)) => number,
            (Err(_), None) => return Reply::error("No such proxy."),
        };
        selection.kinds = words.next().and_then(|w| w.parse().ok()).unwrap_or(-1);
        selection.object = words.next().and_then(|w| w.parse().ok()).unwrap_or(-1);
    }
    let form = Form::read(&call.words[at..]);
    let mut describe = false;
    for word in words {
        match word {
            "desc" => describe = true,
            "no-maint" => selection.no_maintenance = true,
            "up" => selection.up_only = true,
            _ => {}
        }
    }
    let snapshot = snapshot.masked(call.settings.mask);
    let mut out = Vec::new();
    match form {
        Form::Json => {
            stats::json::stat(&snapshot, &selection, &mut out);
            out.push(b'\n');
        }
        Form::Typed => stats::text::typed(&snapshot, &selection, describe, &mut out),
        Form::Plain => stats::text::csv(&snapshot, &selection, &mut out),
    }
    end_once(&mut out);
    Reply::long(out)
}

/// `show stat domain resolvers`: a row a nameserver, or with `typed` a line a figure.
fn nameservers(call: &mut Call<'_>) -> Reply {
    let typed = call.words.iter().any(|word| word == "typed");
    let rows = call.operator.nameservers();
    // Where a name has another one in `show resolvers`.
    let name = |name: &'static str| {
        if name == "snd_error" {
            "send_error"
        } else {
            name
        }
    };
    let mut out = String::new();
    if typed {
        for row in &rows {
            let (id, section) = (&row.name, &row.section);
            out.push_str(&format!("N.0.id:CGP:str:{id}\nN.1.pid:CGP:str:{section}\n"));
            for (at, (counter, count)) in (2..).zip(&row.counters) {
                out.push_str(&format!("N.{at}.{}:MGP:u64:{count}\n", name(counter)));
            }
        }
        return Reply::long(out.into_bytes());
    }
    let names = rows.first().map_or(&[][..], |row| &row.counters);
    let names: String = names
        .iter()
        .map(|(counter, _)| format!(",{}", name(counter)))
        .collect();
    out.push_str(&format!("# id,pid{names},\n"));
    for row in &rows {
        let counts = row.counters.iter().map(|(_, count)| format!(",{count}"));
        let counts: String = counts.collect();
        out.push_str(&format!("{},{}{counts},\n", row.name, row.section));
    }
    Reply::long(out.into_bytes())
}

/// Takes off the empty line that ends the text of the statistics: the session writes its own.
fn end_once(out: &mut Vec<u8>) {
    if out.ends_with(b"\n\n") || out == b"\n" {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn statistics_are_shown() {
        let asked = |line: &str| ask(Level::Admin, &format!("{line}\n"));
        assert!(asked("show info").starts_with("Name: "));
        assert!(asked("show info typed").starts_with("0.Name."));
        assert!(asked("show info json").starts_with("[{"));
        assert!(asked("show info typed json").starts_with("[{"));
        assert!(asked("show info json float typed").starts_with("0.Name."));
        assert!(asked("show stat").starts_with("# pxname,svname,"));
        assert_eq!(asked("show stat 1 2 3 typed"), "\n", "nothing is selected");
        assert_eq!(asked("show stat nosuch 1 -1"), "No such proxy.\n\n");
        let nosuch = asked("show stat domain proxy nosuch 1 -1");
        assert_eq!(nosuch, "No such proxy.\n\n");
        assert_eq!(
            asked("show stat domain x"),
            "Invalid statistics domain.\n\n"
        );
        assert_eq!(
            asked("show stat domain resolvers"),
            "# id,pid,sent,send_error,\nn,r,2,0,\n\n"
        );
        assert_eq!(
            asked("show stat domain resolvers typed"),
            "N.0.id:CGP:str:n\nN.1.pid:CGP:str:r\nN.2.sent:MGP:u64:2\nN.3.send_error:MGP:u64:0\n\n"
        );
    }
}
