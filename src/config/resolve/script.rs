//! The formats and variables in the scripts of health checks.

use std::sync::Arc;

use crate::check::{Assign, Phrase, Tools};
use crate::lang::{Cursor, Diag, Word};
use crate::log::{Dates, Format, Purpose, Record, Setting};
use crate::sample::{Expr, Facts, Place, Reader, Sampled, VarName};
use crate::value::Value;

/// Makes them.
pub(super) struct Maker<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) warnings: Vec<Diag>,
}

impl Tools for Maker<'_> {
    fn phrase(&mut self, word: &Word) -> Result<Arc<dyn Phrase>, Diag> {
        let mut setting = Setting {
            purpose: Purpose::Text,
            place: Place::Check,
            also: None,
            http: true,
            reader: self.reader,
            warnings: &mut self.warnings,
        };
        let format = Format::parse(word, &mut setting)?;
        Ok(Arc::new(Made(format)))
    }

    fn assign(&mut self, verb: &str, name: &Word, value: &[Word]) -> Result<Arc<dyn Assign>, Diag> {
        let variable = VarName::parse(name.text()?).map_err(|text| Diag::alert(name.span, text))?;
        let what = match verb {
            "unset-var" => Change::Forget,
            "set-var-fmt" => {
                let word = value.first().unwrap_or(name);
                Change::Write(self.phrase(word)?)
            }
            _ => {
                let mut cur = Cursor::new(value, self.reader.env);
                let expr = Expr::parse(&mut cur, self.reader)?;
                self.warnings.extend(cur.into_warnings());
                Change::Copy(Box::new(expr))
            }
        };
        Ok(Arc::new(Edit { variable, what }))
    }
}

/// A text with expressions.
#[derive(Debug)]
struct Made(Format);

impl Phrase for Made {
    fn write(&self, facts: &Facts<'_>, out: &mut Vec<u8>) {
        self.0
            .write(&Record::none(), facts, &mut Dates::default(), out);
    }
}

/// A change of a variable.
#[derive(Debug)]
struct Edit {
    variable: VarName,
    what: Change,
}

#[derive(Debug)]
enum Change {
    Forget,
    Copy(Box<Expr>),
    Write(Arc<dyn Phrase>),
}

impl Assign for Edit {
    fn run(&self, facts: &Facts<'_>) {
        match &self.what {
            Change::Forget => facts.vars.forget(&self.variable),
            Change::Copy(expr) => {
                if let Sampled::Got(value) = expr.eval(facts) {
                    facts.vars.write(&self.variable, value.into_owned());
                }
            }
            Change::Write(phrase) => {
                let mut text = Vec::new();
                phrase.write(facts, &mut text);
                let value = Value::Str(text.into());
                facts.vars.write(&self.variable, value);
            }
        }
    }
}
