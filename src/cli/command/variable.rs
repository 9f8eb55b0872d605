//! Commands on the variables of the process.

use crate::acl::Book;
use crate::lang::Env;
use crate::sample::{Expr, Facts, VarName};
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
        level: Level::Admin,
        mode: Mode::Experimental,
        run: set,
    },
];

fn name(call: &Call<'_>) -> Result<VarName, Reply> {
    let text = call.word(2);
    if !text.starts_with("proc.") {
        return Err(Reply::error(
            "Only variables in the process scope are accessible: proc.<name>.",
        ));
    }
    VarName::parse(text).map_err(Reply::error)
}

fn get(call: &mut Call<'_>) -> Reply {
    let name = match name(call) {
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
    let mut text = format!("{name}: type={kind} value=<").into_bytes();
    value.write_text(&mut text);
    text.push(b'>');
    Reply::Text(text)
}

fn set(call: &mut Call<'_>) -> Reply {
    let name = match name(call) {
        Ok(name) => name,
        Err(reply) => return reply,
    };
    let (format, text) = match call.word(3) {
        "fmt" => (true, call.word(4)),
        "expr" => (false, call.word(4)),
        text => (false, text),
    };
    if text.is_empty() {
        return Reply::error("'set var' expects a name and an expression or a format.");
    }
    if format {
        call.operator.variables().write(&name, Value::string(text));
        return Reply::Done;
    }
    let (book, env) = (Book::without_files(), Env::default());
    let expr = match Expr::parse_text(text, book.reader(&env)) {
        Ok(expr) => expr,
        Err(diag) => return Reply::error(diag.message),
    };
    let facts = Facts::none();
    match expr.eval(&facts).value() {
        Some(value) => {
            call.operator.variables().write(&name, value.into_owned());
            Reply::Done
        }
        None => Reply::error("The expression gives no value here."),
    }
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
            "\n\nproc.x: type=sint value=<3>\n"
        );
        assert_eq!(
            ask(Level::Admin, "get var proc.y\n"),
            "Variable not found.\n\n"
        );
        assert!(
            ask(Level::Admin, "get var txn.y\n").starts_with("Only variables in the process scope")
        );
    }
}
