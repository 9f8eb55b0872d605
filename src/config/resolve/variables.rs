//! `set-var` and `set-var-fmt` of `global`: variables of the process that have their values before anything runs.
//!
//! Only what needs no traffic has a value here; the lines are carried out in order, so that each sees the ones before it.

use std::cell::RefCell;

use super::bench::Bench;
use crate::acl::Book;
use crate::config::draft::VariableDraft;
use crate::config::report::Report;
use crate::lang::{Cursor, Diag, Word};
use crate::log::{Dates, Format, Purpose, Record, Setting};
use crate::sample::{
    Expr, Facts, Place, ProcessShelf, Reader, Sampled, Shelf, Shelves, VarLimits, VarName, Vars,
};
use crate::value::Value;

/// Carries out the lines.
pub(super) fn set(
    lines: &[VariableDraft],
    bench: &Bench<'_>,
    shelf: &ProcessShelf,
    report: &mut Report,
) {
    let book = Book::new(std::sync::Arc::clone(&bench.library));
    let reader = book.reader(bench.env);
    let none = RefCell::new(Shelf::default());
    // haproxy, `set-var` in `global` behind `tune.vars.*-max-size`: is limited by it; here: what the configuration sets itself has room.
    let limits = VarLimits::default();
    let vars = Shelves {
        limits: &limits,
        process: shelf,
        session: &none,
        exchange: &none,
        request: &none,
        response: &none,
    };
    let facts = Facts {
        vars: &vars,
        ..Facts::none()
    };
    for line in lines {
        let Ok(name) = VarName::parse(line.name.str()) else {
            continue;
        };
        let value = if line.is_format {
            format(&line.value, reader, &facts, report)
        } else {
            sample(&line.value, reader, &facts, report)
        };
        if let Some(value) = report.check(value).flatten() {
            vars.write(&name, value);
        }
    }
}

fn sample(
    words: &[Word],
    reader: Reader<'_>,
    facts: &Facts<'_>,
    report: &mut Report,
) -> Result<Option<Value<'static>>, Diag> {
    let mut cur = Cursor::new(words, reader.env);
    let expr = Expr::parse(&mut cur, reader).map_err(|diag| context("set-var", diag))?;
    let extra = cur.next().map(|word| {
        let text = format!("'set-var' : unexpected argument '{}'.", word.shown());
        Diag::alert(word.span, text)
    });
    cur.into_warnings()
        .into_iter()
        .for_each(|diag| report.add(diag));
    if let Some(extra) = extra {
        return Err(extra);
    }
    expr.require(Place::Config, expr.fetch().name)
        .map_err(|diag| context("set-var", diag))?;
    Ok(match expr.eval(facts) {
        Sampled::Got(value) => Some(value.into_owned()),
        Sampled::Absent | Sampled::NotYet => None,
    })
}

fn format(
    words: &[Word],
    reader: Reader<'_>,
    facts: &Facts<'_>,
    report: &mut Report,
) -> Result<Option<Value<'static>>, Diag> {
    let Some(word) = words.first() else {
        return Ok(None);
    };
    let mut warnings = Vec::new();
    let mut setting = Setting {
        purpose: Purpose::Text,
        place: Place::Config,
        also: None,
        http: false,
        reader,
        warnings: &mut warnings,
    };
    let format = Format::parse(word, &mut setting).map_err(|diag| context("set-var-fmt", diag));
    warnings.into_iter().for_each(|diag| report.add(diag));
    let mut text = Vec::new();
    format?.write(&Record::none(), facts, &mut Dates::default(), &mut text);
    Ok(Some(Value::string(text)))
}

fn context(keyword: &str, diag: Diag) -> Diag {
    Diag {
        message: format!("'{keyword}' : {}", diag.message),
        ..diag
    }
}

#[cfg(test)]
mod tests {
    use crate::config::rig::{BASE, outcome};
    use crate::lang::Severity;

    #[test]
    fn variables_of_the_process_have_values_from_the_start() {
        let set = |line: &str| {
            let outcome = outcome(&format!("global\n {line}\n{BASE}"));
            outcome.report.render(&outcome.files, 1, Severity::Warning)
        };
        assert_eq!(
            set("set-var proc.a int(100),add(5)\n set-var-fmt proc.b \"<%[var(proc.a)]>\""),
            ""
        );
        assert!(set("set-var txn.a int(1)").contains("only the 'proc' scope is permitted here"));
        assert!(set("set-var proc.a src").contains("none of which is available here"));
        assert!(set("set-var proc.a").contains("expects"));
    }
}
