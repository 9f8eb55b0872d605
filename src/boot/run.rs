//! From the command line to an exit status.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::config::{Source, listing};
use crate::dns;
use crate::lang::{Span, Word, cond, lexer};
use crate::sys::{kernel, process, signal};

use super::again::Again;
use super::args::{self, Command, Demo, Fmt, Migrate, Options, Own, Resolve};
use super::birth;
use super::build_info;
use super::console::Console;
use super::demo;
use super::environment;
use super::explain;
use super::layout;
use super::life::End;
use super::link::{self, Link};
use super::load::{self, Loaded};
use super::manual;
use super::migrate;
use super::privileges::text;
use super::rehearsal;
use super::review;

/// Runs the program with its arguments (the name of the program first) and answers its exit status. A process that ends by
/// a signal does not come back from here.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = args
        .into_iter()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match command(args::parse(&words)) {
        End::Status(status) => ExitCode::from(status),
        End::Signal(number) => {
            let _ = signal::die_by(number);
            // The first process of a namespace survives signals it has no handler for.
            ExitCode::from(u8::try_from(128 + number).unwrap_or(1))
        }
    }
}

fn command(command: Command) -> End {
    let console = Console::new(false);
    match command {
        Command::Version => console.answer(&build_info::version()),
        Command::Build => console.answer(&build_info::build()),
        // Who asks for help has done nothing wrong: it is an answer.
        Command::Help(Some(text)) => console.answer(&text),
        Command::Help(None) => {
            console.answer(&build_info::version());
            console.answer(build_info::USAGE);
        }
        Command::Usage { error } => {
            if let Some(error) = error {
                console.alert(error.trim_end());
                return End::FAILED;
            }
            console.answer(&build_info::version());
            console.error(build_info::USAGE);
            return End::FAILED;
        }
        Command::Condition { text, options } => return condition(&text, &options, &console),
        Command::Keywords(classes) => return keywords(&classes, &console),
        Command::Own(own) => return self::own(own, &console),
        Command::Run(options) => return start(&options),
    }
    End::DONE
}

/// `-dK`: the keywords of the named classes. The other classes of HAProxy list what only its own code registers.
fn keywords(classes: &str, console: &Console) -> End {
    let asked: Vec<&str> = classes.split(',').collect();
    if asked.iter().any(|class| matches!(*class, "cfg" | "all")) {
        console.answer(&listing::registered());
    } else {
        console.answer("# List of supported classes for -dK\n- all: list all keywords\n- cfg: configuration keywords\n");
    }
    End::DONE
}

/// `-cc`: 0 for true, 1 for false, 2 for what cannot be understood.
fn condition(text: &str, options: &Options, console: &Console) -> End {
    let env = environment::of(options, false);
    // As in a file, quotes and variables are read before the expression is.
    let words = lexer::read(text, &env);
    let plain = words.map(|words| words.iter().map(Word::str).collect::<Vec<_>>().join(" "));
    let evaluate =
        |text: String| cond::evaluate(&text, Span::default(), &env, &load::program(options));
    match plain.and_then(evaluate) {
        Ok(true) => End::Status(0),
        Ok(false) => End::Status(1),
        Err(diag) => {
            console.alert(&format!(
                "config : Failed to evaluate condition: {}",
                diag.message
            ));
            End::Status(2)
        }
    }
}

fn start(options: &Options) -> End {
    let mut console = Console::new(options.quiet);
    let again = Again::remember();
    let mut of = None;
    if let Ok(numbers) = std::env::var(link::VARIABLE) {
        let Some((link, said)) = Link::inherited(&numbers) else {
            return End::FAILED;
        };
        console.copy_to(said);
        of = Some(link);
    }
    if let Some(directory) = &options.directory
        && let Err(error) = process::chdir(directory)
    {
        let why = text(&error);
        console.alert(&format!(
            "Could not change to directory {directory} : {why}"
        ));
        return End::FAILED;
    }
    let sources: Vec<Source> = options
        .files
        .iter()
        .map(|file| Source::Path(file.into()))
        .collect();
    let Some(loaded) = read(options, &sources, &mut console) else {
        return End::FAILED;
    };
    if options.check {
        let starts = !loaded.site.listeners.is_empty();
        // The process ends here: taking ten thousand servers apart first would be for nobody.
        std::mem::forget(loaded);
        return if starts { End::DONE } else { End::IDLE };
    }
    if let Some(why) = too_old(&kernel::missing()) {
        console.alert(&why);
        return End::FAILED;
    }
    if let Some(link) = of {
        return birth::worker(loaded, options, &console, link, true);
    }
    match again {
        _ if !loaded.site.global.master_worker => birth::alone(loaded, options, &console),
        Ok(again) => birth::master(loaded, options, &console, again),
        Err(error) => {
            let why = text(&error);
            console.alert(&format!("[sluice.main()] Cannot find the program: {why}"));
            End::FAILED
        }
    }
}

