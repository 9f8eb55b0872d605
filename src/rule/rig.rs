//! A stage for tests: one message, a store of variables, a world that writes down what it is asked.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::acl::Book;
use crate::http::{Head, Status, Version};
use crate::id::{BackendId, FrontendId, ServerId, TableId};
use crate::lang::lexer;
use crate::lang::{Diag, Env, FileId, Span, Word};
use crate::log::Record;
use crate::sample::{BodyView, Captures, Counter, Facts, Names, Place, VarName, Vars};
use crate::value::Value;

use super::action::Context;
use super::flow::Flow;
use super::phase::Phase;
use super::ruleset::{Position, RuleSet, Written};
use super::scene::{
    CacheUse, Cached, Desk, PatternEdit, Query, Resolution, Room, Scene, Step, Wishes, World,
};
use super::switching::Choices;

/// The stage.
#[derive(Default)]
pub(super) struct Rig {
    request: Option<Head>,
    response: Option<Head>,
    body: (Vec<u8>, bool),
    vars: Store,
    slots: Slots,
    desk: Desk,
    pub(super) room: Room,
    pub(super) wishes: Wishes,
    pub(super) world: Diary,
}

/// A world that writes down what it is asked.
#[derive(Default)]
pub(super) struct Diary {
    pub(super) tracked: Vec<(usize, String)>,
    pub(super) counted: Vec<(usize, Counter, Step)>,
    pub(super) edits: Vec<String>,
    pub(super) answer: Option<Resolution>,
    pub(super) cached: bool,
    pub(super) kept: Vec<String>,
}

impl World for Diary {
    fn record(&self) -> Record<'_> {
        Record {
            frontend: "fe",
            ..Record::none()
        }
    }
    fn is_tracking(&self, slot: usize) -> bool {
        self.tracked.iter().any(|(taken, _)| *taken == slot)
    }
    fn track(&mut self, slot: usize, _: TableId, key: &Value<'_>) {
        self.tracked.push((slot, text(key)));
    }
    fn count(&mut self, slot: usize, what: Counter, step: Step) {
        self.counted.push((slot, what, step));
    }
    fn edit_patterns(&mut self, edit: &PatternEdit<'_>) {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.edits.push(match edit {
            PatternEdit::AddAcl { file, key } => format!("add-acl {file} {}", shown(key)),
            PatternEdit::DelAcl { file, key } => format!("del-acl {file} {}", shown(key)),
            PatternEdit::SetMap { file, key, value } => {
                format!("set-map {file} {} {}", shown(key), shown(value))
            }
            PatternEdit::DelMap { file, key } => format!("del-map {file} {}", shown(key)),
        });
    }
    fn resolve(&mut self, _: &Query<'_>) -> Resolution {
        self.answer.unwrap_or(Resolution::Failed)
    }
    fn cached(&mut self, _: &CacheUse<'_>, _: &Head) -> Cached {
        match self.cached {
            true => Cached::Answer,
            false => Cached::Nothing,
        }
    }
    fn keep(&mut self, cache: &str, _: &Head) {
        self.kept.push(cache.to_owned());
    }
}

