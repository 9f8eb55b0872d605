//! A snapshot to show.

use super::shard::Tally;
use super::snapshot::{
    BackView, CheckView, Colour, Kind, ObjectView, ProxyView, ServerView, Snapshot,
};
use crate::time::Tick;

pub(super) fn snapshot() -> Snapshot {
    let frontend = object(Kind::Frontend, "fe", "FRONTEND", 2, 0, "OPEN");
    let check = CheckView {
        status: "L4CON".into(),
        description: "Layer4 connection problem".into(),
        code: None,
        duration: Some(0),
        last: Some("Connection refused".into()),
        rise: 2,
        fall: 3,
        health: 0,
    };
    let server = ObjectView {
        limit: None,
        address: Some("127.0.0.1:18992".into()),
        last_change: Some(3),
        back: Some(BackView {
            weight: 1,
            user_weight: 1,
            active: 1,
            downtime: Some(3),
            cookie: Some("a".into()),
            ..BackView::default()
        }),
        server: Some(ServerView {
            needed: 1,
            checked: true,
            check: Some(check),
            colour: Colour::Down,
            ..ServerView::default()
        }),
        ..object(Kind::Server, "be", "s1", 3, 1, "DOWN")
    };
    let proxy = |name: &str, row| ProxyView {
        name: name.into(),
        description: None,
        rows: vec![row],
    };
    Snapshot {
        proxies: vec![proxy("fe", frontend), proxy("be", server)],
    }
}

fn object(kind: Kind, proxy: &str, name: &str, proxy_id: u32, id: u32, status: &str) -> ObjectView {
    ObjectView {
        kind,
        proxy: proxy.into(),
        name: name.into(),
        proxy_id,
        id,
        http: true,
        status: status.into(),
        folded: Tally::new(1).fold(Tick::from_millis(0)),
        current: 0,
        limit: Some(1000),
        address: None,
        last_change: None,
        last_session: None,
        rate_limit: 0,
        back: None,
        server: None,
    }
}
