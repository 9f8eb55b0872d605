//! The keywords of `global` that belong to no other room, a room for each thing that they are about.

pub(crate) mod birth;
pub(crate) mod environment;
pub(crate) mod identity;
pub(crate) mod limits;
pub(crate) mod sockets;
pub(crate) mod succession;
pub(crate) mod threads;
pub(crate) mod tokens;
pub(crate) mod traffic;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use crate::lang::{Cursor, Diag, Polarity, Unit, Word};
use crate::time::Millis;

/// The largest count that makes sense anywhere.
const MANY: u32 = i32::MAX.cast_unsigned();

fn on(cur: &mut Cursor<'_>, flag: &mut bool) -> Result<(), Diag> {
    *flag = cur.polarity() == Polarity::Plain;
    cur.end()
}

fn number<T>(
    cur: &mut Cursor<'_>,
    slot: &mut Option<T>,
    range: RangeInclusive<T>,
) -> Result<(), Diag>
where
    T: Copy + Display + TryFrom<i128> + TryInto<i128>,
{
    *slot = Some(cur.integer(range)?);
    cur.end()
}

fn time(cur: &mut Cursor<'_>, time: &mut Option<Millis>) -> Result<(), Diag> {
    *time = Some(cur.millis(Unit::Millis)?);
    cur.ignore_rest()
}

fn path(cur: &mut Cursor<'_>, path: &mut Option<PathBuf>) -> Result<(), Diag> {
    *path = Some(cur.expect("a path")?.text()?.into());
    cur.end()
}

fn word(cur: &mut Cursor<'_>, word: &mut Option<Word>) -> Result<(), Diag> {
    *word = Some(cur.expect("a name")?.clone());
    cur.end()
}

fn text(cur: &mut Cursor<'_>, text: &mut Option<Arc<str>>) -> Result<(), Diag> {
    *text = Some(cur.expect("a name")?.text()?.into());
    cur.end()
}
