//! A pattern as a program for the backtracking engine. Its syntax is that of the linear engine, so that a
//! rule can move from one to the other by one word; bytes and not characters are compared, and classes are
//! those of ASCII.

use regex_syntax::{
    ParserBuilder,
    hir::{Class, ClassBytes, Hir, HirKind, Look, Repetition},
};

/// Most instructions of a program: repetitions are written out.
const LARGEST: usize = 20_000;
/// Deepest nesting of groups: the compiler calls itself.
const DEEPEST: u32 = 60;

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Set([u64; 4]);

impl Set {
    fn of(class: &ClassBytes) -> Self {
        let mut bits = [0; 4];
        for range in class.ranges() {
            for byte in range.start()..=range.end() {
                bits[usize::from(byte >> 6)] |= 1_u64 << (byte & 63);
            }
        }
        Self(bits)
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }
}

/// One instruction.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Takes this byte.
    Byte(u8),
    /// Takes a byte of the set.
    Set(Box<Set>),
    /// Tries the first way, and the second one if the first one fails.
    Split(usize, usize),
    /// Continues there.
    Jump(usize),
    /// Takes nothing, and holds only at certain places.
    Look(Look),
    /// Notes where an iteration that may take nothing begins.
    Begin(usize),
    /// Fails if nothing was taken since then: such an iteration would never end.
    Progress(usize),
    /// The whole pattern was found.
    Match,
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) ops: Vec<Op>,
    /// How many places are noted.
    pub(super) marks: usize,
}

impl Program {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let hir = parse(pattern)?;
        let mut compiler = Compiler { ops: Vec::new(), marks: 0 };
        compiler.hir(&hir)?;
        compiler.push(Op::Match)?;
        Ok(Self { ops: compiler.ops, marks: compiler.marks })
    }
}

/// Reads a pattern, for both engines.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn parse(pattern: &str) -> Result<Hir, String> {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).nest_limit(DEEPEST).build().parse(pattern);
    parsed.map_err(|error| what_is_wrong(&error.to_string()))
}

/// The last line of the parser's message says what is wrong, the others show where.
fn what_is_wrong(message: &str) -> String {
    let last = message.lines().last().unwrap_or(message);
    last.trim_start_matches("error: ").to_owned()
}

struct Compiler {
    ops: Vec<Op>,
    marks: usize,
}

type Done = Result<(), String>;

impl Compiler {
    /// The place of the new instruction.
    fn push(&mut self, op: Op) -> Result<usize, String> {
        if self.ops.len() >= LARGEST {
            return Err(format!("the pattern needs more than {LARGEST} instructions"));
        }
        self.ops.push(op);
        Ok(self.ops.len() - 1)
    }

    fn hir(&mut self, hir: &Hir) -> Done {
        match hir.kind() {
            HirKind::Empty => Ok(()),
            HirKind::Literal(literal) => {
                literal.0.iter().try_for_each(|byte| self.push(Op::Byte(*byte)).map(drop))
            }
            HirKind::Class(class) => self.class(class),
            HirKind::Look(look) => self.look(*look),
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) => self.hir(&capture.sub),
            HirKind::Concat(subs) => subs.iter().try_for_each(|sub| self.hir(sub)),
            HirKind::Alternation(subs) => self.alternation(subs),
        }
    }

    fn class(&mut self, class: &Class) -> Done {
        let bytes = match class {
            Class::Bytes(bytes) => Some(bytes.clone()),
            // The parser makes classes of single characters even without Unicode.
            Class::Unicode(characters) => characters.to_byte_class(),
        };
        let bytes = bytes.ok_or("a class may hold ASCII characters only")?;
        self.push(Op::Set(Box::new(Set::of(&bytes)))).map(drop)
    }

    fn look(&mut self, look: Look) -> Done {
        let known =
            [Look::Start, Look::End, Look::StartLF, Look::EndLF, Look::WordAscii, Look::WordAsciiNegate];
        if !known.contains(&look) {
            return Err(r"of the assertions, there are ^, $, \b and \B".to_owned());
        }
        self.push(Op::Look(look)).map(drop)
    }

    fn alternation(&mut self, subs: &[Hir]) -> Done {
        let Some((last, others)) = subs.split_last() else { return Ok(()) };
        let mut ends = Vec::with_capacity(others.len());
        for sub in others {
            let split = self.push(Op::Split(0, 0))?;
            self.hir(sub)?;
            ends.push(self.push(Op::Jump(0))?);
            self.ops[split] = Op::Split(split + 1, self.ops.len());
        }
        self.hir(last)?;
        let end = self.ops.len();
        ends.into_iter().for_each(|jump| self.ops[jump] = Op::Jump(end));
        Ok(())
    }

    fn repetition(&mut self, repetition: &Repetition) -> Done {
        let Repetition { min, max, greedy, sub } = repetition;
        for _ in 0..*min {
            self.hir(sub)?;
        }
        let Some(max) = max else { return self.star(sub, *greedy) };
        let mut splits = Vec::new();
        for _ in *min..*max {
            splits.push(self.push(Op::Split(0, 0))?);
            self.hir(sub)?;
        }
        let end = self.ops.len();
        for split in splits {
            self.ops[split] = ways(split + 1, end, *greedy);
        }
        Ok(())
    }

    fn star(&mut self, sub: &Hir, greedy: bool) -> Done {
        let split = self.push(Op::Split(0, 0))?;
        if sub.properties().minimum_len() == Some(0) {
            let mark = self.marks;
            self.marks += 1;
            self.push(Op::Begin(mark))?;
            self.hir(sub)?;
            self.push(Op::Progress(mark))?;
        } else {
            self.hir(sub)?;
        }
        self.push(Op::Jump(split))?;
        self.ops[split] = ways(split + 1, self.ops.len(), greedy);
        Ok(())
    }
}

/// Tries another iteration first if `greedy`, otherwise what follows the loop.
fn ways(again: usize, on: usize, greedy: bool) -> Op {
    if greedy { Op::Split(again, on) } else { Op::Split(on, again) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_does_not_know_is_refused_with_a_sentence() {
        let (open, nested) = ("(".repeat(100), format!("{}a{}", "(".repeat(100), ")".repeat(100)));
        for (pattern, said) in [
            ("a(", "unclosed group"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?u)é[à-ü]", "ASCII"),
            ("(?R)^$(?m)^", "assertions"),
            ("(a{500}){500}", "instructions"),
            (open.as_str(), "unclosed group"),
            (nested.as_str(), "nest"),
        ] {
            let wrong = Program::new(pattern).map(drop).expect_err(pattern);
            assert!(wrong.contains(said), "{pattern}: {wrong}");
        }
    }

    #[test]
    fn a_repetition_that_says_nothing_costs_nothing() {
        assert_eq!(Program::new("a{0}").unwrap().ops.len(), 1);
        assert!(Program::new("(?:a?){1000}").is_ok());
    }
}