/// Why this kernel cannot carry the program, if it cannot.
fn too_old(missing: &[kernel::Call]) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let calls: Vec<String> = missing
        .iter()
        .map(|call| format!("{} (Linux {})", call.name, call.since))
        .collect();
    Some(format!(
        "[sluice.main()] Cannot start: {} lacks, or a filter around this process refuses, {}; Linux {LINUX_MIN} and later have all that is needed.",
        kernel::release(),
        calls.join(", ")
    ))
}

/// The oldest kernel that the program is made for.
const LINUX_MIN: &str = "3.10";

/// Reads the configuration; nothing when it must not run. With `-c` says that it is valid, or has nothing to listen on.
fn read(options: &Options, sources: &[Source], console: &mut Console) -> Option<Loaded> {
    for text in load::without_effect(options) {
        console.notice(text);
    }
    let loaded = load::load(options, sources, console)?;
    if loaded.site.global.quiet && !options.verbose {
        console.hush();
    }
    if loaded.warned && loaded.site.global.zero_warning {
        console.alert("Some warnings were found and 'zero-warning' is set. Aborting.");
        return None;
    }
    if options.check {
        if loaded.warned {
            console.answer("Warnings were found.\n");
        }
        console.answer(match loaded.site.listeners.is_empty() {
            true => {
                "Configuration file has no error but will not start (no listener) => exit(2).\n"
            }
            false => "Configuration file is valid\n",
        });
    }
    Some(loaded)
}

fn own(own: Own, console: &Console) -> End {
    match own {
        Own::Check(check) if check.files.is_empty() => {
            console.alert("sluice check: which files?");
            End::FAILED
        }
        Own::Check(check) => match review::review(&check, console) {
            Ok(true) => End::DONE,
            Ok(false) => End::FAILED,
            Err(text) => refused(&text, console),
        },
        Own::Demo(demo) => show(&demo, console),
        Own::Explain(wish) if wish.files.is_empty() => match explain::explain(&wish.words) {
            Ok(text) => said(&text, console),
            Err(text) => refused(&text, console),
        },
        Own::Explain(wish) => match rehearse(&wish, console) {
            Ok(()) => End::DONE,
            Err(text) => refused(&text, console),
        },
        Own::Fmt(fmt) => lay_out(&fmt, console),
        Own::Resolve(resolve) => look_up(&resolve, console),
        Own::Manual(_) => said(&manual::rows(), console),
        Own::Migrate(wish) => migrate(&wish, console),
    }
}

/// Reads the file as a start would, so that what is wrong is told in the same words, and goes on only when nothing is.
fn migrate(wish: &Migrate, console: &Console) -> End {
    let options = Options {
        files: vec![wish.file.clone()],
        check: true,
        master: true,
        ..Options::default()
    };
    // A unit is told where a file is, whatever directory this command was given in.
    let file = match std::path::absolute(&wish.file) {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(error) => return refused(&format!("{}: {}", wish.file, text(&error)), console),
    };
    let mut said_by_check = Console::new(false);
    let source = Source::Path(wish.file.clone().into());
    let Some(loaded) = read(&options, &[source], &mut said_by_check) else {
        return refused(
            "nothing was changed: sluice cannot run this file as it is.",
            console,
        );
    };
    console.answer(&migrate::differences(&loaded.site, &file));
    let unit = migrate::drop_in(&loaded.site, &file);
    if !wish.write {
        console.answer(&migrate::offer(&wish.drop_ins, &unit));
        return End::DONE;
    }
    match migrate::write(&wish.drop_ins, &unit) {
        Ok(path) => said(&migrate::next_steps(&path), console),
        Err(error) => refused(&format!("{}: {}", wish.drop_ins, text(&error)), console),
    }
}

