//! The statistics page as an inner endpoint: one visit, from the request's head (and its form) to the answer.
//!
//! Whose page it is, who may see it and who may change things was decided before; here the request's target says which
//! form of the figures is wanted. A form that is sent is obeyed at once by the [`Operator`] and answered with the address of
//! the page that tells what became of it.

use std::sync::Arc;

use super::Desk;
use super::delivery::{Answer, Delivery};
use super::face::Face;
use super::operator::{AdminState, HealthState, Operator, Order, ServerChange};
use crate::http::{Head, Method, Status};
use crate::id::{BackendId, ServerId};
use crate::mux::{End, Inner, Lane, Lent, Said};
use crate::site::{PageOf, StatsPage, Visit};
use crate::stats::html::{self, Action, Backend, Format, Look, Query, Verdict};
use crate::stats::{InfoView, Selection, Snapshot, json, text};
use crate::time::Tick;
use crate::worker::Office;

/// Bytes of a form; a longer one is not obeyed.
const FORM_LEN_MAX: usize = 16 * 1024;

/// One visit.
#[derive(Debug)]
pub struct Page {
    desk: Arc<Desk>,
    office: Arc<Office>,
    visit: Visit,
    form: Vec<u8>,
    delivery: Option<Delivery>,
}

impl Page {
    /// A visit that has seen nothing yet.
    pub fn new(desk: Arc<Desk>, office: Arc<Office>, visit: Visit) -> Self {
        Self {
            desk,
            office,
            visit,
            form: Vec::new(),
            delivery: None,
        }
    }

    fn page(&self) -> Option<&StatsPage> {
        self.desk.site().stats_page(self.visit.page)
    }

    fn answer(&self, request: &Head, now: Tick) -> Option<Answer> {
        let page = self.page()?;
        let query = Query::read(page.rest(request.target())?);
        Some(if request.method() == Method::Post {
            self.obey(page, query, now)
        } else {
            self.show(page, &query, now)
        })
    }

    /// The figures in the form asked for.
    fn show(&self, page: &StatsPage, query: &Query, now: Tick) -> Answer {
        let snapshot = self.in_scope(page, query, now);
        let selection = Selection {
            up_only: query.up_only,
            no_maintenance: query.no_maintenance,
            ..Selection::default()
        };
        let mut body = Vec::new();
        match query.format {
            Format::Html => body = self.html(page, query, &snapshot).into_bytes(),
            Format::Csv => {
                text::csv(&snapshot, &selection, &mut body);
                // The empty line at the end belongs to the stats socket.
                body.pop();
            }
            Format::Typed => text::typed(&snapshot, &selection, false, &mut body),
            Format::Json => json::stat(&snapshot, &selection, &mut body),
            Format::JsonSchema => json::schema(&mut body),
        }
        let refresh = page.refresh.filter(|_| query.refresh);
        Answer {
            status: Status::OK,
            content_type: query.format.content_type(),
            fields: refresh
                .map(|seconds| ("refresh", seconds.to_string()))
                .into_iter()
                .collect(),
            body,
        }
    }

    /// The proxies that `stats scope` shows, and of those the ones that the request asks for.
    fn in_scope(&self, page: &StatsPage, query: &Query, now: Tick) -> Snapshot {
        let site = self.desk.site();
        let own = match self.visit.page {
            PageOf::Frontend(id) => &site.frontend(id).name,
            PageOf::Backend(id) => &site.backend(id).name,
        };
        let mut snapshot = site.snapshot(now);
        if !page.show_legends {
            snapshot = snapshot.without_legends();
        }
        if !page.scope.is_empty() {
            let shows = |shown: &str, name: &str| match shown {
                "." => name == &**own,
                shown => name == shown,
            };
            snapshot
                .proxies
                .retain(|proxy| page.scope.iter().any(|shown| shows(shown, &proxy.name)));
        }
        if let Some(part) = query.scope.as_deref().map(str::to_ascii_lowercase) {
            let named = |name: &str| name.to_ascii_lowercase().contains(&part);
            snapshot.proxies.retain(|proxy| named(&proxy.name));
        }
        snapshot
    }

    fn html(&self, page: &StatsPage, query: &Query, snapshot: &Snapshot) -> String {
        let info = self.desk.info(&self.office);
        let look = self.look(page, &info);
        let mut out = String::new();
        html::head(&look, query, &info, &mut out);
        for proxy in &snapshot.proxies {
            html::proxy(&look, query, proxy, &mut out);
        }
        html::foot(&mut out);
        out
    }

    fn look(&self, page: &StatsPage, info: &InfoView) -> Look {
        // A line without a name or a text shows the process's own.
        let or_own = |said: &Option<Arc<str>>, own: Option<&str>| {
            let said = said.as_deref()?;
            let shown = if said.is_empty() { own? } else { said };
            Some(shown.to_owned())
        };
        Look {
            uri: String::from_utf8_lossy(&page.uri).into_owned(),
            refresh: page.refresh,
            hide_version: page.hide_version,
            legends: page.show_legends,
            node: or_own(&page.node, Some(&info.node)),
            description: or_own(&page.description, info.description.as_deref()),
            admin: self.visit.admin,
        }
    }

