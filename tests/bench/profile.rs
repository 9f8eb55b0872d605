//! Where the time goes: `perf` samples sluice while a scenario's clients are at work.
//!
//! Printed are the shares of the kernel and of the program, then the functions that take most, with what called them
//! left out: a flat list is what one reads first. The samples stay in a file for `perf report` and for whoever draws flames.

use crate::backend::Backend;
use crate::clients;
use crate::contender::{Contender, Running};
use crate::scenario::{Load, Scenario};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Samples a second: odd, so that it does not beat with timers.
const FREQUENCY: &str = "1999";
/// Lines of the list.
const LINES: usize = 45;

/// Prints the profile of one scenario.
pub(crate) fn draw(scenario: &Scenario, window: Duration) -> Result<(), String> {
    let Load::Requests(http) = &scenario.load else {
        return Err("only scenarios of requests are profiled".to_owned());
    };
    let backend = Backend::start(&scenario.answer).map_err(|e| format!("backend: {e}"))?;
    let running = Running::start(Contender::Sluice, scenario, backend.address())?;
    let meter = running.meter().ok_or("no process to profile")?;
    let samples = format!("target/profile-{}.data", scenario.name);
    let mut recorder = Command::new("perf")
        .args([
            "record",
            "-q",
            "-e",
            "cpu-clock",
            "-F",
            FREQUENCY,
            "-g",
            "-o",
            &samples,
            "-p",
        ])
        .arg(meter.root().to_string())
        .args(["--", "sleep", &window.as_secs_f64().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("perf: {e}"))?;
    let measured = clients::measure(&running, scenario, http, window).map_err(|e| e.to_string());
    recorder.wait().map_err(|e| format!("perf: {e}"))?;
    measured?;
    println!("### {}: {}", scenario.name, scenario.about);
    for sort in ["dso", "dso,symbol"] {
        let report = Command::new("perf")
            .args([
                "report",
                "--stdio",
                "-q",
                "--no-children",
                "-g",
                "none",
                "-s",
                sort,
                "-i",
                &samples,
            ])
            .stderr(Stdio::null())
            .output()
            .map_err(|e| format!("perf: {e}"))?;
        let text = String::from_utf8_lossy(&report.stdout).into_owned();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines.take(LINES).for_each(|line| println!("{line}"));
        println!();
    }
    println!("samples: {samples}");
    Ok(())
}
