//! Variables as expressions see them: names with a scope, read and written through a trait.
//!
//! The engine keeps the values (a store a process, a session, an exchange, a check) behind interior
//! mutability; `set-var` writes while an expression is evaluated. Names are made once, while the
//! configuration is read, and carry their hash, so that a store finds them without hashing text.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::value::Value;

/// How long a variable lives, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// As long as the process.
    Proc,
    /// As long as the client's connection.
    Sess,
    /// As long as the exchange: request and response.
    Txn,
    /// While the request is handled.
    Req,
    /// While the response is handled.
    Res,
    /// During one health check.
    Check,
    /// As `Sess`, of the stream this one serves.
    ParentSess,
    /// As `Txn`, of the stream this one serves.
    ParentTxn,
    /// As `Req`, of the stream this one serves.
    ParentReq,
    /// As `Res`, of the stream this one serves.
    ParentRes,
}

impl Scope {
    /// Every scope and the word before the dot.
    pub const ALL: [(&'static str, Scope); 10] = [
        ("proc", Scope::Proc),
        ("sess", Scope::Sess),
        ("txn", Scope::Txn),
        ("req", Scope::Req),
        ("res", Scope::Res),
        ("check", Scope::Check),
        ("psess", Scope::ParentSess),
        ("ptxn", Scope::ParentTxn),
        ("preq", Scope::ParentReq),
        ("pres", Scope::ParentRes),
    ];
}

/// A variable's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VarName {
    /// The scope.
    pub scope: Scope,
    /// What stands after the first dot.
    pub name: Arc<str>,
    /// The name's hash.
    pub hash: u64,
}

impl VarName {
    /// Reads `scope.name`.
    ///
    /// # Errors
    /// HAProxy's sentence about a missing scope or a letter that names cannot have.
    pub fn parse(text: &str) -> Result<VarName, String> {
        let scope = text.split_once('.').and_then(|(word, name)| {
            let (_, scope) = Scope::ALL.iter().find(|(w, _)| *w == word)?;
            (!name.is_empty()).then_some((*scope, name))
        });
        let Some((scope, name)) = scope else {
            return Err(format!(
                "invalid variable name '{text}'. A variable name must be start by its scope. The \
                 scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'"
            ));
        };
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
        if let Some(odd) = name.bytes().position(|b| !legal(b)) {
            let rest = name.get(odd..).unwrap_or_default();
            return Err(format!("invalid syntax at char '{rest}'"));
        }
        Ok(VarName {
            scope,
            name: Arc::from(name),
            hash: xxh3_64(name.as_bytes()),
        })
    }
}

/// What must be true for a variable to be set: `set-var(txn.a,ifexists,ifnotempty)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guard(u8);

impl Guard {
    /// The conditions, in the order of their bits.
    const WORDS: [&'static str; 8] = [
        "ifexists",
        "ifnotexists",
        "ifempty",
        "ifnotempty",
        "ifset",
        "ifnotset",
        "ifgt",
        "iflt",
    ];

    /// Asks for one more condition; false if there is none of this name.
    #[must_use]
    pub fn also(&mut self, word: &str) -> bool {
        let at = Guard::WORDS.iter().position(|known| *known == word);
        self.0 |= at.map_or(0, |at| 1 << at);
        at.is_some()
    }

    pub(super) fn bits(self) -> i64 {
        i64::from(self.0)
    }

    pub(super) fn of_bits(bits: i64) -> Guard {
        Guard((bits & 0xff) as u8)
    }

    /// Whether the variable may take the value.
    #[must_use]
    pub fn allows(self, name: &VarName, new: &Value<'_>, vars: &dyn Vars) -> bool {
        if self == Guard::default() {
            return true;
        }
        let old = vars.read(name);
        // A process's variables come to be while the configuration is read.
        let exists = old.is_some() || name.scope == Scope::Proc;
        let empty = new.as_bytes().is_some_and(<[u8]>::is_empty);
        // Only numbers are compared; for anything else the condition is taken as met.
        let ordered = |wanted| match (&old, new) {
            (Some(Value::Int(old)), Value::Int(new)) => old.cmp(new) == wanted,
            _ => true,
        };
        let holds = |at: usize| match Guard::WORDS[at] {
            "ifexists" => exists,
            "ifnotexists" => !exists,
            "ifempty" => empty,
            "ifnotempty" => !empty,
            "ifset" => old.is_some(),
            "ifnotset" => old.is_none(),
            "ifgt" => ordered(Ordering::Greater),
            _ => ordered(Ordering::Less),
        };
        (0..Guard::WORDS.len()).all(|at| self.0 & (1 << at) == 0 || holds(at))
    }
}

impl fmt::Display for VarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Scope::ALL
            .iter()
            .find(|(_, s)| *s == self.scope)
            .map_or("", |(w, _)| w);
        write!(f, "{word}.{}", self.name)
    }
}

/// A store of variables. Writing is by interior mutability.
pub trait Vars {
    /// The variable's value.
    fn read(&self, name: &VarName) -> Option<Value<'static>>;
    /// Shows the value to `look` without copying it; false when there is none.
    fn look(&self, name: &VarName, look: &mut dyn FnMut(&Value<'_>)) -> bool {
        match self.read(name) {
            Some(value) => {
                look(&value);
                true
            }
            None => false,
        }
    }
    /// Sets the variable; false when the scope does not exist here or its memory is used up.
    fn write(&self, name: &VarName, value: Value<'static>) -> bool;
    /// Forgets the variable.
    fn forget(&self, name: &VarName);
    /// Shows every variable of the scopes, in no particular order.
    fn each(&self, show: &mut dyn FnMut(&VarName, &Value<'_>));
}

/// No variables at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVars;

impl Vars for NoVars {
    fn read(&self, _: &VarName) -> Option<Value<'static>> {
        None
    }
    fn write(&self, _: &VarName, _: Value<'static>) -> bool {
        false
    }
    fn forget(&self, _: &VarName) {}
    fn each(&self, _: &mut dyn FnMut(&VarName, &Value<'_>)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_scope() {
        let name = VarName::parse("txn.my.var_1").expect("legal");
        assert_eq!((name.scope, &*name.name), (Scope::Txn, "my.var_1"));
        assert_eq!(name.to_string(), "txn.my.var_1");
        assert!(VarName::parse("foo").is_err());
        assert!(VarName::parse("bar.foo").is_err());
        assert!(
            VarName::parse("txn.a b")
                .expect_err("blank")
                .contains("char ' b'")
        );
    }
}
