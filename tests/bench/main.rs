//! `make bench`: sluice beside Debian's haproxy, nginx and a bare relay, on this machine, in this run.
//!
//! Every scenario goes through its contenders in interleaved rounds: a fresh process each, the same clients and the same
//! backend (both of our own, threads of this program), a bounded time. Measured is what the proxy's process spends:
//! processor time by the kernel's own count, memory by its high-water mark; and what the clients see. The result is one
//! table of medians, with the ratio of sluice to each other contender round by round, and the spread of that ratio.
//!
//! The relay is the physical limit: it copies bytes between two sockets and parses nothing.
//!
//! The whole takes no longer than it is told to: windows are made shorter so that all rounds of all scenarios fit, and a
//! contender that does not come to an end within a round is killed, which fails that round and nothing else.
//!
//! Usage: `cargo bench --bench side_by_side -- [NAME…] [--list] [--rounds N] [--seconds S] [--minutes M] [--only a,b] [--write]`,
//! or with `--instructions` to have callgrind count instead of the clock, or with `--profile` to have `perf` say where the time goes.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "a measuring tool reads clocks, prints, and rounds its figures"
)]

mod aside;
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
mod profile;
mod relay;
mod report;
mod scenario;
mod secure;
mod turns;

use contender::{Contender, Running};
use report::{Figures, Outcome};
use scenario::{Load, Scenario};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What the command line asked for.
struct Options {
    names: Vec<String>,
    rounds: usize,
    seconds: f64,
    only: Vec<String>,
    write: bool,
    list: bool,
    instructions: bool,
    profile: bool,
    /// How long all of it may take.
    minutes: f64,
}

/// What a measurement takes beside its window: starting, warming up, counting system calls, stopping.
const OVERHEAD: Duration = Duration::from_millis(1700);
/// The shortest window that says anything.
const WINDOW_MIN: Duration = Duration::from_millis(500);
/// What a measurement may take beyond its window before the contender is killed.
const PATIENCE: Duration = Duration::from_secs(40);

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
    let wanted: Vec<&Scenario> = scenario::all()
        .iter()
        .filter(|scenario| options.wants(scenario))
        .collect();
    let end = Instant::now() + Duration::from_secs_f64(options.minutes * 60.0);
    for (nth, scenario) in wanted.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(wanted.len() - nth).unwrap_or(u32::MAX);
        match run(scenario, &options, share) {
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
            profile: false,
            minutes: 23.0,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--bench" => {}
                "--list" => options.list = true,
                "--instructions" => options.instructions = true,
                "--profile" => options.profile = true,
                "--minutes" => options.minutes = number(value()?)?,
                "--write" => options.write = true,
                "--rounds" => options.rounds = number(value()?)? as usize,
                "--seconds" => options.seconds = number(value()?)?,
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                name if name.starts_with('-') => return Err(format!("unknown option {name}")),
                name => options.names.push(name.to_owned()),
            }
        }
        let sane = (0.1..=600.0).contains(&options.minutes)
            && (1..=50).contains(&options.rounds)
            && (0.1..=60.0).contains(&options.seconds);
        if sane {
            Ok(options)
        } else {
            Err("rounds are 1 to 50, seconds 0.1 to 60, minutes 0.1 to 600".to_owned())
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

/// All rounds of a scenario, in about the time that is its `share`.
fn run(scenario: &Scenario, options: &Options, share: Duration) -> Result<Option<Outcome>, String> {
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
    if options.profile {
        profile::draw(scenario, Duration::from_secs_f64(options.seconds))?;
        return Ok(None);
    }
    let mut outcome = Outcome::new(scenario, &contenders);
    let runs = u32::try_from(options.rounds * contenders.len()).unwrap_or(u32::MAX);
    let window = (share / runs)
        .saturating_sub(OVERHEAD)
        .min(Duration::from_secs_f64(options.seconds))
        .max(WINDOW_MIN);
    let end = Instant::now() + share * 2;
    for round in 0..options.rounds {
        if Instant::now() > end {
            eprintln!("  no time is left for round {} and later ones", round + 1);
            break;
        }
        for step in 0..contenders.len() {
            // Rotated, so that nobody always runs after the same neighbour.
            let place = (step + round) % contenders.len();
            let figures = measure(scenario, contenders[place], window);
            match figures {
                Ok(figures) => outcome.add(place, figures),
                Err(wrong) => eprintln!("  {}: {wrong}", contenders[place].name()),
            }
        }
    }
    Ok(Some(outcome))
}

/// One contender, one round.
fn measure(scenario: &Scenario, contender: Contender, window: Duration) -> Result<Figures, String> {
    let backend = backend::Backend::start(&scenario.answer).map_err(|e| format!("backend: {e}"))?;
    let running = Running::start(contender, scenario, backend.address())?;
    let _killer = Killer::after(running.meter(), window + PATIENCE);
    let figures = match &scenario.load {
        Load::Requests(http) => clients::measure(&running, scenario, http, window),
        Load::Paced(paced) => paced::measure(&running, paced, window),
        Load::Bulk(direction) => bulk::measure(&running, *direction, window),
        Load::Idle(count) => hold::measure_idle(&running, (scenario, *count), window),
        Load::Slow(count) => hold::measure_slow(&running, *count, window),
    };
    figures.map_err(|e| e.to_string())
}

/// Ends a contender that keeps its clients waiting for ever: their calls then fail, and the round with them. Dropped in time,
/// it does nothing.
struct Killer(#[expect(dead_code, reason = "dropping it is the message")] mpsc::Sender<()>);

impl Killer {
    fn after(meter: Option<meter::Meter>, patience: Duration) -> Option<Self> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(meter?.root()).ok()?)?;
        let (alive, told) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if told.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("  killed: it did not come to an end");
                // One that is gone already needs no signal.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        });
        Some(Self(alive))
    }
}
