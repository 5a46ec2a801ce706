//! Runs a program as PCRE does: it tries one way, and where that fails, goes back to the last choice. The
//! time for that can grow with a high power of the text's length. So it counts its steps, and ends at a given
//! number of them.
//!
//! Invariant: a search takes at most the steps that it was given, whatever program and text are.

use regex_syntax::hir::Look;

use super::program::{Op, Program};

/// Open choices at most, so that a search cannot take all memory: about 24 MiB.
const MOST_CHOICES: usize = 1 << 20;
/// Choices for which memory is kept from one search to the next.
const KEPT: usize = 1 << 12;
/// Steps after which a long search asks whether it should continue; a power of two.
pub(super) const PART: u64 = 1 << 16;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The pattern is in the text.
    Found,
    /// It is not.
    Absent,
    /// Nobody knows: the steps were used up.
    Overrun,
    /// Nobody knows: the search was told to end.
    Stopped,
}

/// The result of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) end: End,
    pub(super) steps: u64,
}

/// The memory of searches, used again by the next one.
#[derive(Debug, Default)]
pub struct Machine {
    choices: Vec<Choice>,
    marks: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Choice {
    /// Another way that was not tried yet.
    Way { op: usize, at: usize },
    /// The place that a mark had before.
    Mark { mark: usize, at: usize },
}

/// What bounds a search.
pub(super) struct Leash<'a> {
    /// Steps at most.
    pub(super) most: u64,
    /// Steps that the same rule already took in other texts: the count of its parts continues from there.
    pub(super) before: u64,
    /// Asked after each part of a long search.
    pub(super) continues: &'a mut dyn FnMut() -> bool,
}

impl Machine {
    /// Looks for `program` anywhere in `text`.
    pub(super) fn search(&mut self, program: &Program, text: &[u8], leash: &mut Leash<'_>) -> Run {
        // Once for all starts: one that fails has taken back every mark that it set. Doing it for each start would be
        // work that grows with the program and is not counted.
        self.marks.clear();
        self.marks.resize(program.marks, usize::MAX);
        let mut steps = 0;
        for start in 0..=text.len() {
            match self.search_at(program, text, start, &mut steps, leash) {
                End::Absent => {}
                end => return self.done(end, steps),
            }
        }
        self.done(End::Absent, steps)
    }

    fn done(&mut self, end: End, steps: u64) -> Run {
        self.choices.clear();
        self.choices.shrink_to(KEPT);
        Run { end, steps }
    }

    fn search_at(
        &mut self,
        program: &Program,
        text: &[u8],
        start: usize,
        steps: &mut u64,
        leash: &mut Leash<'_>,
    ) -> End {
        self.choices.clear();
        let (mut op, mut at) = (0, start);
        loop {
            if *steps >= leash.most || self.choices.len() > MOST_CHOICES {
                return End::Overrun;
            }
            *steps += 1;
            if (*steps + leash.before).is_multiple_of(PART) && !(leash.continues)() {
                return End::Stopped;
            }
            let right = match &program.ops[op] {
                Op::Match => return End::Found,
                Op::Jump(to) => {
                    op = *to;
                    continue;
                }
                Op::Split(first, second) => {
                    self.choices.push(Choice::Way { op: *second, at });
                    op = *first;
                    continue;
                }
                Op::Byte(byte) => take(text.get(at).is_some_and(|next| next == byte), &mut at),
                Op::Set(set) => take(text.get(at).is_some_and(|next| set.has(*next)), &mut at),
                Op::Look(look) => holds(*look, text, at),
                Op::Begin(mark) => {
                    self.choices.push(Choice::Mark { mark: *mark, at: self.marks[*mark] });
                    self.marks[*mark] = at;
                    true
                }
                Op::Progress(mark) => self.marks[*mark] != at,
            };
            if right {
                op += 1;
                continue;
            }
            match self.back() {
                Some((way, place)) => (op, at) = (way, place),
                None => return End::Absent,
            }
        }
    }

    /// The last way that was not tried; each choice that is taken back was a step before.
    fn back(&mut self) -> Option<(usize, usize)> {
        while let Some(choice) = self.choices.pop() {
            match choice {
                Choice::Way { op, at } => return Some((op, at)),
                Choice::Mark { mark, at } => self.marks[mark] = at,
            }
        }
        None
    }
}

/// Advances by a byte if it was the right one.
fn take(right: bool, at: &mut usize) -> bool {
    *at += usize::from(right);
    right
}

