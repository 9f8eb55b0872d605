//! Variables and captures of an exchange, of its client's connection and of the process.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Captures, Scope, VarName, Vars};
use crate::value::Value;

/// Variables that one scope holds at most.
const VARIABLES_MAX: usize = 4096;

/// What one variable counts beside its text: as much as in HAProxy, so that limits mean the same.
const VARIABLE_SIZE: usize = 80;

/// `tune.vars.…-max-size`: how many bytes variables may take, each scope with those inside it; zero is no limit.
// haproxy, `tune.vars.*-max-size`: limits what all connections keep; here: limits what one exchange can reach, because sums over all
// threads would have every `set-var` meet in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VarLimits {
    /// `global-max-size`: of everything.
    pub global: usize,
    /// `proc-max-size`: of the process.
    pub process: usize,
    /// `sess-max-size`: of a client's connection.
    pub session: usize,
    /// `txn-max-size`: of an exchange.
    pub exchange: usize,
    /// `reqres-max-size`: of its request and its response.
    pub messages: usize,
    /// `check-max-size`: of a health check.
    pub check: usize,
}

impl VarLimits {
    /// Whether there is none.
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether `size` is within `limit`.
fn fits(size: usize, limit: usize) -> bool {
    limit == 0 || size <= limit
}

/// The variables of one scope.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    values: Vec<(VarName, Value<'static>)>,
}

impl Shelf {
    fn find(&self, name: &VarName) -> Option<usize> {
        self.values
            .iter()
            .position(|(known, _)| known.hash == name.hash && known == name)
    }

    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        self.find(name).map(|at| self.values[at].1.clone())
    }

    fn write(&mut self, name: &VarName, value: Value<'static>) -> bool {
        match self.find(name) {
            Some(at) => self.values[at].1 = value,
            None if self.values.len() >= VARIABLES_MAX => return false,
            None => self.values.push((name.clone(), value)),
        }
        true
    }

    fn forget(&mut self, name: &VarName) {
        if let Some(at) = self.find(name) {
            self.values.swap_remove(at);
        }
    }

    /// Forgets everything, keeping memory.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// How much its variables take.
    fn size(&self) -> usize {
        let sizes = self.values.iter().map(|(_, value)| size(value));
        sizes.sum::<usize>() + self.values.len() * VARIABLE_SIZE
    }

    /// How much it will take once the variable has this value.
    fn size_with(&self, name: &VarName, value: &Value<'_>) -> usize {
        match self.find(name) {
            Some(at) => self.size() - size(&self.values[at].1) + size(value),
            None => self.size() + VARIABLE_SIZE + size(value),
        }
    }
}

/// What a value takes beside its variable.
fn size(value: &Value<'_>) -> usize {
    value.as_bytes().map_or(0, <[u8]>::len)
}

/// Variables that live as long as the process.
#[derive(Debug, Default)]
pub struct ProcessShelf(Mutex<Shelf>);

/// The shelves within reach of one evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Shelves<'a> {
    /// What they may hold.
    pub limits: &'a VarLimits,
    /// Of the process.
    pub process: &'a ProcessShelf,
    /// Of the client's connection.
    pub session: &'a RefCell<Shelf>,
    /// Of the exchange.
    pub exchange: &'a RefCell<Shelf>,
    /// Of its request.
    pub request: &'a RefCell<Shelf>,
    /// Of its response.
    pub response: &'a RefCell<Shelf>,
}

