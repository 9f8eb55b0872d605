use std::sync::Arc;

use super::*;
use crate::balance::{Algorithm, Policy, Tuning};
use crate::check::{Health, Status, Thresholds};
use crate::site::{Backend, Destination, Lineup, Members, Port};

const LEFT: &str = "0 sessions active, 0 requeued, 0 remaining in queue.";
const ONLINE: &str = "0 sessions requeued, 0 total in queue.";

fn site(servers: usize) -> Site {
    let back = BackendId::at(0);
    let mut site = Site::default();
    for at in 1..=servers {
        let name = Arc::from(format!("s{at}"));
        let mut server = Server::new(name, back, Destination::Unresolved, Port::Fixed(80));
        let thresholds = Thresholds { rise: 1, fall: 1 };
        server.health = Health::new(thresholds, at == 1, Tick::default());
        site.servers.push(server);
    }
    let ids: Members = (0..servers).map(ServerId::at).collect::<Vec<_>>().into();
    let lineup = Lineup {
        servers: &site.servers,
        ids: &ids,
        load: 0,
    };
    let policy = Policy::new(Algorithm::RoundRobin, Tuning::default(), &lineup);
    site.backends
        .push(Backend::new(Arc::from("b"), ids, policy));
    site
}

fn said(site: &Site, at: usize, change: &Change<'_>) -> Vec<(Level, String)> {
    let aftermath = site.change_server(ServerId::at(at), change, Tick::from_millis(9));
    let notices = aftermath.notices.into_iter();
    notices.map(|notice| (notice.level, notice.text)).collect()
}

fn checked(site: &Site, status: Status) -> Vec<(Level, String)> {
    let report = Report::with(status, 0, "why");
    said(site, 0, &Change::Checked(&report, Millis::new(3)))
}

#[test]
fn a_check_that_fails_takes_the_last_server_down() {
    let site = site(1);
    let down = checked(&site, Status::L4Connection);
    let text = "Server b/s1 is DOWN, reason: Layer4 connection problem, info: \"why\", check duration: \
                3ms. 0 active and 0 backup servers left. ";
    assert_eq!(down[0], (Level::Alert, format!("{text}{LEFT}")));
    let text = "backend b has no server available!".to_owned();
    assert_eq!(down[1..], [(Level::Emerg, text)]);
    assert_eq!(checked(&site, Status::L4Connection), []);
    let up = checked(&site, Status::L4Ok);
    assert!(
        up[0]
            .1
            .starts_with("Server b/s1 is UP, reason: Layer4 check passed")
    );
    assert!(up[0].1.ends_with(ONLINE), "{up:?}");
}

#[test]
fn the_reason_is_told_once() {
    let mut site = site(2);
    site.backends[0].log_health_checks = true;
    let down = checked(&site, Status::L4Timeout);
    assert!(
        down[0]
            .1
            .starts_with("Health check for server b/s1 failed, reason: Layer4 timeout")
    );
    let text = "Server b/s1 is DOWN. 1 active and 0 backup servers left. ";
    assert_eq!(down[1], (Level::Alert, format!("{text}{LEFT}")));
}

#[test]
fn a_check_that_cannot_be_made_is_told_once_and_changes_nothing() {
    let site = site(1);
    let told = checked(&site, Status::SocketError);
    let text = "Health check for server b/s1 failed, reason: Socket error, info: \"why\", check duration: 3ms, status: 1/1 UP.";
    assert_eq!(told, [(Level::Notice, text.to_owned())]);
    for _ in 0..5 {
        assert_eq!(checked(&site, Status::SocketError), []);
    }
    assert_eq!(site.servers[0].health.failed(), 0);
    assert_eq!(checked(&site, Status::L4Ok), []);
}

#[test]
fn maintenance_is_entered_and_left() {
    let site = site(2);
    let order = |on| Change::Ordered(Admin::Maintenance, on);
    let text = "Server b/s1 is going DOWN for maintenance. 1 active and 0 backup servers left. ";
    assert_eq!(
        said(&site, 0, &order(true)),
        [(Level::Alert, format!("{text}{LEFT}"))]
    );
    assert_eq!(said(&site, 0, &order(true)), []);
    let text = "Server b/s1 is UP/READY (leaving forced maintenance).".to_owned();
    assert_eq!(said(&site, 0, &order(false)), [(Level::Notice, text)]);
    checked(&site, Status::L4Timeout);
    let text = "Server b/s1 was DOWN and now enters maintenance.".to_owned();
    assert_eq!(said(&site, 0, &order(true)), [(Level::Notice, text)]);
    let text = "Server b/s2 enters drain state. 0 active and 0 backup servers online. ";
    let drain = said(&site, 1, &Change::Ordered(Admin::Drain, true));
    assert_eq!(drain[0], (Level::Notice, format!("{text}{ONLINE}")));
}

#[test]
fn trackers_follow() {
    let mut site = site(3);
    site.servers[1].watch.track = Some(ServerId::at(0));
    site.servers[2].watch.track = Some(ServerId::at(1));
    let texts = |change: &Change<'_>| {
        let said = said(&site, 0, change);
        said.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
    };
    let told = texts(&Change::Ordered(Admin::Maintenance, true));
    assert!(told[1].starts_with("Server b/s2 is going DOWN for maintenance via b/s1. "));
    assert!(told[3].starts_with("backend b has no server"), "{told:?}");
    let told = texts(&Change::Ordered(Admin::Maintenance, false));
    assert_eq!(told[1], "Server b/s2 is UP/READY (leaving maintenance).");
    assert_eq!(told.len(), 3);
    let report = Report::of(Status::L4Timeout);
    let told = texts(&Change::Checked(&report, Millis::ZERO));
    assert!(
        told[2].starts_with("Server b/s3 is DOWN via b/s2. "),
        "{told:?}"
    );
    assert_eq!(site.servers[2].health.label(), "DOWN");
}

#[test]
fn an_operators_word_counts() {
    let site = site(2);
    let told = said(
        &site,
        1,
        &Change::Said(Standing::Stopped, "changed from CLI"),
    );
    assert!(
        told[0]
            .1
            .starts_with("Server b/s2 is DOWN, changed from CLI. 1 active")
    );
    let told = said(
        &site,
        1,
        &Change::Said(Standing::Stopping, "changed from CLI"),
    );
    assert_eq!(told[0].0, Level::Notice);
    assert!(
        told[0]
            .1
            .starts_with("Server b/s2 is stopping, changed from CLI")
    );
}