    /// Does what a form asks for; the answer leads to the page that tells.
    fn obey(&self, page: &StatsPage, query: Query, now: Tick) -> Answer {
        let verdict = if !self.visit.admin {
            Verdict::Denied
        } else if self.form.len() > FORM_LEN_MAX {
            Verdict::TooLong
        } else {
            html::parse_form(&self.form).map_or_else(
                |wrong| wrong,
                |order| self.carry_out(&order, &mut Face::new(&self.desk, &self.office, now)),
            )
        };
        let query = Query {
            verdict: Some(verdict),
            ..query
        };
        let uri = String::from_utf8_lossy(&page.uri);
        Answer {
            status: Status::new(303),
            content_type: "text/plain",
            fields: vec![("location", format!("{uri}{}", query.suffix()))],
            body: Vec::new(),
        }
    }

    fn carry_out(&self, form: &html::Order, face: &mut Face<'_>) -> Verdict {
        let Some(backend) = self.backend(&form.backend) else {
            return Verdict::BadParameters;
        };
        let (mut asked, mut done) = (0, 0);
        for name in &form.servers {
            let Some(server) = face.server(backend, name) else {
                asked += 1;
                continue;
            };
            let order = match change(form.action) {
                Some(change) => Order::Server(server, change),
                None => Order::KillStreams(server),
            };
            // What a server refuses, or has no use for, counts as not asked for.
            if self.is_of_use(form.action, server) && face.carry_out(&order).is_ok() {
                asked += 1;
                done += 1;
            }
        }
        verdict(asked, done)
    }

    /// Checks can be stopped where there are some.
    fn is_of_use(&self, action: Action, server: ServerId) -> bool {
        let server = self.desk.site().server(server);
        match action {
            Action::DisableHealth => server.checking.is_some(),
            Action::DisableAgent => server.watch.agent.is_some(),
            Action::Ready
            | Action::Drain
            | Action::Maintain
            | Action::EnableHealth
            | Action::HealthUp
            | Action::HealthStopping
            | Action::HealthDown
            | Action::EnableAgent
            | Action::AgentUp
            | Action::AgentDown
            | Action::Shutdown => true,
        }
    }

    fn backend(&self, named: &Backend) -> Option<BackendId> {
        let site = self.desk.site();
        match named {
            Backend::Name(name) => site.backend_named(name),
            Backend::Id(id) => {
                let place = site.backends.iter().position(|own| own.uuid == *id);
                place.map(BackendId::at)
            }
        }
    }
}

fn verdict(asked: u32, done: u32) -> Verdict {
    match (asked, done) {
        (0, _) => Verdict::Nothing,
        (_, 0) => Verdict::BadParameters,
        _ if asked == done => Verdict::Done,
        _ => Verdict::Partial,
    }
}

/// The change of a server that an action is; none for the one that ends its streams.
fn change(action: Action) -> Option<ServerChange<'static>> {
    Some(match action {
        Action::Ready => ServerChange::State(AdminState::Ready),
        Action::Drain => ServerChange::State(AdminState::Drain),
        Action::Maintain => ServerChange::State(AdminState::Maintenance),
        Action::DisableHealth => ServerChange::Checks(false),
        Action::EnableHealth => ServerChange::Checks(true),
        Action::HealthUp => ServerChange::Health(HealthState::Up),
        Action::HealthStopping => ServerChange::Health(HealthState::Stopping),
        Action::HealthDown => ServerChange::Health(HealthState::Down),
        Action::DisableAgent => ServerChange::AgentChecks(false),
        Action::EnableAgent => ServerChange::AgentChecks(true),
        Action::AgentUp => ServerChange::Agent(true),
        Action::AgentDown => ServerChange::Agent(false),
        Action::Shutdown => return None,
    })
}

impl Inner for Page {
    fn step(&mut self, request: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said {
        let mut came = false;
        while let Some(data) = request.take_data() {
            let room = (FORM_LEN_MAX + 1).saturating_sub(self.form.len());
            self.form.extend_from_slice(&data[..data.len().min(room)]);
            lent.pool.give_back(data);
            came = true;
        }
        if let Some(delivery) = &mut self.delivery {
            return delivery.step(response);
        }
        let Some(head) = request.head() else {
            response.abort();
            return Said::Done;
        };
        let posts = head.method() == Method::Post;
        let awaits = posts && self.visit.admin && self.form.len() <= FORM_LEN_MAX;
        if awaits && request.end() == End::Open {
            return if came { Said::More } else { Said::Listening };
        }
        let Some(answer) = self.answer(head, lent.now) else {
            response.abort();
            return Said::Done;
        };
        let head_only = head.method() == Method::Head;
        let mut delivery = Delivery::begin(answer, head_only, response, lent);
        let said = delivery.step(response);
        self.delivery = Some(delivery);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_count_what_was_asked_and_done() {
        assert_eq!(verdict(0, 0), Verdict::Nothing);
        assert_eq!(verdict(2, 0), Verdict::BadParameters);
        assert_eq!(verdict(2, 2), Verdict::Done);
        assert_eq!(verdict(2, 1), Verdict::Partial);
    }
}
