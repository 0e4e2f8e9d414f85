//! The paper's menu: add people, or stop.

use std::io::{BufRead, Write};

use coronaz_laboratory::control::{Answer, Asked, Request};
use tokio::sync::{mpsc, oneshot};

const MENU: &str = "
  1  add a safe person
  2  add an infected person
  3  add X safe and Y infected people
  0  stop and clean up
";

/// Shows the menu on a thread of its own; what is chosen goes where the control socket's requests go.
pub(super) fn spawn(requests: mpsc::Sender<Asked>) {
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
        loop {
            println!("{MENU}");
            let Some(choice) = question("> ", &mut lines) else { return };
            let request = match choice.as_str() {
                "" => continue,
                "1" => Request::Add { safe: 1, infected: 0, run: None },
                "2" => Request::Add { safe: 0, infected: 1, run: None },
                "3" => {
                    let Some(safe) = number("How many safe? ", &mut lines) else { return };
                    let Some(infected) = number("How many infected? ", &mut lines) else { return };
                    Request::Add { safe, infected, run: None }
                }
                "0" => Request::Stop,
                other => {
                    println!("{other:?} is not on the menu: 1, 2, 3 or 0.");
                    continue;
                }
            };
            let stop = request == Request::Stop;
            let (answer, answered) = oneshot::channel();
            if requests.blocking_send((request, answer)).is_err() || stop {
                return;
            }
            match answered.blocking_recv() {
                Ok(Answer::Done(text)) => println!("{text}"),
                Ok(Answer::Refused(refusal)) => println!("{refusal}"),
                Ok(_) | Err(_) => return,
            }
        }
    });
}

/// Asks until the answer is a number of people; `None` at the end of input.
fn number(prompt: &str, lines: &mut impl Iterator<Item = String>) -> Option<u32> {
    loop {
        let text = question(prompt, lines)?;
        match text.parse() {
            Ok(number) if number <= 10_000 => return Some(number),
            _ => println!("A whole number from 0 to 10000, please, not {text:?}."),
        }
    }
}

fn question(prompt: &str, lines: &mut impl Iterator<Item = String>) -> Option<String> {
    print!("{prompt}");
    // Without a terminal there is nobody to see the prompt.
    let _ = std::io::stdout().flush();
    lines.next().map(|line| line.trim().to_owned())
}