fn rehearse(wish: &args::Explain, console: &Console) -> Result<(), String> {
    let requests = match wish.requests.as_deref() {
        None => return rehearsal::explain(wish, None, console),
        Some("-") => std::io::read_to_string(std::io::stdin()),
        Some(file) => std::fs::read_to_string(file),
    };
    let requests = requests.map_err(|error| format!("the requests: {}", text(&error)))?;
    rehearsal::explain(wish, Some(&requests), console)
}

fn said(text: &str, console: &Console) -> End {
    console.answer(text);
    End::DONE
}

fn said_bytes(bytes: &[u8], console: &Console) -> End {
    console.answer_bytes(bytes);
    End::DONE
}

fn refused(text: &str, console: &Console) -> End {
    console.alert(text);
    End::FAILED
}

fn show(demo: &Demo, console: &Console) -> End {
    if demo.print {
        return said(&demo::configuration(8081, 8082), console);
    }
    let source = match demo::begin() {
        Ok(source) => source,
        Err(error) => {
            return refused(
                &format!("cannot start the demo servers: {}", text(&error)),
                console,
            );
        }
    };
    let options = Options {
        foreground: true,
        ..Options::default()
    };
    let mut console = Console::new(false);
    let Some(loaded) = read(&options, &[source], &mut console) else {
        return End::FAILED;
    };
    console.answer(demo::WELCOME);
    birth::alone(loaded, &options, &console)
}

fn lay_out(fmt: &Fmt, console: &Console) -> End {
    if fmt.files.is_empty() {
        let mut old = Vec::new();
        return match std::io::Read::read_to_end(&mut std::io::stdin(), &mut old) {
            Ok(_) => said_bytes(&layout::layout(&old), console),
            Err(error) => refused(&format!("standard input: {}", text(&error)), console),
        };
    }
    for file in &fmt.files {
        let result = std::fs::read(file).and_then(|old| {
            let new = layout::layout(&old);
            if !fmt.write {
                said_bytes(&new, console);
            } else if new != old {
                review::replace(file, &new)?;
            }
            Ok(())
        });
        if let Err(error) = result {
            return refused(&format!("{file}: {}", text(&error)), console);
        }
    }
    End::DONE
}

fn look_up(resolve: &Resolve, console: &Console) -> End {
    let mut end = End::DONE;
    for name in &resolve.names {
        let mut out = Vec::new();
        let found = dns::explain(&dns::Root::host(), name, dns::Family::Any, &mut out);
        console.answer(&String::from_utf8_lossy(&out));
        if !matches!(found, Ok(true)) {
            end = End::FAILED;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(words: &[&str]) -> End {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        command(args::parse(&words))
    }

    #[test]
    fn conditions_answer_by_their_status() {
        assert_eq!(status(&["-cc", "version_atleast(2.4)"]), End::Status(0));
        assert_eq!(status(&["-cc", "feature(LUA)"]), End::Status(1));
        assert_eq!(status(&["-cc", ""]), End::Status(1));
        assert_eq!(status(&["-cc", "foo("]), End::Status(2));
        assert_eq!(status(&["-cc", "streq(a,\"a)"]), End::Status(2));
        let same = "streq(\"${NO_SUCH_VARIABLE-a b}\",'a b')";
        assert_eq!(status(&["-cc", same]), End::Status(0));
        assert_eq!(status(&["-dS", "-cc", "enabled(SPLICE)"]), End::Status(1));
    }

    #[test]
    fn files_that_are_missing_fail() {
        assert_eq!(status(&["-q", "-c", "-f", "/no/such/file"]), End::FAILED);
        assert_eq!(
            status(&["-q", "-C", "/no/such/dir", "-c", "-f", "x"]),
            End::FAILED
        );
    }
}
