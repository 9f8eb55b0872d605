//! What the tests of fetches and converters share: reading an expression and looking at its text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::http::{Head, Status, Version};
use crate::lang::Env;
use crate::pattern::Library;

use super::census::{
    BackendGauge, Census, Change, FrontendGauge, ProcessGauge, ServerGauge, TableGauge,
};
use super::expr::{Expr, NoNamedTests, Reader, Sampled};
use super::facts::{
    ClientFacts, Clocks, Counter, Facts, Timeouts, Timers, TlsFacts, UpstreamFacts,
};
use super::names::Names;
use super::vars::{VarName, Vars};
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::time::Tick;
use crate::value::Value;

/// Reads an expression in an empty configuration.
pub(crate) fn read(text: &str) -> Result<Expr, String> {
    with_reader(|reader| Expr::parse_text(text, reader)).map_err(|diag| diag.message)
}

/// Lends what reads expressions in an empty configuration.
pub(crate) fn with_reader<R>(work: impl FnOnce(Reader<'_>) -> R) -> R {
    let library = Library::new(Box::new(|path| match path {
        "/map" => Ok(b"a 1\nb two\n/x pre\n.com dot\n10.0.0.0/8 net\n7 seven\n".to_vec()),
        "/nums" => Ok(b"7 seven\n".to_vec()),
        "/nets" => Ok(b"10.0.0.0/8 net\n".to_vec()),
        "/ints" => Ok(b"a 1\nb 2\n".to_vec()),
        "/addrs" => Ok(b"a 10.0.0.1\n".to_vec()),
        "/regs" => Ok(b"^/u/([0-9]+)/(.*)$ id=\\1,rest=\\2\n".to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    }));
    work(Reader {
        library: &library,
        named: &NoNamedTests,
        env: &Env::default(),
    })
}

/// Clocks that stand still.
impl Clocks for (Timers, Timeouts) {
    fn timers(&self) -> Timers {
        self.0
    }

    fn timeouts(&self) -> Timeouts {
        self.1
    }
}

/// Lends facts in which the client's side and the server's have settled the same TLS.
pub(crate) fn with_tls(settled: TlsFacts, look: impl FnOnce(&Facts<'_>)) {
    let tls = Arc::new(settled);
    let client = ClientFacts {
        tls: Some(&tls),
        ..ClientFacts::default()
    };
    let upstream = UpstreamFacts {
        tls: Some(Arc::clone(&tls)),
        ..UpstreamFacts::default()
    };
    look(&Facts {
        client: Some(&client),
        upstream: Some(&upstream),
        ..Facts::none()
    });
}

/// The text of an expression's value.
pub(crate) fn text_of(facts: &Facts<'_>, text: &str) -> Option<String> {
    let expr = read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    match expr.eval(facts) {
        Sampled::Got(value) => {
            let out = value.into_text();
            Some(String::from_utf8_lossy(&out).into_owned())
        }
        Sampled::Absent => None,
        Sampled::NotYet => Some("NOT YET".to_string()),
    }
}

/// Asserts the text of an expression's value.
#[track_caller]
pub(crate) fn yields_with(facts: &Facts<'_>, text: &str, want: &str) {
    assert_eq!(text_of(facts, text).as_deref(), Some(want), "{text}");
}

/// Asserts the text of an expression that needs no facts.
#[track_caller]
pub(crate) fn yields(text: &str, want: &str) {
    yields_with(&Facts::none(), text, want);
}

/// Asserts that an expression has no value.
#[track_caller]
pub(crate) fn absent_with(facts: &Facts<'_>, text: &str) {
    assert_eq!(text_of(facts, text), None, "{text}");
}

/// Asserts that an expression has no value without facts.
#[track_caller]
pub(crate) fn absent(text: &str) {
    absent_with(&Facts::none(), text);
}

/// Asserts that an expression is refused with a sentence that contains `part`.
#[track_caller]
pub(crate) fn refused(text: &str, part: &str) {
    let why = read(text).expect_err("must be refused");
    assert!(why.contains(part), "{text}: {why}");
}

/// A head from its text.
pub(crate) fn request(text: &str) -> Head {
    let mut head = Head::new();
    let mut lines = text.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    match words.as_slice() {
        [method, target, version] => {
            let version = match *version {
                "HTTP/1.0" => Version::Http10,
                _ => Version::Http11,
            };
            head.set_request(method.as_bytes(), target.as_bytes(), version);
        }
        _ => panic!("no request line"),
    }
    fields(&mut head, lines);
    head
}

/// A response's head from its status and fields.
pub(crate) fn response(status: u16, text: &str) -> Head {
    let mut head = Head::new();
    head.set_response(Version::Http11, Status::new(status), b"");
    fields(&mut head, text.split("\r\n"));
    head
}

fn fields<'a>(head: &mut Head, lines: impl Iterator<Item = &'a str>) {
    for line in lines.filter(|l| !l.is_empty()) {
        let (name, value) = line.split_once(':').expect("a field");
        head.push(name.as_bytes(), value.trim().as_bytes());
    }
}

/// The bytes of an expression's value.
#[track_caller]
pub(crate) fn bytes_of(facts: &Facts<'_>, text: &str) -> Vec<u8> {
    let expr = read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    let value = expr
        .eval(facts)
        .value()
        .unwrap_or_else(|| panic!("{text} has no value"));
    value.as_bytes().expect("bytes").to_vec()
}

/// A store of variables for tests.
#[derive(Debug, Default)]
pub(crate) struct Shelf(RefCell<BTreeMap<String, (VarName, Value<'static>)>>);

impl Vars for Shelf {
    fn read(&self, name: &VarName) -> Option<Value<'static>> {
        self.0
            .borrow()
            .get(&name.to_string())
            .map(|(_, v)| v.clone())
    }
    fn write(&self, name: &VarName, value: Value<'static>) -> bool {
        let entry = (name.clone(), value);
        self.0.borrow_mut().insert(name.to_string(), entry);
        true
    }
    fn forget(&self, name: &VarName) {
        self.0.borrow_mut().remove(&name.to_string());
    }
    fn each(&self, show: &mut dyn FnMut(&VarName, &Value<'_>)) {
        for (name, value) in self.0.borrow().values() {
            show(name, value);
        }
    }
}

/// A site with one frontend `fe`, backend `be`, server `s1` and table `t`, in which every number
/// is 42.
#[derive(Debug)]
pub(crate) struct Site;

impl Names for Site {
    fn proxy(&self) -> &str {
        "be"
    }
    fn frontend(&self, name: &str) -> Option<FrontendId> {
        (name == "fe").then(|| FrontendId::new(0))
    }
    fn backend(&self, name: &str) -> Option<BackendId> {
        (name == "be").then(|| BackendId::new(0))
    }
    fn server(&self, _: BackendId, name: &str) -> Option<ServerId> {
        (name == "s1").then(|| ServerId::new(0))
    }
    fn table(&self, name: &str) -> Option<TableId> {
        (name == "t").then(|| TableId::new(0))
    }
    fn has_users(&self, name: &str) -> bool {
        name == "users"
    }
}

impl Census for Site {
    fn frontend(&self, _: FrontendId, _: FrontendGauge) -> i64 {
        42
    }
    fn backend(&self, _: BackendId, _: BackendGauge) -> i64 {
        42
    }
    fn server(&self, _: ServerId, _: ServerGauge) -> i64 {
        42
    }
    fn process(&self, _: ProcessGauge) -> i64 {
        42
    }
    fn listener_conns(&self, _: FrontendId, _: u32) -> i64 {
        42
    }
    fn backend_named(&self, name: &[u8]) -> Option<BackendId> {
        (name == b"be").then(|| BackendId::new(0))
    }
    fn frontend_named(&self, name: &[u8]) -> Option<FrontendId> {
        (name == b"fe").then(|| FrontendId::new(0))
    }
    fn server_named(&self, _: BackendId, name: &[u8]) -> Option<ServerId> {
        (name == b"s1").then(|| ServerId::new(0))
    }
    fn table(&self, _: TableId, _: TableGauge) -> i64 {
        42
    }
    fn entry(&self, _: TableId, key: &Value<'_>, _: Counter, _: Tick) -> Option<i64> {
        self.has_entry(TableId::new(0), key).then_some(42)
    }
    fn has_entry(&self, _: TableId, key: &Value<'_>) -> bool {
        matches!(key, Value::Str(text) if **text == *b"k") || key.as_ip().is_some()
    }
    fn change(&self, _: TableId, _: &Value<'_>, _: Counter, how: Change, _: Tick) -> Option<i64> {
        Some(match how {
            Change::Increment => 43,
            Change::Clear => 42,
        })
    }
    fn authenticates(&self, list: &str, user: &[u8], password: &[u8]) -> bool {
        (list, user, password) == ("users", b"u", b"p")
    }
    fn in_group(&self, _: &str, user: &[u8], group: &[u8]) -> bool {
        user == b"u" && group == b"g"
    }
    fn random(&self) -> u64 {
        4
    }
    fn hostname(&self) -> Cow<'_, str> {
        Cow::Borrowed("host")
    }
    fn utc_offset(&self, _: i64) -> i32 {
        3600
    }
    fn is_local(&self, _: std::net::IpAddr) -> bool {
        true
    }
    fn log_server(&self, _: BackendId, line: &[u8]) -> Option<usize> {
        line.last().map(|byte| usize::from(byte.wrapping_sub(b'0')))
    }
}
