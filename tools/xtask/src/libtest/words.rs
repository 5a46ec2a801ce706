//! What is repeated of a program that failed: the end of what it printed, and the beginning of each panic.

use std::collections::VecDeque;

/// How much of a program's output is repeated when it failed: its end ...
const LAST_LINES: usize = 80;
/// ... and the beginning of each panic. A message that shows a whole timeline is longer than the end, and what a test prints
/// while it unwinds, such as the log of its lab, comes after it.
const LINES_OF_A_PANIC: usize = 60;
/// How many panics, the last ones: programs also panic on purpose.
const LAST_PANICS: usize = 8;
/// What the line of a panic says, whichever thread it is.
const PANIC: &str = "panicked at ";

/// What a program said, as far as it is repeated.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Lines so far.
    count: usize,
    last: VecDeque<String>,
    /// The beginning of each panic: lines with their numbers.
    panics: VecDeque<Vec<(usize, String)>>,
}

impl Words {
    /// Takes a line.
    pub(super) fn take(&mut self, line: &str) {
        if line.contains(PANIC) {
            self.panics.push_back(Vec::new());
            if self.panics.len() > LAST_PANICS {
                self.panics.pop_front();
            }
        }
        if let Some(panic) = self.panics.back_mut()
            && panic.len() < LINES_OF_A_PANIC
        {
            panic.push((self.count, line.to_owned()));
        }
        self.last.push_back(line.to_owned());
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
        }
        self.count += 1;
    }

    /// In order, and how much is left out in between.
    pub(super) fn told(&self) -> Vec<String> {
        let end = self.count - self.last.len();
        let before = self.panics.iter().flatten().filter(|(number, _)| *number < end);
        let before = before.map(|(number, line)| (*number, line));
        let (mut told, mut next) = (Vec::new(), 0);
        for (number, line) in before.chain((end..).zip(&self.last)) {
            if number > next {
                told.push(format!("[{} more lines]", number - next));
            }
            told.push(line.clone());
            next = number + 1;
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut words = Words::default();
        text.lines().for_each(|line| words.take(line));
        words.told()
    }

    #[test]
    fn a_panic_is_repeated_from_its_first_line_however_much_follows_it() {
        let lines =
            |what: &str, count: usize| (1..=count).map(|line| format!("{what} {line}\n")).collect::<String>();
        let text = lines("before", 200)
            + "thread 'a' (7) panicked at a.rs:1:2:\n"
            + &lines("message", LINES_OF_A_PANIC + 10)
            + &lines("log of the lab", LAST_LINES);
        let words = told(&text);
        let begin = ["[200 more lines]", "thread 'a' (7) panicked at a.rs:1:2:", "message 1"];
        assert_eq!(words[..3], begin);
        let shown = LINES_OF_A_PANIC - 1;
        let gap = [format!("message {shown}"), "[11 more lines]".to_owned(), "log of the lab 1".to_owned()];
        assert_eq!(words[shown + 1..shown + 4], gap);
        assert_eq!(words.len(), 1 + LINES_OF_A_PANIC + 1 + LAST_LINES);
    }

    #[test]
    fn of_many_panics_the_last_are_repeated_and_none_twice() {
        let text: String =
            (1..=20).map(|panic| format!("thread 'x' panicked at a.rs:{panic}:1:\nno\n")).collect();
        let words = told(&text);
        assert_eq!(words.len(), 40, "all of it is the end: {words:?}");
        let text = text + &"after\n".repeat(LAST_LINES);
        let words = told(&text);
        let panics: Vec<&String> = words.iter().filter(|line| line.contains(PANIC)).collect();
        assert_eq!(panics.len(), LAST_PANICS);
        assert!(panics[0].contains("a.rs:13:1"), "{panics:?}");
    }
}
