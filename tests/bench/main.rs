//! `make bench`: sluice beside Debian's haproxy, nginx and a bare relay, on this machine, in this run.
//!
//! Every scenario goes through its contenders in interleaved rounds: a fresh process each, the same clients and the same
//! backend (both of our own, threads of this program), a bounded time. Measured is what the proxy's process spends:
//! processor time by the kernel's own count, memory by its high-water mark; and what the clients see. The result is one
//! table of medians, with the ratio of sluice to each other contender round by round, and the spread of that ratio.
//!
//! The relay is the physical limit: it copies bytes between two sockets and parses nothing.
//!
//! Usage: `cargo bench --bench side_by_side -- [NAME…] [--list] [--rounds N] [--seconds S] [--only a,b] [--write]`, or with
//! `--instructions` to have callgrind count instead of the clock.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a measuring tool reads clocks, prints, and rounds its figures"
)]

mod backend;
mod bulk;
mod clients;
mod contender;
mod epoll;
mod hold;
mod instructions;
mod machine;
mod meter;
mod nginx;
mod paced;
mod relay;
mod report;
mod scenario;

use contender::{Contender, Running};
use report::{Figures, Outcome};
use scenario::{Load, Scenario};
use std::process::ExitCode;
use std::time::Duration;

/// What the command line asked for.
struct Options {
    names: Vec<String>,
    rounds: usize,
    seconds: f64,
    only: Vec<String>,
    write: bool,
    list: bool,
    instructions: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == relay::FLAG) {
        return relay::main(&words[1..]);
    }
    let options = match Options::read(&words) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("bench: {wrong}");
            return ExitCode::from(2);
        }
    };
    if options.list {
        for scenario in scenario::all() {
            println!("{:22} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    machine::raise_descriptors();
    let (mut outcomes, mut counted) = (Vec::new(), false);
    for scenario in scenario::all().iter().filter(|s| options.wants(s)) {
        match run(scenario, &options) {
            Ok(None) => counted = true,
            Ok(Some(outcome)) => {
                outcome.print();
                outcomes.push(outcome);
            }
            Err(wrong) => eprintln!("bench: {}: {wrong}", scenario.name),
        }
    }
    if counted {
        return ExitCode::SUCCESS;
    }
    if outcomes.is_empty() {
        eprintln!("bench: nothing was measured; --list shows the scenarios");
        return ExitCode::FAILURE;
    }
    if options.write
        && let Err(wrong) = report::write(&outcomes, options.rounds)
    {
        eprintln!("bench: {wrong}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

impl Options {
    fn read(words: &[String]) -> Result<Self, String> {
        let mut options = Self {
            names: Vec::new(),
            rounds: 5,
            seconds: 2.0,
            only: Vec::new(),
            write: false,
            list: false,
            instructions: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--bench" => {}
                "--list" => options.list = true,
                "--instructions" => options.instructions = true,
                "--write" => options.write = true,
                "--rounds" => options.rounds = number(value()?)? as usize,
                "--seconds" => options.seconds = number(value()?)?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                name if name.starts_with('-') => return Err(format!("unknown option {name}")),
                name => options.names.push(name.to_owned()),
            }
        }
        let sane = (1..=50).contains(&options.rounds) && (0.1..=60.0).contains(&options.seconds);
        if sane {
            Ok(options)
        } else {
            Err("rounds are 1 to 50, seconds 0.1 to 60".to_owned())
        }
    }

    fn wants(&self, scenario: &Scenario) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| scenario.name.contains(name))
    }

    fn takes(&self, contender: Contender) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == contender.name())
    }
}

fn number(word: &str) -> Result<f64, String> {
    word.parse().map_err(|_| format!("'{word}' is no number"))
}

fn run(scenario: &Scenario, options: &Options) -> Result<Option<Outcome>, String> {
    eprintln!("# {}: {}", scenario.name, scenario.about);
    if let Load::Idle(count) = scenario.load
        && machine::holdable(count) < count / 2
    {
        let room = machine::holdable(count);
        return Err(format!(
            "the limit on descriptors allows {room} connections"
        ));
    }
    let contenders: Vec<Contender> = Contender::ALL
        .into_iter()
        .filter(|&c| options.takes(c) && scenario.admits(c) && c.is_here())
        .collect();
    if contenders.is_empty() {
        return Err("no contender is installed".to_owned());
    }
    if options.instructions {
        instructions::count(scenario, &contenders)?;
        return Ok(None);
    }
    let mut outcome = Outcome::new(scenario, &contenders);
    for round in 0..options.rounds {
        for step in 0..contenders.len() {
            // Rotated, so that nobody always runs after the same neighbour.
            let place = (step + round) % contenders.len();
            let figures = measure(scenario, contenders[place], options.seconds);
            match figures {
                Ok(figures) => outcome.add(place, figures),
                Err(wrong) => eprintln!("  {}: {wrong}", contenders[place].name()),
            }
        }
    }
    Ok(Some(outcome))
}

/// One contender, one round.
fn measure(scenario: &Scenario, contender: Contender, seconds: f64) -> Result<Figures, String> {
    let backend = backend::Backend::start(&scenario.answer).map_err(|e| format!("backend: {e}"))?;
    let running = Running::start(contender, scenario, backend.address())?;
    let window = Duration::from_secs_f64(seconds);
    let figures = match &scenario.load {
        Load::Requests(http) => clients::measure(&running, http, window),
        Load::Paced(paced) => paced::measure(&running, paced, window),
        Load::Bulk(direction) => bulk::measure(&running, *direction, window),
        Load::Idle(count) => hold::measure_idle(&running, *count, window),
        Load::Slow(count) => hold::measure_slow(&running, *count, window),
    };
    figures.map_err(|e| e.to_string())
}
