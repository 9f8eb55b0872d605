//! Exchanges that the process answers itself: the statistics page, and services that rules name.

use super::scene::put_answer;
use super::stage::Step;
use super::{Cause, Kit, Phase, Stage, Stream};
use crate::http::{Known, Method, Status};
use crate::mux::Inner;
use crate::rule;
use crate::site::{PageOf, Rules, Visit};

/// The statistics page, as logs name it.
const PAGE: &str = "<STATS>";
/// The one service there is, as logs name it.
const SERVICE: &str = "<PROMEX>";

impl Stream {
    /// Shows the statistics page of a proxy to whoever asks for it; nothing if the request is for something else.
    pub(super) fn visit(&mut self, kit: &mut Kit, rules: &Rules, of: PageOf) -> Option<Step> {
        let site = kit.site.clone();
        let page = site.stats_page(of)?;
        let head = self.request.head()?;
        page.rest(head.target())?;
        if !matches!(head.method(), Method::Get | Method::Head | Method::Post) {
            return None;
        }
        let admitted = page.admits(head.get_known(Known::Authorization));
        self.served_by = Some(PAGE);
        if !admitted {
            return Some(self.challenge(kit, &page.realm));
        }
        if let Some(step) = self.decide_by(kit, &rules.stats_request) {
            return Some(step);
        }
        let admin = !rules.stats_admin.is_empty()
            && self
                .with_scene(kit, true, |scene| rules.stats_admin.holds(&scene.view()))
                .unwrap_or(false);
        let inner = kit.doors.page(Visit { page: of, admin });
        Some(self.serve_by(kit, inner, PAGE))
    }

    /// Lets an inner service answer.
    pub(super) fn serve(&mut self, kit: &mut Kit, name: &str) -> Step {
        match kit.doors.service(name) {
            Some(inner) => self.serve_by(kit, inner, SERVICE),
            None => self.reply(kit, Status::new(500), Cause::Internal, Phase::Request),
        }
    }

    pub(super) fn serve_by(
        &mut self,
        kit: &Kit,
        inner: Box<dyn Inner>,
        name: &'static str,
    ) -> Step {
        self.inner = Some(inner);
        self.served_by = Some(name);
        // Nobody waits in line or connects for it: those times are zero, not unknown.
        self.txn.queue = Some(self.txn.elapsed(kit.now));
        self.txn.connect = self.txn.queue;
        self.txn.end(Cause::Local, Phase::Request);
        Step::Go(Stage::Response)
    }

    /// Whether what goes to the client is the statistics page.
    pub(super) fn shows_page(&self) -> bool {
        self.served_by == Some(PAGE)
    }

    /// Asks for a user and a password.
    // haproxy, a visit of the statistics page without a password: is logged with status 400; here: is logged with the 401 that the client gets.
    fn challenge(&mut self, kit: &mut Kit, realm: &str) -> Step {
        let status = Status::new(401);
        self.begin_reply(kit, status, Cause::Local, Phase::Request);
        let site = kit.site.clone();
        let pages = &site.frontend(self.frontend).rules.pages;
        let answer = pages.page(status.code()).answer(rule::Cause::Auth);
        let mut head = Box::new(answer.head.clone());
        let field = format!("Basic realm=\"{realm}\"");
        head.push(b"www-authenticate", field.as_bytes());
        put_answer(&mut self.response, head, answer.body.bytes());
        self.decide_after(kit);
        Step::Go(Stage::Relay)
    }
}
