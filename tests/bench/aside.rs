//! Threads that stand aside: clients and servers, which work beside the proxy that is measured.
//!
//! Elsewhere they are on other machines and take no processor away from it. Here they share one, and who is woken by a
//! packet would interrupt whoever sent it, thousands of times a second, at the cost of the one that is measured. So they are
//! scheduled as batch jobs (sched(7)): they have their share of the processor, but wait until it is free.

use std::process::{Command, Stdio};
use std::sync::Once;
use std::thread::JoinHandle;

/// Starts a thread that stands aside, as those do that it starts.
pub(crate) fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    std::thread::spawn(move || {
        stand_aside();
        work()
    })
}

fn stand_aside() {
    static TOLD: Once = Once::new();
    let thread = rustix::thread::gettid().as_raw_pid().to_string();
    let asked = Command::new("chrt")
        .args(["--batch", "--pid", "0", &thread])
        .stdout(Stdio::null())
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        TOLD.call_once(|| eprintln!("bench: no chrt: clients and servers interrupt the proxy"));
    }
}
