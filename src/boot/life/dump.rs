//! What a process says of itself on SIGHUP.

use std::sync::atomic::Ordering::Relaxed;

use crate::boot::console::Console;
use crate::site::Site;
use crate::stats::Count;
use crate::sys::clock;
use crate::time::Tick;
use crate::worker::Office;

/// `SIGHUP`: the state of everything, for an operator who cannot reach the stats socket.
pub(super) fn dump(site: &Site, office: &Office, console: &Console) {
    let now = Tick::from_millis(clock::monotonic_ms());
    for backend in &site.backends {
        let name = &backend.name;
        console.notice(&format!(
            "SIGHUP received, dumping servers states for proxy {name}."
        ));
        for id in backend.servers.iter() {
            let server = site.server(*id);
            console.notice(&format!(
                "SIGHUP: Server {name}/{} is {}. Conn: {} act, {} pend, {} tot.",
                server.name,
                server.health.label(),
                server.slots.in_use(),
                server.line.len(),
                server.tally.fold(now).count(Count::Sessions)
            ));
        }
    }
    for frontend in site.frontends.iter().filter(|f| !f.hidden) {
        console.notice(&format!(
            "SIGHUP: Proxy {}: {} clients, {} in all.",
            frontend.name,
            frontend.connections.load(Relaxed),
            frontend.tally.fold(now).count(Count::Connections)
        ));
    }
    let clients = office.clients();
    console.notice(&format!("SIGHUP: {clients} clients are connected."));
}
