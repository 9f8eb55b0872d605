//! Commands on the variables of the process.

use crate::acl::Book;
use crate::lang::{Env, Span, Word};
use crate::log::{Dates, Format, Purpose, Record, Setting};
use crate::sample::{Expr, Facts, Place, VarName};
use crate::value::{Kind, Value};

use super::super::reply::Reply;
use super::{Call, Mode, Row, row};
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "get var",
        "get var <name>",
        "retrieve contents of a process-wide variable",
        Level::Operator,
        get,
    ),
    Row {
        name: "set var",
        usage: "set var <name> [fmt|expr] {<fmt>|<expr>}",
        help: "set variable from an expression/format",
        level: Level::Operator,
        mode: Mode::Experimental,
        run: set,
    },
];

fn name(call: &Call<'_>, foreign: impl FnOnce(&str) -> String) -> Result<VarName, Reply> {
    let text = call.word(2);
    match text {
        "" => Err(Reply::error("Missing process-wide variable identifier.")),
        text if text.starts_with("proc.") => VarName::parse(text).map_err(Reply::error),
        text => Err(Reply::error(foreign(text))),
    }
}

fn get(call: &mut Call<'_>) -> Reply {
    let name = match name(call, |_| "Variable not found.".to_owned()) {
        Ok(name) => name,
        Err(reply) => return reply,
    };
    let Some(value) = call.operator.variables().read(&name) else {
        return Reply::error("Variable not found.");
    };
    let kind = match value.kind() {
        Kind::Int => "sint",
        Kind::Bool => "bool",
        Kind::Bin => "bin",
        Kind::Ip4 => "ipv4",
        Kind::Ip6 => "ipv6",
        Kind::Method => "meth",
        Kind::Str | Kind::Addr | Kind::Any | Kind::Same => "str",
    };
    let mut text = Vec::new();
    value.write_text(&mut text);
    // What cannot be printed would speak to the terminal.
    let printed = |byte: &u8| {
        let shown = byte.is_ascii_graphic() || *byte == b' ';
        char::from(if shown { *byte } else { b'.' })
    };
    let text: String = text.iter().map(printed).collect();
    Reply::info(format!("{name}: type={kind} value=<{text}>"))
}

fn set(call: &mut Call<'_>) -> Reply {
    let foreign = |text: &str| {
        format!("'set var': cannot set variable '{text}', only scope 'proc' is permitted here.")
    };
    let name = match name(call, foreign) {
        Ok(name) => name,
        Err(reply) => return reply,
    };
    let (format, text) = match call.word(3) {
        "fmt" => (true, call.word(4)),
        "expr" => (false, call.word(4)),
        text => (false, text),
    };
    if text.is_empty() {
        return Reply::error("Missing either 'expr', 'fmt' or expression.");
    }
    let made = match format {
        true => formatted(call, text),
        false => evaluated(call, text),
    };
    match made {
        Ok(value) => {
            call.operator.variables().write(&name, value);
            Reply::Done
        }
        Err(reply) => reply,
    }
}

/// What a log format makes of the variables of the process.
fn formatted(call: &Call<'_>, text: &str) -> Result<Value<'static>, Reply> {
    let (book, env, mut warnings) = (Book::without_files(), Env::default(), Vec::new());
    let mut setting = Setting {
        purpose: Purpose::Text,
        place: Place::Cli,
        also: None,
        http: false,
        reader: book.reader(&env),
        warnings: &mut warnings,
    };
    let word = Word::new(text.as_bytes(), Span::default());
    let format = Format::parse(&word, &mut setting).map_err(|diag| Reply::error(diag.message))?;
    let facts = Facts {
        now: call.operator.now(),
        vars: call.operator.variables(),
        ..Facts::none()
    };
    let mut made = Vec::new();
    format.write(&Record::none(), &facts, &mut Dates::default(), &mut made);
    Ok(Value::Str(made.into()))
}

/// What an expression makes of the variables of the process.
fn evaluated(call: &Call<'_>, text: &str) -> Result<Value<'static>, Reply> {
    let (book, env) = (Book::without_files(), Env::default());
    let expr =
        Expr::parse_text(text, book.reader(&env)).map_err(|diag| Reply::error(diag.message))?;
    let facts = Facts {
        now: call.operator.now(),
        vars: call.operator.variables(),
        ..Facts::none()
    };
    let value = expr.eval(&facts).value().map(Value::into_owned);
    value.ok_or_else(|| Reply::error("The expression gives no value here."))
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::ask;
    use super::*;

    #[test]
    fn variables_are_set_and_read() {
        assert_eq!(
            ask(
                Level::Admin,
                "experimental-mode on;set var proc.x int(3);get var proc.x\n"
            ),
            "\n\nproc.x: type=sint value=<3>\n\n"
        );
        assert_eq!(
            ask(Level::Admin, "get var proc.y\n"),
            "Variable not found.\n\n"
        );
        assert_eq!(
            ask(
                Level::Admin,
                "experimental-mode on;set var proc.x str(walking);\
                 set var proc.x fmt %[var(proc.x),regsub(ing,ed)]!;get var proc.x;\
                 set var proc.x var(proc.x),length;get var proc.x\n"
            ),
            "\n\n\nproc.x: type=str value=<walked!>\n\n\nproc.x: type=sint value=<7>\n\n"
        );
        assert_eq!(
            ask(
                Level::Admin,
                "experimental-mode on;set var proc.x bin(1b5b41);get var proc.x\n"
            ),
            "\n\nproc.x: type=bin value=<.[A>\n\n"
        );
        for (line, said) in [
            ("get var txn.y", "Variable not found."),
            ("get var", "Missing process-wide variable identifier."),
            (
                "experimental-mode on;set var proc.x",
                "Missing either 'expr', 'fmt' or expression.",
            ),
            (
                "experimental-mode on;set var txn.y int(5)",
                "'set var': cannot set variable 'txn.y', only scope 'proc' is permitted here.",
            ),
        ] {
            let answer = ask(Level::Admin, &format!("{line}\n"));
            assert_eq!(answer.trim_start(), format!("{said}\n\n"), "{line}");
        }
    }
}
