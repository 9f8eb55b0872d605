//! Variables and captures of an exchange, of its client's connection and of the process.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Captures, Scope, VarName, Vars};
use crate::value::Value;

/// Variables that one scope holds at most.
const VARIABLES_MAX: usize = 4096;

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
}

/// Variables that live as long as the process.
#[derive(Debug, Default)]
pub struct ProcessShelf(Mutex<Shelf>);

/// The shelves within reach of one evaluation.
#[derive(Clone, Copy, Debug)]
pub struct Shelves<'a> {
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
        self.with(name.scope, |shelf| shelf.write(name, value))
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
        match name.scope {
            Scope::Check => self.check.borrow_mut().write(name, value),
            _ => self.process.write(name, value),
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
