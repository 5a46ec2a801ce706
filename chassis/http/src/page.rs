//! Pages of a list that is in the order of its ids: how many items, and where the next page starts.

use std::fmt;

use chassis_core::Fields;
use uuid::Uuid;

/// Items of a page if the caller does not say.
pub const DEFAULT_LIMIT: u32 = 20;
/// Most items of a page.
pub const MAX_LIMIT: u32 = 100;

/// Where a page ended. Opaque to callers: they get it as text and hand it back for the next page.
///
/// Its tag says which list in which order it is good for, so that another one can refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    tag: &'static str,
    last: Uuid,
}

impl Cursor {
    /// Continues after the item with the id `last`.
    #[must_use]
    pub const fn after(tag: &'static str, last: Uuid) -> Self {
        Self { tag, last }
    }

    /// Reads what its `Display` wrote; `None` for anything else.
    #[must_use]
    pub fn read(tag: &'static str, text: &str) -> Option<Self> {
        let id = text.strip_prefix(tag).filter(|id| id.len() == 32)?;
        Uuid::try_parse(id).ok().map(|last| Self { tag, last })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.tag, self.last.simple())
    }
}

/// The page that a query asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    tag: &'static str,
    limit: u32,
    cursor: Option<Cursor>,
}

impl Page {
    /// Checks the parameters `limit` and `cursor` of a list whose cursors have this `tag`.
    ///
    /// # Errors
    /// The parameters that are wrong.
    pub fn asked(tag: &'static str, limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Fields> {
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        let read = cursor.and_then(|text| Cursor::read(tag, text));
        let mut wrong = Fields::default();
        let right = (1..=MAX_LIMIT).contains(&limit);
        wrong.unless(right, "limit", format_args!("a whole number from 1 to {MAX_LIMIT}"));
        wrong.unless(cursor.is_none() || read.is_some(), "cursor", "`next_cursor` of the page before");
        wrong.or(Self { tag, limit, cursor: read })
    }

    /// Id of the last item before the page; `None` for the first page.
    #[must_use]
    pub fn after(&self) -> Option<Uuid> {
        self.cursor.map(|cursor| cursor.last)
    }

    /// Rows to read: one more than the page has tells whether another page follows.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// Makes the page of the rows that were read: its items, and the cursor of the next page if there is one.
    #[must_use]
    pub fn of<T>(&self, mut rows: Vec<T>, id: impl Fn(&T) -> Uuid) -> (Vec<T>, Option<String>) {
        let limit = self.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|item| Cursor::after(self.tag, id(item)).to_string());
        (rows, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let id = Uuid::now_v7();
        let cursor = Cursor::after("t_", id);
        let text = cursor.to_string();
        assert_eq!(Cursor::read("t_", &text), Some(cursor));
        assert_eq!(
            Cursor::read("t_", &format!("t_{:X}", id.simple())),
            Some(cursor),
            "hex digits have no case"
        );
        for bad in ["", "t_", "t_zz", &text[1..], &format!("{text}0"), &id.to_string(), &format!("t_{id}")] {
            assert_eq!(Cursor::read("t_", bad), None, "{bad}");
        }
        assert_eq!(Cursor::read("u_", &text), None, "of another list");
    }

    #[test]
    fn a_page_has_1_to_100_items_and_both_parameters_are_checked() {
        assert_eq!(Page::asked("t", None, None).unwrap().rows(), 21);
        assert_eq!(Page::asked("t", Some(100), None).unwrap().rows(), 101);
        for limit in [0, 101] {
            let wrong = Page::asked("t", Some(limit), Some("x")).unwrap_err();
            assert_eq!(wrong.names().collect::<Vec<_>>(), ["cursor", "limit"]);
        }
    }

    #[test]
    fn the_row_beyond_the_page_tells_that_another_follows() {
        let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        let page = Page::asked("t", Some(2), None).unwrap();
        let (items, next) = page.of(ids.clone(), |id| *id);
        assert_eq!(items, ids[..2]);
        let next = Page::asked("t", Some(2), next.as_deref()).unwrap();
        assert_eq!(next.after(), Some(ids[1]));
        assert_eq!(next.of(ids[2..].to_vec(), |id| *id), (ids[2..].to_vec(), None));
    }
}
