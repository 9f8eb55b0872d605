//! A process for tests: one frontend `f`, one backend `b` with a server `s1`, a map `m`, a table
//! `t`, a ring `r`; orders are written down.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::Mode;
use super::figures::{Column, Pools};
use crate::dns::run::{NameserverFigures, Story};
use crate::id::{BackendId, FrontendId, ServerId};
use crate::lang::{Cursor, Env, lexer};
use crate::log::Ring;
use crate::pattern::{Library, Purpose};
use crate::sample::{VarName, Vars};
use crate::site::{Level, Needed, SeverityOutput};
use crate::stats::{InfoView, Snapshot};
use crate::stick::{self, Table};
use crate::stream::{Inquiry, Roundup, Wanted};
use crate::time::{Millis, Tick};
use crate::value::Value;

use super::operator::{Operator, Order, ServerRow, SocketRow};
use super::session::{Progress, Session};

pub(super) struct Process {
    library: Arc<Library>,
    tls: Arc<crate::tls::Store>,
    tables: Vec<Table>,
    ring: Arc<Ring>,
    vars: Store,
    orders: Vec<String>,
    /// The modes that commands needed.
    pub(super) used: Vec<Mode>,
    /// Why no server can be taken away.
    pub(super) needed: Option<Needed>,
}