fn text(value: &Value<'_>) -> String {
    let mut out = Vec::new();
    value.write_text(&mut out);
    String::from_utf8_lossy(&out).into_owned()
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

#[derive(Default)]
struct Slots(RefCell<BTreeMap<usize, Vec<u8>>>);

impl Captures for Slots {
    fn request(&self, slot: usize) -> Option<Cow<'_, [u8]>> {
        self.0.borrow().get(&slot).cloned().map(Cow::Owned)
    }
    fn response(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
    fn store_request(&self, slot: usize, bytes: &[u8]) {
        self.0.borrow_mut().insert(slot, bytes.to_vec());
    }
    fn store_response(&self, _: usize, _: &[u8]) {}
}

struct Tables;

impl Names for Tables {
    fn proxy(&self) -> &str {
        "fe"
    }
    fn frontend(&self, _: &str) -> Option<FrontendId> {
        None
    }
    fn backend(&self, _: &str) -> Option<BackendId> {
        None
    }
    fn server(&self, _: BackendId, _: &str) -> Option<ServerId> {
        None
    }
    fn table(&self, name: &str) -> Option<TableId> {
        (name == "t").then(|| TableId::new(0))
    }
    fn has_cache(&self, name: &str) -> bool {
        name == "c"
    }
    fn bandwidth(&self, name: &str) -> Option<bool> {
        ["lim", "all"].contains(&name).then_some(name == "all")
    }
    fn has_users(&self, _: &str) -> bool {
        false
    }
}

impl Rig {
    /// A stage with a request: a start line and fields, one a line.
    pub(super) fn request(message: &str) -> Rig {
        let mut lines = message.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut head = Head::new();
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        head.set_request(method.as_bytes(), target.as_bytes(), Version::Http11);
        push(&mut head, lines);
        Rig {
            request: Some(head),
            body: (Vec::new(), true),
            ..Rig::default()
        }
    }

    /// A stage with a response.
    pub(super) fn response(message: &str) -> Rig {
        let mut lines = message.lines();
        let mut words = lines.next().unwrap_or_default().splitn(3, ' ').skip(1);
        let mut head = Head::new();
        let status = words
            .next()
            .and_then(|code| code.parse().ok())
            .unwrap_or(200);
        let reason = words.next().unwrap_or_default();
        head.set_response(Version::Http11, Status::new(status), reason.as_bytes());
        push(&mut head, lines);
        Rig {
            response: Some(head),
            body: (Vec::new(), true),
            ..Rig::default()
        }
    }

    /// Gives the message a body.
    pub(super) fn body(&mut self, bytes: &[u8], complete: bool) {
        self.body = (bytes.to_vec(), complete);
    }

    /// Runs one rule.
    pub(super) fn run(&mut self, rule: &str) -> Flow {
        self.run_all(&[rule])
    }

    /// Runs rules from the first on.
    pub(super) fn run_all(&mut self, rules: &[&str]) -> Flow {
        self.step(&Rig::compile(rules), &mut Position::default())
    }

    /// Goes on with rules.
    pub(super) fn step(&mut self, rules: &RuleSet, at: &mut Position) -> Flow {
        let body = BodyView {
            bytes: &self.body.0,
            complete: self.body.1,
            awaited: true,
            announced: None,
        };
        let facts = Facts {
            vars: &self.vars,
            captures: &self.slots,
            request_body: body,
            src: self.wishes.src,
            ..Facts::none()
        };
        let mut scene = Scene {
            facts,
            request: self.request.as_mut(),
            response: self.response.as_mut(),
            wishes: &mut self.wishes,
            world: &mut self.world,
            desk: &mut self.desk,
            resumed: false,
            room: self.room,
        };
        rules.run(&mut scene, at)
    }

    /// Looks at the facts.
    pub(super) fn with_facts<R>(&mut self, look: impl FnOnce(&Facts<'_>) -> R) -> R {
        look(&Facts {
            vars: &self.vars,
            request: self.request.as_ref(),
            response: self.response.as_ref(),
            ..Facts::none()
        })
    }

    /// Rules that must be right.
    pub(super) fn compile(rules: &[&str]) -> RuleSet {
        let (set, faults, _) = compiled(rules);
        assert!(faults.is_empty(), "{faults:?}");
        let mut unknown = Vec::new();
        set.resolve(&Tables, &mut unknown);
        assert!(unknown.is_empty(), "{unknown:?}");
        set
    }

    /// The sentence about a rule that is wrong.
    pub(super) fn wrong(rule: &str) -> String {
        let (_, faults, _) = compiled(&[rule]);
        faults
            .into_iter()
            .next()
            .map_or_else(|| format!("{rule} is accepted"), |diag| diag.message)
    }

    /// The warnings about rules.
    pub(super) fn warnings(rules: &[&str]) -> Vec<String> {
        compiled(rules)
            .2
            .into_iter()
            .map(|diag| diag.message)
            .collect()
    }

    /// The fields of the message.
    pub(super) fn fields(&self) -> String {
        let head = self
            .response
            .as_ref()
            .or(self.request.as_ref())
            .expect("a message");
        let fields = head.fields().map(|(name, value)| {
            format!(
                "{}: {}",
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value)
            )
        });
        fields.collect::<Vec<_>>().join("|")
    }

    /// The start line without its version.
    pub(super) fn line(&self) -> String {
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match (&self.response, &self.request) {
            (Some(head), _) => format!("{} {}", head.status().code(), shown(head.reason())),
            (None, Some(head)) => {
                format!("{} {}", shown(head.method_bytes()), shown(head.target()))
            }
            (None, None) => String::new(),
        }
    }

    /// The text of a variable.
    pub(super) fn var(&self, name: &str) -> Option<String> {
        self.vars.0.borrow().get(name).map(text)
    }

    /// What a capture slot holds.
    pub(super) fn captured(&self, slot: usize) -> Option<String> {
        let slots = self.slots.0.borrow();
        slots
            .get(&slot)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }
}

fn push<'l>(head: &mut Head, lines: impl Iterator<Item = &'l str>) {
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        head.push(name.as_bytes(), value.trim().as_bytes());
    }
}

