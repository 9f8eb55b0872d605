//! Dialogues of the tests with services that follow a script.

use super::{Answer, Probe, Service};

/// Runs a dialogue with a service that says `said`, each item after the probe's next message, whole and byte by byte.
pub(super) fn talk(service: &Service, said: &[&[u8]], ends: bool) -> (Answer, Vec<u8>) {
    let outcomes: Vec<_> = [usize::MAX, 1]
        .iter()
        .map(|&step| {
            let mut probe = Probe::new(service.clone());
            let (mut input, mut out) = (Vec::new(), Vec::new());
            let mut answer = probe.advance(&mut input, false, &mut out);
            for piece in said
                .iter()
                .flat_map(|said| said.chunks(step.min(said.len().max(1))))
            {
                if answer != Answer::More {
                    break;
                }
                input.extend_from_slice(piece);
                answer = probe.advance(&mut input, false, &mut out);
            }
            if answer == Answer::More && ends {
                answer = probe.advance(&mut input, true, &mut out);
            }
            (answer, out)
        })
        .collect();
    assert_eq!(outcomes[0], outcomes[1], "pieces do not matter");
    outcomes.into_iter().next().expect("two outcomes")
}

pub(super) fn well(code: u16, text: &str) -> Answer {
    Answer::Well {
        code,
        text: text.to_owned(),
    }
}

pub(super) fn response(text: &str) -> Answer {
    Answer::WrongResponse {
        text: text.to_owned(),
    }
}

pub(super) fn status(code: u16, text: &str) -> Answer {
    Answer::WrongStatus {
        code,
        text: text.to_owned(),
    }
}
