//! The promises of the one file: static, hardened, and free of the builder's machine.
//!
//! Looks at the release program with the tools that a user would take (readelf, ldd, strings). Runs
//! only where `make test` names that program: what plain `cargo test` builds is linked with the
//! machine's own C library and is not what is promised.

use std::process::Command;

use crate::program;

/// What a tool prints about the release program; none where another program is tested.
fn report(tool: &str, options: &[&str]) -> Option<String> {
    if !program::is_release() {
        return None;
    }
    let output = Command::new(tool)
        .args(options)
        .arg(program::path())
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{tool} ({error}): build/test-tools.sh installs it"));
    let mut text = output.stdout;
    text.extend(output.stderr);
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn nothing_is_loaded_beside_it() {
    let Some(ldd) = report("ldd", &[]) else {
        return;
    };
    assert!(
        ldd.contains("statically linked") || ldd.contains("not a dynamic executable"),
        "{ldd}"
    );
    let dynamic = report("readelf", &["-dW"]).expect("the program is the same");
    for tag in ["(NEEDED)", "(RPATH)", "(RUNPATH)"] {
        assert!(!dynamic.contains(tag), "{dynamic}");
    }
    let segments = report("readelf", &["-lW"]).expect("the program is the same");
    assert!(!segments.contains("INTERP"), "{segments}");
}

#[test]
fn it_is_position_independent_and_read_only() {
    let Some(header) = report("readelf", &["-hW"]) else {
        return;
    };
    assert!(header.contains("DYN"), "{header}");
    let dynamic = report("readelf", &["-dW"]).expect("the program is the same");
    assert!(
        dynamic.contains("PIE") && dynamic.contains("NOW"),
        "{dynamic}"
    );
    let segments = report("readelf", &["-lW"]).expect("the program is the same");
    assert!(segments.contains("GNU_RELRO"), "{segments}");
    let stack = segments
        .lines()
        .find(|line| line.contains("GNU_STACK"))
        .expect("without this segment the stack is executable");
    assert!(!stack.contains("RWE"), "{stack}");
    for line in segments.lines().filter(|line| line.contains("LOAD")) {
        assert!(!line.contains("RWE"), "writable code: {line}");
    }
}

#[test]
fn it_is_stripped() {
    let Some(sections) = report("readelf", &["-SW"]) else {
        return;
    };
    assert!(
        !sections.contains(".symtab") && !sections.contains(".debug_info"),
        "{sections}"
    );
}

/// The compilers sign what they make: what `-vv` says of them is not the word of the build scripts alone.
#[test]
fn it_was_made_by_the_compilers_it_names() {
    let Some(signed) = report("readelf", &["-p", ".comment"]) else {
        return;
    };
    let told = Command::new(program::path()).arg("-vv").output();
    let told = String::from_utf8(told.expect("it starts").stdout).expect("text");
    for name in ["  CC ", "  RUSTC "] {
        let words = told.lines().find_map(|line| {
            let (_, compiler) = line.strip_prefix(name)?.split_once("= ")?;
            Some(compiler.split_once(' ')?.1)
        });
        let words = words.unwrap_or_else(|| panic!("{name}has no version: {told}"));
        assert!(signed.contains(words), "{words}: {signed}");
    }
}

/// Whether a line of strings, which stand in the program without an end, names something that is in this directory.
fn names_below(home: &str, line: &str) -> bool {
    line.match_indices(&format!("{home}/")).any(|(at, found)| {
        let path = &line[at + found.len()..];
        let first = path.split('/').next().unwrap_or_default();
        !first.is_empty() && std::path::Path::new(home).join(first).exists()
    })
}

#[test]
fn it_names_neither_glibc_nor_the_builder() {
    let Some(text) = report("strings", &["-a"]) else {
        return;
    };
    let home = std::env::var("HOME").unwrap_or_default();
    let forbidden = [
        "libnss",
        "ld-linux",
        "GLIBC_",
        ".cargo/registry",
        ".rustup/",
        env!("CARGO_MANIFEST_DIR"),
    ];
    for line in text.lines() {
        let hit = forbidden.iter().find(|word| line.contains(*word));
        assert!(hit.is_none(), "`{line}`");
        assert!(home.len() < 3 || !names_below(&home, line), "`{line}`");
    }
}
