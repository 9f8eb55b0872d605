//! A network of a test's own: the test program runs itself again in fresh network, mount and host name spaces, with an
//! `/etc` that it may write to. Where the host forbids that, the test says so and passes.

use std::process::Command;

use crate::program::Scratch;

/// The variable that tells the inner run where its `/etc` is.
const MARK: &str = "SLUICE_TEST_NAMESPACE";

/// Whether this is the inner run.
pub(crate) fn inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the ignored test `name` of this program inside, with `variables` in its environment; the output is the inner run's. `None`
/// if the host forbids it.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn run_inside(name: &str, variables: &[(&str, &str)]) -> Option<String> {
    let allowed = Command::new("unshare")
        .args(["-n", "-m", "-u", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !allowed || Command::new(PYTHON).arg("-V").output().is_err() {
        eprintln!("skipped: no namespaces or no {PYTHON} here");
        return None;
    }
    let etc = Scratch::new("etc");
    let program = std::env::current_exe().expect("a running program has a path");
    let script = format!(
        "set -e; cp -a /etc/. {etc}/ 2>/dev/null || true; mount --make-rprivate / 2>/dev/null || true; mount --bind {etc} /etc; \
         ip link set lo up; hostname web1.corp.test; exec {program} --exact {name} --ignored --nocapture --test-threads=1",
        etc = etc.path(""),
        program = program.display(),
    );
    let output = Command::new("unshare")
        .args(["-n", "-m", "-u", "sh", "-c", &script])
        .env(MARK, etc.path(""))
        .envs(variables.iter().copied())
        .output()
        .expect("unshare runs");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "the inner run failed:\n{text}");
    Some(text)
}

/// The interpreter whose `socket.getaddrinfo` is the host's.
pub(crate) const PYTHON: &str = "/usr/bin/python3";
