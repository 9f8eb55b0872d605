//! The program: hands its arguments to `sluice::boot` and exits with what comes back.

use std::process::ExitCode;

fn main() -> ExitCode {
    sluice::boot::run(std::env::args_os())
}
