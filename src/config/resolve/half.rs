//! The rules of one half of a proxy: compiled, taken out of it while names are closed, and put back.

use super::known::Known;
use super::way::{self, Way};
use crate::config::draft::ProxyDraft;
use crate::config::report::Report;
use crate::id::{BackendId, ServerId};
use crate::lang::{Diag, Shape, Span, suggest_name};
use crate::rule::{AnyOf, Choices, Context, Phase, RuleSet, Sticking, Target};
use crate::sample::{Names, Place};
use crate::site::{Backend, Frontend, Rules};

/// One half's, names perhaps not closed yet.
#[derive(Default)]
pub(super) struct Half {
    pub(super) rules: Rules,
    pub(super) use_backend: Choices<BackendId>,
    pub(super) use_server: Choices<ServerId>,
    pub(super) sticking: Sticking,
    pub(super) force_switch: AnyOf,
    pub(super) force_persist: AnyOf,
    pub(super) ignore_persist: AnyOf,
}

/// Compiles the lines of a proxy.
pub(super) fn compile(
    proxy: &ProxyDraft,
    context: &mut Context<'_>,
    faults: &mut Vec<Diag>,
) -> Half {
    let written = &proxy.rule;
    let mut set = |phase: Phase| {
        context.phase = phase;
        RuleSet::compile(written.phase(phase), context, faults)
    };
    let mut rules = Rules {
        connection: set(Phase::Connection),
        session: set(Phase::Session),
        content: set(Phase::RequestContent),
        request: set(Phase::Request),
        response_content: set(Phase::ResponseContent),
        response: set(Phase::Response),
        after: set(Phase::AfterResponse),
        inspect_delay: written.request_delay,
        response_delay: written.response_delay,
        ..Rules::default()
    };
    context.phase = Phase::Request;
    rules.redirects = RuleSet::compile_redirects(&written.redirects, context, faults);
    rules.stats_request = RuleSet::compile(&proxy.stats.requests, context, faults);
    let (backends, servers) = (&written.use_backend, &written.use_server);
    let use_backend = Choices::compile("use_backend", Place::UseBackend, backends, context, faults);
    let use_server = Choices::compile("use-server", Place::Pick, servers, context, faults);
    let sticking = Sticking::compile(&written.sticking, context, faults);
    let mut any =
        |keyword, place, lines: &[_]| AnyOf::compile(keyword, place, lines, context, faults);
    rules.monitor_fail = any("monitor fail", Place::FrontRequest, &written.monitor_fail);
    let place = if proxy.is_front() {
        Place::FrontRequest
    } else {
        Place::BackRequest
    };
    rules.stats_admin = any("stats admin", place, &proxy.stats.admin);
    Half {
        force_switch: any("force-be-switch", Place::UseBackend, &written.force_switch),
        force_persist: any("force-persist", Place::BackRequest, &written.force_persist),
        ignore_persist: any(
            "ignore-persist",
            Place::BackRequest,
            &written.ignore_persist,
        ),
        sticking,
        use_backend,
        use_server,
        rules,
    }
}

impl Half {
    /// Takes the rules out of a frontend.
    pub(super) fn of_front(front: &mut Frontend) -> Half {
        Half {
            rules: std::mem::take(&mut front.rules),
            use_backend: std::mem::take(&mut front.choices),
            force_switch: std::mem::take(&mut front.force_switch),
            ..Half::default()
        }
    }

    /// Puts them back.
    pub(super) fn back_to_front(self, front: &mut Frontend) {
        front.rules = self.rules;
        front.choices = self.use_backend;
        front.force_switch = self.force_switch;
    }

    /// Takes the rules out of a backend.
    pub(super) fn of_back(back: &mut Backend) -> Half {
        Half {
            rules: std::mem::take(&mut back.rules),
            use_server: std::mem::take(&mut back.server_choices),
            sticking: std::mem::take(&mut back.sticking),
            force_persist: std::mem::take(&mut back.force_persist),
            ignore_persist: std::mem::take(&mut back.ignore_persist),
            ..Half::default()
        }
    }

    /// Puts them back.
    pub(super) fn back_to_back(self, back: &mut Backend) {
        back.rules = self.rules;
        back.server_choices = self.use_server;
        back.sticking = self.sticking;
        back.force_persist = self.force_persist;
        back.ignore_persist = self.ignore_persist;
    }

    /// Closes every name in them.
    pub(super) fn close(
        &mut self,
        proxy: &ProxyDraft,
        back: Option<BackendId>,
        known: &Known<'_>,
        report: &mut Report,
    ) {
        let mut faults = Vec::new();
        self.close_expressions(known, &mut faults);
        faults.into_iter().for_each(|diag| report.add(diag));
        for choice in self.use_backend.list_mut() {
            let Target::Named(name) = &choice.target else {
                continue;
            };
            match known.site.backend_named(name) {
                Some(id) => {
                    if let Some(mode) = known.modes.get(&**name) {
                        let target = (*mode, "backend", &**name);
                        way::check(proxy, target, (Way::Rule, choice.span), report);
                    }
                    choice.target = Target::Known(id);
                }
                None => {
                    let all = known.site.backends.iter().map(|back| &*back.name);
                    report.add(way::missing(proxy, name, (Way::Rule, choice.span), all));
                }
            }
        }
        for choice in self.use_server.list_mut() {
            let Target::Named(name) = &choice.target else {
                continue;
            };
            match back.and_then(|back| known.server(back, name)) {
                Some(id) => choice.target = Target::Known(id),
                None => report.add(no_server(proxy, name, choice.span)),
            }
        }
    }

    /// Closes the names in expressions.
    pub(super) fn close_expressions(&self, known: &dyn Names, faults: &mut Vec<Diag>) {
        let rules = &self.rules;
        for set in [
            &rules.connection,
            &rules.session,
            &rules.content,
            &rules.request,
            &rules.redirects,
            &rules.stats_request,
            &rules.response_content,
            &rules.response,
            &rules.after,
        ] {
            set.resolve(known, faults);
        }
        self.use_backend.resolve(known, faults);
        self.use_server.resolve(known, faults);
        self.sticking.resolve(known, faults);
        for any in [
            &rules.monitor_fail,
            &rules.stats_admin,
            &self.force_switch,
            &self.force_persist,
            &self.ignore_persist,
        ] {
            any.resolve(known, faults);
        }
        let identity = rules.unique_id.iter();
        faults.extend(identity.filter_map(|format| format.resolve(known).err()));
        for acl in rules.book.iter().flat_map(|book| book.all()) {
            faults.extend(acl.resolve(known).err());
        }
    }
}

fn no_server(proxy: &ProxyDraft, name: &str, span: Span) -> Diag {
    let near = suggest_name(
        name,
        proxy.back.servers.iter().map(|line| line.name.as_str()),
    );
    let (keyword, own) = (proxy.keyword(), &proxy.name);
    let text = format!(
        "{keyword} '{own}' : unable to find server '{name}' referenced in a 'use-server' rule."
    );
    Diag::alert(span, text)
        .with_shape(Shape::Plain)
        .with_fix_from(near)
}
