//! What an agent wants of its server, carried out in HAProxy's order: mode, weight, limit, and then its health.

use crate::check::Admin;
use crate::check::agent::{AgentMode, AgentReply};
use crate::id::ServerId;
use crate::site::{Change, WeightChange};
use crate::stream::Kit;
use crate::time::Tick;

impl Kit {
    /// Carries out what an agent answered to the question of `began`.
    pub(super) fn obey_agent(&mut self, id: ServerId, reply: &AgentReply, began: Tick) {
        let orders: &[(Admin, bool)] = match reply.mode {
            None => &[],
            Some(AgentMode::Ready) => &[(Admin::Drain, false), (Admin::Maintenance, false)],
            Some(AgentMode::Drain) => &[(Admin::Drain, true), (Admin::Maintenance, false)],
            Some(AgentMode::Maintenance) => &[(Admin::Maintenance, true), (Admin::Drain, false)],
        };
        for &(order, on) in orders {
            self.change_server(id, &Change::Ordered(order, on));
        }
        let site = self.site.clone();
        let mut warning = None;
        if let Some(percent) = reply.weight_percent {
            match site.reweigh(id, WeightChange::Percent(percent)) {
                Ok(aftermath) => self.carry_out(aftermath),
                Err(sentence) => warning = Some(sentence),
            }
        }
        if let Some(limit) = reply.max_conn {
            site.server(id).set_limit(limit);
            self.settle_server(id);
        }
        let report = reply.report(warning);
        let duration = self.now.since(began);
        self.change_server(id, &Change::Agent(&report, duration, reply.state));
    }
}