impl Shelves<'_> {
    fn with<R>(&self, scope: Scope, use_it: impl FnOnce(&mut Shelf) -> R) -> Option<R> {
        let cell = match scope {
            Scope::Proc => {
                return Some(use_it(&mut self.process.lock()));
            }
            Scope::Sess => self.session,
            Scope::Txn => self.exchange,
            Scope::Req => self.request,
            Scope::Res => self.response,
            Scope::Check
            | Scope::ParentSess
            | Scope::ParentTxn
            | Scope::ParentReq
            | Scope::ParentRes => return None,
        };
        Some(use_it(&mut cell.borrow_mut()))
    }

    /// Whether the limits allow the variable this value.
    fn admits(&self, name: &VarName, value: &Value<'_>) -> bool {
        let limits = self.limits;
        if limits.is_none() {
            return true;
        }
        let of = |scope| {
            let size = self.with(scope, |shelf| match scope == name.scope {
                true => shelf.size_with(name, value),
                false => shelf.size(),
            });
            size.unwrap_or(0)
        };
        // Each scope counts with those inside it.
        let messages = of(Scope::Req) + of(Scope::Res);
        let exchange = messages + of(Scope::Txn);
        let session = exchange + of(Scope::Sess);
        let process = session + of(Scope::Proc);
        let inner = match name.scope {
            Scope::Req | Scope::Res => 0,
            Scope::Txn => 1,
            Scope::Sess => 2,
            _ => 3,
        };
        let levels = [
            (messages, limits.messages),
            (exchange, limits.exchange),
            (session, limits.session),
            (process, limits.process),
            (process, limits.global),
        ];
        let mut outer = levels.into_iter().skip(inner);
        outer.all(|(size, limit)| fits(size, limit))
    }
}

impl Vars for Shelves<'_> {
    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        self.with(name.scope, |shelf| shelf.read(name)).flatten()
    }

    fn look(&self, name: &VarName, look: &mut dyn FnMut(&Value<'_>)) -> bool {
        let seen = self.with(name.scope, |shelf| {
            let at = shelf.find(name)?;
            look(&shelf.values[at].1);
            Some(())
        });
        seen.flatten().is_some()
    }

    fn write(&self, name: &VarName, value: Value<'static>) -> bool {
        self.admits(name, &value)
            && self
                .with(name.scope, |shelf| shelf.write(name, value))
                .unwrap_or(false)
    }

    fn forget(&self, name: &VarName) {
        self.with(name.scope, |shelf| shelf.forget(name));
    }

    fn each(&self, show: &mut dyn FnMut(&VarName, &Value<'_>)) {
        for scope in [Scope::Proc, Scope::Sess, Scope::Txn, Scope::Req, Scope::Res] {
            let copy = self.with(scope, |shelf| shelf.clone()).unwrap_or_default();
            copy.values
                .iter()
                .for_each(|(name, value)| show(name, value));
        }
    }
}

impl Vars for ProcessShelf {
    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        let there = name.scope == Scope::Proc;
        there.then(|| self.lock().read(name)).flatten()
    }

    fn write(&self, name: &VarName, value: Value<'static>) -> bool {
        name.scope == Scope::Proc && self.lock().write(name, value)
    }

    fn forget(&self, name: &VarName) {
        if name.scope == Scope::Proc {
            self.lock().forget(name);
        }
    }

    fn each(&self, show: &mut dyn FnMut(&VarName, &Value<'_>)) {
        let copy = self.lock().clone();
        copy.values
            .iter()
            .for_each(|(name, value)| show(name, value));
    }
}

impl ProcessShelf {
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shelves within reach of a health check.
#[derive(Clone, Copy, Debug)]
pub struct CheckShelves<'a> {
    /// What they may hold.
    pub limits: &'a VarLimits,
    /// Of the process.
    pub process: &'a ProcessShelf,
    /// Of the check.
    pub check: &'a RefCell<Shelf>,
}

impl Vars for CheckShelves<'_> {
    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        match name.scope {
            Scope::Check => self.check.borrow().read(name),
            _ => self.process.read(name),
        }
    }

    fn write(&self, name: &VarName, value: Value<'static>) -> bool {
        let limits = self.limits;
        match name.scope {
            Scope::Check => {
                let mut own = self.check.borrow_mut();
                let limited = limits.check > 0;
                let size = if limited {
                    own.size_with(name, &value)
                } else {
                    0
                };
                fits(size, limits.check) && own.write(name, value)
            }
            _ => {
                let (process, mut size) = (self.process, 0);
                if !limits.is_none() {
                    size = process.lock().size_with(name, &value);
                }
                fits(size, limits.process)
                    && fits(size, limits.global)
                    && process.write(name, value)
            }
        }
    }

    fn forget(&self, name: &VarName) {
        match name.scope {
            Scope::Check => self.check.borrow_mut().forget(name),
            _ => self.process.forget(name),
        }
    }

    fn each(&self, show: &mut dyn FnMut(&VarName, &Value<'_>)) {
        self.process.each(show);
        let copy = self.check.borrow().clone();
        copy.values
            .iter()
            .for_each(|(name, value)| show(name, value));
    }
}

