//! The paper's menu: add people, or stop.

use std::io::BufRead;

use coronaz_laboratory::control::{Answer, Asked, Request};
use tokio::sync::{mpsc, oneshot};

use crate::output::Output;

const MENU: &str = "
  1  add a safe person
  2  add an infected person
  3  add X safe and Y infected people
  0  stop and clean up
";

/// Shows the menu on a thread of its own; what is chosen goes where the control socket's requests go.
pub(super) fn spawn(requests: mpsc::Sender<Asked>) {
    std::thread::spawn(move || {
        let mut out = Output::stdout();
        let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
        loop {
            out.line(MENU);
            let Some(choice) = question("> ", &mut lines, &mut out) else { return };
            let request = match choice.as_str() {
                "" => continue,
                "1" => Request::Add { safe: 1, infected: 0, run: None },
                "2" => Request::Add { safe: 0, infected: 1, run: None },
                "3" => {
                    let Some(safe) = number("How many safe? ", &mut lines, &mut out) else { return };
                    let Some(infected) = number("How many infected? ", &mut lines, &mut out) else { return };
                    Request::Add { safe, infected, run: None }
                }
                "0" => Request::Stop,
                other => {
                    out.line(format_args!("{other:?} is not on the menu: 1, 2, 3 or 0."));
                    continue;
                }
            };
            let stop = request == Request::Stop;
            let (answer, answered) = oneshot::channel();
            if requests.blocking_send((request, answer)).is_err() || stop {
                return;
            }
            match answered.blocking_recv() {
                Ok(Answer::Done(text)) => out.line(text),
                Ok(Answer::Refused(refusal)) => out.line(refusal),
                Ok(_) | Err(_) => return,
            }
        }
    });
}

/// Asks until the answer is a number of people; `None` at the end of input.
fn number(prompt: &str, lines: &mut impl Iterator<Item = String>, out: &mut Output) -> Option<u32> {
    loop {
        let text = question(prompt, lines, out)?;
        match text.parse() {
            Ok(number) if number <= 10_000 => return Some(number),
            _ => out.line(format_args!("A whole number from 0 to 10000, please, not {text:?}.")),
        }
    }
}

fn question(prompt: &str, lines: &mut impl Iterator<Item = String>, out: &mut Output) -> Option<String> {
    out.text(prompt);
    lines.next().map(|line| line.trim().to_owned())
}
