//! What the tests of these rooms show: the objects of [`stats::rig`](crate::stats::rig), a table and a nameserver.

use super::{NameserverView, Scope, Surroundings, TableView, write};
use crate::stats::info::InfoView;

/// All that a scope shows.
pub(super) fn text(scope: &Scope) -> String {
    let tables = vec![TableView {
        name: "be".into(),
        kind: "ip",
        size: 1024,
        used: 3,
    }];
    let info = InfoView {
        threads: 2,
        version: "9.9".into(),
        ..InfoView::default()
    };
    let nameservers = vec![NameserverView {
        section: "default".into(),
        name: "ns".into(),
        counts: vec![("sent", 4)],
    }];
    let around = Surroundings {
        info: info.finish(),
        tables,
        nameservers,
    };
    let mut out = String::new();
    write(&crate::stats::rig::snapshot(), &around, scope, &mut out);
    out
}
