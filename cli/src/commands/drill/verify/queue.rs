//! Names that several lanes take one by one.

use std::{cell::RefCell, collections::VecDeque};

/// The names that are left, for all lanes.
pub(in crate::commands::drill) struct Queue<'q> {
    left: RefCell<VecDeque<(usize, &'q String)>>,
    count: usize,
    width: usize,
}

impl<'q> Queue<'q> {
    pub(in crate::commands::drill) fn of(names: &'q [String]) -> Self {
        let left = (1..).zip(names).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        Self { left: RefCell::new(left), count: names.len(), width }
    }

    /// The next one, after `3 of 40`.
    pub(in crate::commands::drill) fn take(&self) -> Option<(String, &'q str)> {
        let (number, name) = self.left.borrow_mut().pop_front()?;
        let place = if self.count > 1 { format!("{number} of {}", self.count) } else { String::new() };
        Some((place, name.as_str()))
    }

    /// Those that nobody took.
    pub(in crate::commands::drill) fn rest(&self) -> Vec<String> {
        self.left.borrow_mut().drain(..).map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.borrow().is_empty()
    }

    /// Length of the longest name.
    pub(in crate::commands::drill) const fn width(&self) -> usize {
        self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lanes_take_each_name_once_and_what_is_left_is_known() {
        let names = ["a", "bcd", "e"].map(str::to_owned);
        let queue = Queue::of(&names);
        assert_eq!(queue.width(), 3);
        assert_eq!(queue.take(), Some(("1 of 3".to_owned(), "a")));
        assert_eq!(queue.take(), Some(("2 of 3".to_owned(), "bcd")));
        assert_eq!(queue.rest(), ["e"]);
        assert_eq!((queue.take(), queue.rest()), (None, Vec::new()));
        assert_eq!(Queue::of(&names[..1]).take(), Some((String::new(), "a")));
    }
}
