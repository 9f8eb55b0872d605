//! Commands that hide names and addresses in what the others answer.

use super::super::operator::Order;
use super::super::reply::Reply;
use super::{Call, Mode, Row, outcome, row};
use crate::codec::mask::Mask;
use crate::site::Level;

pub(super) const ROWS: &[Row] = &[
    row(
        "show anon",
        "show anon",
        "display the current state of anonymized mode",
        Level::User,
        show,
    ),
    row(
        "set anon",
        "set anon <setting> [value]",
        "change the anonymized mode setting",
        Level::User,
        set,
    ),
    row(
        "set anon global-key",
        "set anon global-key <value>",
        "change the global anonymizing key",
        Level::Admin,
        set_global,
    ),
    Row {
        name: "debug dev hash",
        usage: "debug dev hash [msg]",
        help: "return msg hashed if anon is set",
        level: Level::Admin,
        mode: Mode::Expert,
        run: |call| Reply::info(call.settings.mask.name(call.word(3)).into_owned()),
    },
];

const USAGE: &str = "'set anon' only supports :\n   \
    - 'on' [key] to enable the anonymized mode\n   \
    - 'off' to disable the anonymized mode";

fn show(call: &mut Call<'_>) -> Reply {
    let mask = call.settings.mask;
    if !mask.is_on() {
        return Reply::info("Anonymized mode disabled");
    }
    match call.may(Level::Operator) {
        true => Reply::info(format!("Anonymized mode enabled\nKey : {}", mask.key())),
        false => Reply::info("Anonymized mode enabled"),
    }
}

fn set(call: &mut Call<'_>) -> Reply {
    let key = match (call.word(2), call.word(3)) {
        ("on", "") => match call.operator.anon_key() {
            // Zero would hide nothing.
            0 => call.operator.random().max(1),
            key => key,
        },
        ("on", text) => match text.parse() {
            Ok(key) if key > 0 => key,
            Ok(_) | Err(_) => {
                return Reply::error("Value out of range (1 to 4294967295 expected).");
            }
        },
        ("off", "") => 0,
        ("off", _) => return Reply::error("Key can't be added while disabling anonymized mode"),
        _ => return Reply::error(USAGE),
    };
    call.settings.mask = Mask::keyed(key);
    Reply::Done
}

fn set_global(call: &mut Call<'_>) -> Reply {
    match call.word(3) {
        "" => Reply::error("Expects an integer value."),
        text => match text.parse() {
            Ok(key) => outcome(call.operator.carry_out(&Order::AnonKey(key))),
            Err(_) => Reply::error("Value out of range (0 to 4294967295 expected)."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::rig::{ask, orders};
    use super::*;

    #[test]
    fn the_mode_belongs_to_the_session() {
        for (line, said) in [
            ("show anon", "Anonymized mode disabled\n"),
            (
                "set anon on 7;show anon",
                "\nAnonymized mode enabled\nKey : 7\n",
            ),
            (
                "set anon on;show anon",
                "\nAnonymized mode enabled\nKey : 99\n",
            ),
            (
                "set anon on 7;set anon off;show anon",
                "\n\nAnonymized mode disabled\n",
            ),
            (
                "set anon off 7",
                "Key can't be added while disabling anonymized mode\n",
            ),
            (
                "set anon on 0",
                "Value out of range (1 to 4294967295 expected).\n",
            ),
            ("set anon global-key", "Expects an integer value.\n"),
            (
                "set anon global-key 4294967296",
                "Value out of range (0 to 4294967295 expected).\n",
            ),
        ] {
            let answer = ask(Level::Admin, &format!("{line}\n"));
            assert_eq!(answer, format!("{said}\n"), "{line}");
        }
        let user = ask(Level::User, "set anon on 7;show anon\n");
        assert_eq!(user, "\nAnonymized mode enabled\n\n");
        assert!(
            ask(Level::User, "set anon\n").starts_with("'set anon' only supports :\n   - 'on'")
        );
        assert_eq!(orders("set anon global-key 5"), "AnonKey(5)");
        assert!(ask(Level::Operator, "set anon global-key 5\n").starts_with("Permission denied"));
    }

    #[test]
    fn names_and_addresses_are_hidden() {
        let hidden = |line: &str| ask(Level::Admin, &format!("set anon on 7;{line}\n"));
        let (backend, server) = (Mask::keyed(7).name("b"), Mask::keyed(7).name("s1"));
        for line in ["show servers state", "show servers conn", "show backend"] {
            let (plain, shown) = (ask(Level::Admin, &format!("{line}\n")), hidden(line));
            assert!(plain.contains("\nb") || plain.contains(" b "), "{plain}");
            assert!(
                shown.contains(&*backend) && !shown.contains(" b "),
                "{shown}"
            );
            assert_eq!(shown.contains(&*server), line != "show backend", "{shown}");
            assert!(shown.contains("127.0.0.1") == plain.contains("127.0.0.1"));
        }
        let asked = hidden("expert-mode on;debug dev hash s1");
        assert_eq!(asked, format!("\n\n{server}\n\n"));
    }
}