fn compiled(rules: &[&str]) -> (RuleSet, Vec<Diag>, Vec<Diag>) {
    let env = Env::default();
    let mut faults = Vec::new();
    let mut phase = Phase::Request;
    let mut lines = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let (found, line) = written(rule, at);
        phase = found.unwrap_or(phase);
        lines.push(line);
    }
    let mut set = RuleSet::default();
    let warnings = with_context(phase, &env, |context| {
        set = RuleSet::compile(&lines, context, &mut faults);
    });
    (set, faults, warnings)
}

fn with_context(phase: Phase, env: &Env, work: impl FnOnce(&Context<'_>)) -> Vec<Diag> {
    let book = Book::without_files();
    let context = Context {
        phase,
        proxy: "fe",
        front: true,
        back: false,
        http: true,
        reader: book.reader(env),
        book: &book,
        page_sets: &|_| None,
        file_name: &|_| "test.cfg".into(),
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        captures: RefCell::default(),
        warnings: RefCell::default(),
    };
    work(&context);
    context.warnings.take()
}

/// Choices of `use_backend`, or the first sentence about what is wrong.
pub(super) fn choices<T>(rules: &[&str]) -> Result<Choices<T>, String> {
    let env = Env::default();
    let lines: Vec<Written> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| written(rule, at).1)
        .collect();
    let mut faults = Vec::new();
    let mut made = None;
    with_context(Phase::Request, &env, |context| {
        let place = Place::UseBackend;
        made = Some(Choices::compile(
            "use_backend",
            place,
            &lines,
            context,
            &mut faults,
        ));
    });
    match faults.into_iter().next() {
        Some(diag) => Err(diag.message),
        None => Ok(made.expect("compiled")),
    }
}

/// A line's words, and its phase when it begins with a rule keyword.
fn written(rule: &str, at: usize) -> (Option<Phase>, Written) {
    let line = u32::try_from(at + 1).expect("few rules");
    let words = lexed(rule, line);
    let found = Phase::ALL.into_iter().find_map(|phase| {
        let keyword: Vec<&str> = phase.keyword().split(' ').collect();
        let fits = words
            .iter()
            .zip(&keyword)
            .filter(|(word, part)| word.is(part))
            .count();
        (fits == keyword.len()).then_some((phase, keyword.len()))
    });
    let skip = found.map_or(0, |(_, len)| len);
    let keyword = Span {
        line,
        ..Span::default()
    };
    let written = Written {
        inherited: false,
        words: words[skip..].to_vec(),
        keyword,
    };
    (found.map(|(phase, _)| phase), written)
}

fn lexed(rule: &str, line: u32) -> Vec<Word> {
    let env = Env::default();
    let scope = lexer::Scope {
        env: &env,
        file: FileId::default(),
        path: "",
        section: "",
    };
    lexer::words(rule.as_bytes(), line, scope)
        .expect("a line")
        .words
}