/// What `capture` lines and rules took from the messages of one exchange.
#[derive(Debug, Default)]
pub struct Captured {
    request: Slots,
    response: Slots,
}

/// What is kept of the messages of one direction.
#[derive(Debug, Default)]
struct Slots {
    kept: RefCell<Vec<Option<Box<[u8]>>>>,
    /// The most bytes of each; of a slot that nobody declared everything is kept.
    lens: Box<[usize]>,
}

impl Captured {
    /// Keeps at most so many bytes a slot.
    pub fn limit(&mut self, request: Box<[usize]>, response: Box<[usize]>) {
        self.request.lens = request;
        self.response.lens = response;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.request.kept.get_mut().clear();
        self.response.kept.get_mut().clear();
    }
}

impl Slots {
    fn store(&self, slot: usize, bytes: &[u8]) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() <= slot {
            kept.resize(slot + 1, None);
        }
        let len_max = self.lens.get(slot).copied().unwrap_or(usize::MAX);
        kept[slot] = Some(bytes[..bytes.len().min(len_max)].into());
    }

    fn stored(&self, slot: usize) -> Option<Cow<'static, [u8]>> {
        let kept = self.kept.borrow();
        kept.get(slot)?
            .as_deref()
            .map(|bytes| Cow::Owned(bytes.to_vec()))
    }
}

impl Captures for Captured {
    fn request(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
        self.request.stored(slot)
    }

    fn response(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
        self.response.stored(slot)
    }

    fn store_request(&self, slot: usize, bytes: &[u8]) {
        self.request.store(slot, bytes);
    }

    fn store_response(&self, slot: usize, bytes: &[u8]) {
        self.response.store(slot, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(limits: &VarLimits, names: &[(&str, &str)]) -> Vec<bool> {
        let process = ProcessShelf::default();
        let [session, exchange, request, response] = Default::default();
        let shelves = Shelves {
            limits,
            process: &process,
            session: &session,
            exchange: &exchange,
            request: &request,
            response: &response,
        };
        let set = |(name, value): &(&str, &str)| {
            let name = VarName::parse(name).expect("a name");
            shelves.write(&name, Value::Str(value.as_bytes().to_vec().into()))
        };
        names.iter().map(set).collect()
    }

    #[test]
    fn a_scope_counts_with_those_inside_it() {
        let limits = VarLimits {
            exchange: 2 * VARIABLE_SIZE + 6,
            ..VarLimits::default()
        };
        let one = ("txn.a", "1234");
        assert_eq!(write(&limits, &[one, ("req.b", "12")]), [true, true]);
        assert_eq!(write(&limits, &[one, ("req.b", "123")]), [true, false]);
        assert_eq!(write(&limits, &[one, ("sess.b", "123")]), [true, true]);
        assert_eq!(write(&limits, &[one, one, ("txn.b", "")]), [true; 3]);
        let limits = VarLimits {
            global: VARIABLE_SIZE + 2,
            ..VarLimits::default()
        };
        assert_eq!(
            write(&limits, &[("res.a", "123"), ("proc.a", "12")]),
            [false, true]
        );
    }
}
