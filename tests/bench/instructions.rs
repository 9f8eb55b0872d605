//! Instructions per request, by callgrind: slow, blind to what the kernel does, but the same within a thousandth on
//! every run.
//!
//! Each contender runs twice under the simulator, for two fixed numbers of requests, over one connection or over one
//! each as the scenario has it; the difference leaves out what starting and stopping cost.
//!
//! The simulator hides the kernel's shared page, which rustix's raw system calls look for: give it, by `SLUICE`, a
//! program built with `RUSTFLAGS=--cfg=rustix_use_libc`.

use crate::backend::Backend;
use crate::contender::{Contender, Running};
use crate::hold;
use crate::scenario::{Load, Scenario};

const FEW: u64 = 500;
const MANY: u64 = 2_500;

/// Prints a line a contender.
pub(crate) fn count(scenario: &Scenario, contenders: &[Contender]) -> Result<(), String> {
    let Load::Requests(http) = &scenario.load else {
        return Err("only scenarios of requests are counted".to_owned());
    };
    println!("### {}: instructions per request, user part", scenario.name);
    for &contender in contenders {
        let (few, many) = (
            simulate((scenario, http.fresh), contender, FEW)?,
            simulate((scenario, http.fresh), contender, MANY)?,
        );
        let per_request = many.saturating_sub(few) / (MANY - FEW);
        println!("{:8} {per_request}", contender.name());
    }
    Ok(())
}

fn simulate(
    (scenario, fresh): (&Scenario, bool),
    contender: Contender,
    requests: u64,
) -> Result<u64, String> {
    let backend = Backend::start(&scenario.answer).map_err(|e| format!("backend: {e}"))?;
    let running = Running::start_simulated(contender, scenario, backend.address())?;
    hold::requests(&running, (scenario, fresh), requests)
        .map_err(|e| format!("{}: {e}", contender.name()))?;
    let said = running.finish();
    // The threads of one process, and processes, are summed up separately.
    let counted: u64 = said
        .lines()
        .filter_map(|line| line.split_once("Collected : "))
        .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
        .sum();
    if counted == 0 {
        return Err(format!(
            "{}: valgrind counted nothing:\n{said}",
            contender.name()
        ));
    }
    Ok(counted)
}
