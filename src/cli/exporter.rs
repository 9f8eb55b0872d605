//! `http-request use-service prometheus-exporter` as an inner endpoint: the figures of everything, in Prometheus' format.

use std::sync::Arc;

use super::Desk;
use super::delivery::{Answer, Delivery};
use crate::codec::percent;
use crate::http::{Head, Method, Status, uri};
use crate::mux::{Inner, Lane, Lent, Said};
use crate::rule::PageSet;
use crate::stats::prometheus::{self, NameserverView, Scope, Surroundings, TableView};
use crate::time::Tick;
use crate::worker::Office;

/// What rules call it.
pub(super) const NAME: &str = "prometheus-exporter";

/// The answer to one request.
#[derive(Debug)]
pub struct Exporter {
    desk: Arc<Desk>,
    office: Arc<Office>,
    delivery: Option<Delivery>,
}

impl Exporter {
    /// An exporter that was not asked yet.
    pub fn new(desk: Arc<Desk>, office: Arc<Office>) -> Self {
        Self {
            desk,
            office,
            delivery: None,
        }
    }

    fn answer(&self, request: Option<&Head>, now: Tick) -> Answer {
        match request.map(scope) {
            Some(Some(scope)) => Answer {
                status: Status::OK,
                content_type: "text/plain; version=0.0.4",
                fields: Vec::new(),
                body: self.figures(&scope, now).into_bytes(),
            },
            Some(None) | None => Answer {
                status: Status::BAD_REQUEST,
                content_type: "text/html",
                fields: Vec::new(),
                body: PageSet::default()
                    .page(400)
                    .answer(crate::rule::Cause::Error)
                    .body
                    .bytes()
                    .to_vec(),
            },
        }
    }

    fn figures(&self, scope: &Scope, now: Tick) -> String {
        let site = self.desk.site();
        let tables = site.tables.iter().map(|table| TableView {
            name: table.name().to_string(),
            kind: table.settings().kind.name(),
            size: table.settings().size,
            used: table.used(),
        });
        let servers = site.resolvers.iter().flat_map(|section| {
            let servers = section.nameservers.iter();
            servers.map(|(server, counters)| NameserverView {
                section: section.name.to_string(),
                name: server.name.clone(),
                counts: counters.each().collect(),
            })
        });
        let around = Surroundings {
            info: self.desk.info(&self.office),
            tables: tables.collect(),
            nameservers: servers.collect(),
        };
        let mut out = String::new();
        prometheus::write(&site.snapshot(now), &around, scope, &mut out);
        out
    }
}

/// What the request chose to see; none: it chose what there is not.
fn scope(request: &Head) -> Option<Scope> {
    let query = uri::query(request.target()).unwrap_or_default();
    let query = percent::decode(query, true)?;
    Scope::read(std::str::from_utf8(&query).ok()?)
}

impl Inner for Exporter {
    fn step(&mut self, request: &mut Lane, response: &mut Lane, lent: &mut Lent<'_>) -> Said {
        // What a request carries beside its head says nothing here.
        while let Some(data) = request.take_data() {
            lent.pool.give_back(data);
        }
        if let Some(delivery) = &mut self.delivery {
            return delivery.step(response);
        }
        let head = request.head();
        let head_only = head.is_some_and(|head| head.method() == Method::Head);
        let answer = self.answer(head, lent.now);
        let mut delivery = Delivery::begin(answer, head_only, response, lent);
        let said = delivery.step(response);
        self.delivery = Some(delivery);
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn chosen(target: &str) -> Option<Scope> {
        let mut head = Head::new();
        head.set_request(b"GET", target.as_bytes(), Version::Http11);
        scope(&head)
    }

    #[test]
    fn the_query_chooses() {
        let all = chosen("/metrics").expect("everything");
        assert!(all.global && all.server);
        let some = chosen("/metrics?scope=backend&no-maint").expect("known");
        assert!(some.backend && some.no_maintenance && !some.global);
        assert_eq!(chosen("/metrics?scope=%2A"), chosen("/metrics"));
        assert_eq!(chosen("/metrics?scope=nothing"), None);
    }
}
