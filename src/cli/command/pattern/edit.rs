//! Edits of lists: one at a time, or a version at once.

use crate::cli::reply::Reply;
use crate::pattern::{EditFault, Purpose, Reference};

use super::super::Call;
use super::{Target, noun, target, version};

use Purpose::{Acl, Map};

/// `add`: a line, or to a map the lines of a payload.
pub(super) fn add(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    let list_at = match call.word(2).starts_with('@') {
        true => 3,
        false => 2,
    };
    let given = call.words.len().saturating_sub(list_at + 1);
    let (wanted, usage) = match purpose {
        Map => (2, ADD_MAP_USAGE),
        Acl => (1, ADD_ACL_USAGE),
    };
    let enough = match call.payload {
        Some(_) => purpose == Map,
        None => given >= wanted,
    };
    if call.word(list_at).is_empty() || !enough {
        return Err(Reply::error(usage));
    }
    let target = target(call, purpose)?;
    match call.payload {
        Some(payload) => add_lines(&target, payload)?,
        None => {
            let (key, value) = (call.word(target.rest), call.word(target.rest + 1));
            add_line(&target, key.as_bytes(), value.as_bytes())?;
        }
    }
    Ok(Reply::Done)
}

const ADD_MAP_USAGE: &str = "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload";
const ADD_ACL_USAGE: &str = "'add acl' expects two parameters: ACL identifier and pattern.";

/// Adds each line of a payload to a map, up to the first that cannot be one.
fn add_lines(map: &Target, payload: &[u8]) -> Result<(), Reply> {
    let lines = payload.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    for line in lines.filter(|line| !line.is_empty()) {
        let Some(gap) = line.iter().position(|b| matches!(b, b' ' | b'\t')) else {
            let key = String::from_utf8_lossy(line);
            return Err(Reply::error(format!("Missing value for key '{key}'.")));
        };
        add_line(map, &line[..gap], line[gap..].trim_ascii())?;
    }
    Ok(())
}

fn add_line(target: &Target, key: &[u8], value: &[u8]) -> Result<(), Reply> {
    let (list, version) = (&target.reference, target.version);
    let added = list.add(key, value, version);
    added.map_err(|why| match why {
        EditFault::NoVersion if version > Some(list.versions().1) => {
            Reply::error("Version number in the future, please use 'prepare map' before.")
        }
        EditFault::NoVersion => {
            Reply::error("Version number in the past, please use 'prepare map' before.")
        }
        EditFault::NotFound | EditFault::Unfit(_) => refusal(list, why),
    })
}

/// `set map`: another value for a line, or for every line with a key.
pub(super) fn set(call: &mut Call<'_>) -> Result<Reply, Reply> {
    if call.word(4).is_empty() {
        return Err(Reply::error(
            "'set map' expects three parameters: map identifier, key and value.",
        ));
    }
    let target = target(call, Map)?;
    let (key, value) = (call.word(target.rest), call.word(target.rest + 1));
    let (map, value) = (&target.reference, value.as_bytes());
    match entry_id(key) {
        Some(id) => map
            .set_id(id, value)
            .map_err(|_| Reply::error("key or pattern not found."))?,
        None => map
            .set(key.as_bytes(), value)
            .map_err(|why| refusal(map, why))?,
    }
    Ok(Reply::Done)
}

/// `del`: a line, or every line with a key.
pub(super) fn delete(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    if call.word(3).is_empty() {
        let noun = noun(purpose);
        return Err(Reply::error(format!(
            "This command expects two parameters: {noun} identifier and key."
        )));
    }
    let target = target(call, purpose)?;
    let key = call.word(target.rest);
    let removed = match entry_id(key) {
        Some(id) => target.reference.remove_id(id),
        None => target.reference.remove(key.as_bytes()),
    };
    removed.map_err(|_| Reply::error("Key not found."))?;
    Ok(Reply::Done)
}

/// `clear`: every line of the list or of a version.
pub(super) fn clear(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    let target = target(call, purpose)?;
    let list = &target.reference;
    list.clear(target.version)
        .map_err(|why| refusal(list, why))?;
    Ok(Reply::Done)
}

/// `prepare`: a version to fill.
pub(super) fn prepare(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    let list = target(call, purpose)?.reference;
    let version = list.prepare().map_err(|why| refusal(&list, why))?;
    Ok(Reply::info(format!("New version created: {version}")))
}

/// `commit`: a version becomes the list.
pub(super) fn commit(call: &mut Call<'_>, purpose: Purpose) -> Result<Reply, Reply> {
    let version = version(call)?.ok_or_else(|| Reply::error("Missing version number."))?;
    let list = target(call, purpose)?.reference;
    list.commit(version).map_err(|why| refusal(&list, why))?;
    Ok(Reply::Done)
}

/// The line that `#<ref>` names; its digits are hexadecimal, as `show map` writes them.
fn entry_id(word: &str) -> Option<u32> {
    let digits = word.strip_prefix('#')?;
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    u32::from_str_radix(digits, 16).ok()
}

fn refusal(list: &Reference, why: EditFault) -> Reply {
    match (why, list.purpose) {
        (EditFault::NotFound, Map) => Reply::error("entry not found."),
        (EditFault::NotFound, Acl) => Reply::error("Key not found."),
        (EditFault::NoVersion, _) => Reply::error("Version number out of range."),
        (EditFault::Unfit(text), _) => Reply::error(text),
    }
}