/// Whether an assertion holds between two bytes.
fn holds(look: Look, text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before)).copied();
    let after = text.get(at).copied();
    let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match look {
        Look::Start => at == 0,
        Look::End => at == text.len(),
        Look::StartLF => before.is_none_or(|byte| byte == b'\n'),
        Look::EndLF => after.is_none_or(|byte| byte == b'\n'),
        Look::WordAscii => word(before) != word(after),
        Look::WordAsciiNegate => word(before) == word(after),
        // The compiler lets no other through.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::waf::table::Table;

    fn search(pattern: &str, text: &[u8], most: u64) -> Run {
        let program = Program::new(pattern).unwrap();
        Machine::default().search(&program, text, &mut Leash { most, before: 0, continues: &mut || true })
    }

    fn is_in(pattern: &str, text: &str) -> bool {
        search(pattern, text.as_bytes(), u64::MAX).end == End::Found
    }

    #[test]
    fn it_finds_what_a_pattern_says() {
        for (pattern, text, found) in [
            ("a(?:b|cd)*e", "xxabcdbe", true),
            ("^ab$", "xab", false),
            (r"\bunion\b", "a union b", true),
            (r"\bunion\b", "reunions", false),
            ("(?:a*)*b", "aaab", true),
            ("(?:a*)*b", "aaa", false),
            ("(?:a|b?)+?c", "abac", true),
            ("(?i)SeLeCt", "xsElEcT", true),
            ("x{2,3}y", "xxxxy", true),
            ("x{2,3}y", "xy", false),
            ("", "", true),
            (r"[^\n]\.", "a.", true),
        ] {
            assert_eq!(is_in(pattern, text), found, "{pattern} in {text}");
        }
    }

    #[test]
    fn a_runaway_is_ended_at_its_budget_and_without_one_it_grows_with_a_power_of_the_length() {
        let pattern = r"(?:\d)+.*(?:.*=.*)";
        let steps = |digits: usize| search(pattern, &vec![b'7'; digits], u64::MAX).steps;
        assert!(steps(40) > 8 * steps(20), "{} and {}", steps(20), steps(40));
        let run = search(pattern, &[b'7'; 1000], 5_000);
        assert_eq!((run.end, run.steps), (End::Overrun, 5_000));
    }

    #[test]
    fn a_long_search_can_be_ended_from_outside() {
        let program = Program::new(r"(?:\d)+.*(?:.*=.*)").unwrap();
        let mut asked = 0;
        let mut continues = || {
            asked += 1;
            asked < 3
        };
        let mut leash = Leash { most: u64::MAX, before: 0, continues: &mut continues };
        let run = Machine::default().search(&program, &[b'7'; 10_000], &mut leash);
        assert_eq!((run.end, run.steps), (End::Stopped, 3 * PART));
    }

    #[test]
    fn many_open_choices_end_a_search_too() {
        let text = vec![b'a'; MOST_CHOICES + 100];
        assert_eq!(search("a*=", &text, u64::MAX).end, End::Overrun);
    }

    #[test]
    fn a_start_that_fails_leaves_no_mark_to_the_next_one() {
        let program = Program::new("(?:(?:a|b?)*c?)*=").unwrap();
        let mut machine = Machine::default();
        let mut leash = Leash { most: u64::MAX, before: 0, continues: &mut || true };
        let run = machine.search(&program, b"abcab", &mut leash);
        assert_eq!((run.end, program.marks), (End::Absent, 2));
        assert_eq!(machine.marks, [usize::MAX; 2]);
    }

    /// Patterns of all that the compiler knows, over a small alphabet.
    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            4 => prop::sample::select(vec!["a", "b", "c", ".", "[ab]", "[^a]", r"\d", r"\w", "ab", "bca"])
                .prop_map(str::to_owned),
            1 => prop::sample::select(vec!["^", "$", r"\b", r"\B", "(?m:^)", "(?m:$)", ""])
                .prop_map(str::to_owned),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let group = inner.clone().prop_map(|inner| format!("(?:{inner})"));
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("(?:{})", all.join(""))),
                prop::collection::vec(inner, 1..4).prop_map(|all| format!("({})", all.join("|"))),
                (group, prop::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}"]))
                    .prop_map(|(group, times)| format!("{group}{times}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_says_what_the_linear_engine_says(pattern in pattern(), text in "[abc7 \n]{0,12}") {
            let linear = Table::new(&pattern);
            // The table may be too large.
            prop_assume!(linear.is_ok());
            let run = search(&pattern, text.as_bytes(), 200_000);
            prop_assume!(run.end != End::Overrun);
            let found = linear.is_ok_and(|linear| linear.finds(text.as_bytes()));
            prop_assert_eq!(run.end == End::Found, found, "{} in {:?}", pattern, text);
        }

        #[test]
        fn no_pattern_and_no_text_takes_more_steps_than_it_was_given(
            pattern in pattern(), text in prop::collection::vec(any::<u8>(), 0..400), most in 0_u64..20_000,
        ) {
            let run = search(&pattern, &text, most);
            prop_assert!(run.steps <= most);
            prop_assert!(run.end != End::Stopped);
            prop_assert!(run.end != End::Overrun || run.steps == most);
        }
    }
}