#[derive(Default)]
struct Store(RefCell<BTreeMap<String, Value<'static>>>);

impl Vars for Store {
    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        self.0.borrow().get(&name.to_string()).cloned()
    }
    fn write(&self, name: &VarName, value: Value<'static>) -> bool {
        self.0.borrow_mut().insert(name.to_string(), value);
        true
    }
    fn forget(&self, name: &VarName) {
        self.0.borrow_mut().remove(&name.to_string());
    }
    fn each(&self, _: &mut dyn FnMut(&VarName, &Value<'_>)) {}
}

impl Default for Process {
    fn default() -> Process {
        let library = Library::new(Box::new(|_| Ok(b"k0 v0\n".to_vec())));
        library.file("m", Purpose::Map, "a map").expect("a map");
        let ring = Ring::new("r".into(), None, 1024);
        ring.push(b"one\n");
        ring.push(b"two\n");
        Process {
            library: Arc::new(library),
            tls: Arc::default(),
            tables: vec![table()],
            ring: Arc::new(ring),
            vars: Store::default(),
            orders: Vec::new(),
            used: Vec::new(),
            needed: None,
        }
    }
}

/// A table from its line in the configuration.
fn table() -> Table {
    let env = Env::default();
    let words =
        lexer::read("stick-table type ip size 100 expire 1h store gpc0", &env).expect("a line");
    let mut cur = Cursor::after(&words, 1, &env);
    let mut draft = stick::Draft::default();
    (stick::KEYWORDS[0].parse)(&mut cur, &mut draft).expect("legal");
    let settings = draft.table.expect("a table").settings;
    Table::new("t".into(), settings)
}

impl Process {
    /// The lines of a map.
    pub(super) fn map(&self, name: &str) -> String {
        let reference = self.library.by_name(name).expect("the map");
        let entries = reference.entries(None, 0, 100).expect("in force");
        let shown = entries.iter().map(|entry| {
            format!(
                "{}={}",
                String::from_utf8_lossy(&entry.key),
                String::from_utf8_lossy(&entry.value)
            )
        });
        shown.collect::<Vec<_>>().join(" ")
    }
}

impl Operator for Process {
    fn now(&self) -> Tick {
        Tick::from_millis(1)
    }
    fn uptime(&self) -> Millis {
        Millis::seconds(86_400 + 3600 + 60 + 1)
    }
    fn version(&self) -> &str {
        "9.9"
    }
    fn info(&mut self) -> InfoView {
        InfoView::default()
    }
    fn snapshot(&mut self) -> Snapshot {
        Snapshot::default()
    }
    fn stats_file(&self) -> String {
        "#fe guid,\n".to_owned()
    }
    fn patterns(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }
    fn tls(&self) -> Arc<crate::tls::Store> {
        Arc::clone(&self.tls)
    }
    fn tables(&self) -> &[Table] {
        &self.tables
    }
    fn rings(&self) -> Vec<Arc<Ring>> {
        vec![Arc::clone(&self.ring)]
    }
    fn variables(&self) -> &dyn Vars {
        &self.vars
    }
    fn environment(&self) -> Vec<(String, String)> {
        vec![("HOME".to_owned(), "/root".to_owned())]
    }
    fn startup_logs(&self) -> String {
        String::new()
    }
    fn drains(&self) -> String {
        "#<PID>\n".to_owned()
    }
    fn sandbox(&self) -> String {
        "no new privileges: yes\n".to_owned()
    }
    fn sockets(&self) -> Vec<SocketRow> {
        vec![SocketRow {
            address: "unix@/s".to_owned(),
            level: "admin",
        }]
    }
    fn backend(&self, name: &str) -> Option<BackendId> {
        (name == "b").then(|| BackendId::new(0))
    }
    fn frontend(&self, name: &str) -> Option<FrontendId> {
        (name == "f").then(|| FrontendId::new(0))
    }
    fn server(&self, _: BackendId, name: &str) -> Option<ServerId> {
        (name == "s1").then(|| ServerId::new(0))
    }
    fn proxy(&self, word: &str) -> Option<u32> {
        matches!(word, "f" | "b" | "3").then_some(3)
    }
    fn backend_names(&self) -> Vec<String> {
        vec!["b".to_owned()]
    }
    fn servers(&self, _: Option<BackendId>) -> Vec<ServerRow> {
        vec![ServerRow {
            backend: (3, "b".to_owned()),
            server: (1, "s1".to_owned()),
            address: "127.0.0.1".to_owned(),
            port: 80,
            operational: 2,
            weights: (5, 10),
            since_change: 1,
            check: [8, 2, 0, 6],
            connections: [0, 1, 0, 0, -1],
            idle: vec![0, 0],
            purge_delay: Millis::new(5000),
            ..ServerRow::default()
        }]
    }
    fn weights(&self, _: ServerId) -> (u32, u32) {
        (5, 10)
    }
    fn anon_key(&self) -> u32 {
        0
    }
    fn random(&mut self) -> u32 {
        99
    }
    fn streams(&mut self, asked: Inquiry) -> Arc<Roundup> {
        // The first is a minute old.
        let known = |id: &u64| match asked.wanted {
            Wanted::All => true,
            Wanted::One(only) => only == *id,
            Wanted::Older(age) => *id == 1 && age.get() < 60_000,
            Wanted::Endless => false,
        };
        let lines = [1, 2].iter().filter(|id| known(id));
        let lines = lines.map(|id| format!("{id:#x}: proto=tcpv4")).collect();
        Arc::new(Roundup::complete(lines))
    }
    fn is_removable(&self, _: ServerId) -> Result<(), Needed> {
        self.needed.map_or(Ok(()), Err)
    }
    fn errors(&mut self, _: Option<u32>, _: Option<bool>) -> String {
        "Total events captured on [] : 0\n".to_owned()
    }
    fn activity(&self, column: Column) -> String {
        format!("{column:?}\n")
    }
    fn pools(&self, asked: &Pools) -> String {
        format!("{asked:?}\n")
    }
    fn threads(&self) -> String {
        "threads\n".to_owned()
    }
    fn tasks(&self) -> String {
        "tasks\n".to_owned()
    }
    fn resolvers(&mut self, _: Option<&str>) -> Result<String, String> {
        Ok(String::new())
    }
    fn nameservers(&self) -> Vec<NameserverFigures> {
        vec![NameserverFigures {
            name: "n".to_owned(),
            section: "r".to_owned(),
            counters: vec![("sent", 2), ("snd_error", 0)],
        }]
    }
    fn explain(&mut self, name: &str) -> Result<Story, String> {
        let story = Story::default();
        let _ = story.set(format!("name {name}\n"));
        Ok(story)
    }
    fn peers(&self, _: &str) -> Option<String> {
        Some(String::new())
    }
    fn caches(&self) -> Vec<String> {
        Vec::new()
    }
    fn note_use(&mut self, mode: Mode) {
        self.used.push(mode);
    }
    fn carry_out(&mut self, order: &Order<'_>) -> Result<Option<String>, String> {
        self.orders.push(format!("{order:?}"));
        Ok(None)
    }
}

/// A session of this level.
pub(super) fn session(level: Level) -> Session {
    Session::new(level, SeverityOutput::None)
}

/// What a fresh process answers.
pub(super) fn ask(level: Level, text: &str) -> String {
    ask_in(&mut Process::default(), level, text)
}

/// What this process answers to a connection that sends `text` and nothing more.
pub(super) fn ask_in(process: &mut Process, level: Level, text: &str) -> String {
    let mut session = session(level);
    session.feed(text.as_bytes());
    session.end();
    let mut out = Vec::new();
    for _ in 0..100_000 {
        if session.step(process, &mut out) == Progress::Close {
            return String::from_utf8_lossy(&out).into_owned();
        }
    }
    panic!("the session does not end");
}

/// The orders a line leads to.
pub(super) fn orders(line: &str) -> String {
    let mut process = Process::default();
    ask_in(&mut process, Level::Admin, &format!("{line}\n"));
    process.orders.join("|")
}
