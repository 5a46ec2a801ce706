//! The files of the drills. Read when somebody asks for one, and kept as long as the file stays as it is: to
//! read all of them takes longer than an answer may take.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use drill::Drill;
use parking_lot::Mutex;

use crate::{
    content::Content,
    error::{Error, Result},
};

/// Most drills that are kept: several versions of each.
const KEPT: usize = 200;

/// The drills.
pub(super) struct Library {
    content: Content,
    /// By what their file says.
    read: Mutex<BTreeMap<u64, Arc<Drill>>>,
}

impl Library {
    pub(super) fn new(content: &Content) -> Self {
        Self { content: content.clone(), read: Mutex::default() }
    }

    /// Every drill whose file is right, by name.
    pub(super) fn all(&self) -> Vec<Arc<Drill>> {
        let names = self.content.drills();
        let drills = names.iter().filter_map(|name| match self.find(name) {
            Ok((drill, _)) => Some(drill),
            Err(error) => {
                tracing::warn!(%error, "a drill is left out");
                None
            }
        });
        drills.collect()
    }

    /// A drill, and its file.
    ///
    /// # Errors
    /// When there is none, or its file is wrong.
    pub(super) fn find(&self, name: &str) -> Result<(Arc<Drill>, Cow<'static, str>)> {
        let Some(file) = self.content.drill(name) else {
            let known = self.content.drills().join(", ");
            return Err(Error::NoSuch { what: "drill", name: name.to_owned(), known });
        };
        Ok((self.read(name, &file)?, file))
    }

    /// The drill of a file.
    ///
    /// # Errors
    /// When the file is wrong: with each line and field.
    pub(super) fn read(&self, name: &str, file: &str) -> Result<Arc<Drill>> {
        let mut hasher = DefaultHasher::new();
        (name, file).hash(&mut hasher);
        let key = hasher.finish();
        if let Some(known) = self.read.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let read = drill::read(&format!("drills/{name}.yaml"), file);
        let drill = Arc::new(read.map_err(|problems| Error::Conflict(problems.to_string()))?);
        let mut kept = self.read.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&drill));
        Ok(drill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drill_is_read_once_and_a_wrong_name_lists_those_that_exist() {
        let library = Library::new(&Content::open(None).unwrap());
        let (first, file) = library.find("first-page").unwrap();
        assert_eq!(first.id, "first-page");
        assert!(Arc::ptr_eq(&first, &library.read("first-page", &file).unwrap()));
        let refused = library.find("../first-page").unwrap_err().to_string();
        assert!(refused.contains("there is no drill") && refused.contains("first-page"), "{refused}");
    }

    #[test]
    fn a_file_that_is_wrong_is_named_with_its_field() {
        let library = Library::new(&Content::open(None).unwrap());
        let refused = library.read("x", "id: x\ntitle: X\n").unwrap_err().to_string();
        assert!(refused.contains("drills/x.yaml"), "{refused}");
    }
}
