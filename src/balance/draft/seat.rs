//! What a server line says about its seat.

use crate::balance::origin::HashKey;
use crate::balance::seat::Weight;
use crate::lang::{Cursor, Diag, Keyword, Sections, Unit};
use crate::time::Millis;

/// What a server line said about its seat.
#[derive(Clone, Debug, Default)]
pub struct SeatDraft {
    /// `weight`.
    pub weight: Option<Weight>,
    /// `backup`.
    pub backup: bool,
    /// `cookie`.
    pub cookie: Option<String>,
    /// `slowstart`.
    pub slow_start: Option<Millis>,
    /// `hash-key`.
    pub hash_key: HashKey,
}

/// The rows of server lines.
pub const SEAT_KEYWORDS: &[Keyword<SeatDraft>] = &[
    Keyword {
        name: "weight",
        sections: Sections::SERVER,
        usage: "<weight>",
        doc: "The server's part of the load, 0 to 256.",
        parse: weight,
    },
    Keyword {
        name: "backup",
        sections: Sections::SERVER,
        usage: "",
        doc: "Serves only when no other server can.",
        parse: |_, draft| {
            draft.backup = true;
            Ok(())
        },
    },
    Keyword {
        name: "no-backup",
        sections: Sections::SERVER,
        usage: "",
        doc: "Undoes `backup`.",
        parse: |_, draft| {
            draft.backup = false;
            Ok(())
        },
    },
    Keyword {
        name: "cookie",
        sections: Sections::SERVER,
        usage: "<value>",
        doc: "The value of the persistence cookie that stands for this server.",
        parse: |cur, draft| {
            draft.cookie = Some(cur.expect("<value> as argument")?.text()?.to_owned());
            Ok(())
        },
    },
    Keyword {
        name: "hash-key",
        sections: Sections::SERVER,
        usage: "{ id | addr | addr-port }",
        doc: "What the server's place on a consistent ring depends on: its number, its address, or its address and port.",
        parse: |cur, draft| {
            let keys = [
                ("id", HashKey::Id),
                ("addr", HashKey::Address),
                ("addr-port", HashKey::AddressAndPort),
            ];
            draft.hash_key = cur.choice("'id', 'addr' or 'addr-port'", &keys)?;
            Ok(())
        },
    },
    Keyword {
        name: "slowstart",
        sections: Sections::SERVER,
        usage: "<time>",
        doc: "The time over which a server that came back takes up its full weight.",
        parse: |cur, draft| {
            draft.slow_start = Some(cur.millis(Unit::Millis)?);
            Ok(())
        },
    },
];

fn weight(cur: &mut Cursor<'_>, draft: &mut SeatDraft) -> Result<(), Diag> {
    let units = cur.integer(0..=i64::MAX)?;
    let weight = u32::try_from(units).ok().and_then(Weight::new);
    let Some(weight) = weight else {
        return Err(cur.alert(format!("weight is not within 0 and 256 ({units}).")));
    };
    draft.weight = Some(weight);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn weights_have_an_end() {
        assert!(read(SEAT_KEYWORDS, "weight 257").is_err());
        assert!(read(SEAT_KEYWORDS, "weight 256").is_ok());
    }
}
