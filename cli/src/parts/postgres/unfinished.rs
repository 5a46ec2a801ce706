//! Scripts of drills that were run and not undone, because the lab ended first: they are undone before the server listens, as
//! no service starts without its login or its table.

use supervisor::part::{Line, Preparation, Step};
use switchboard::Script;

use crate::home::Home;

/// What undoes them. `alone` is the server in single-user mode, in a database.
pub(super) fn preparations(home: &Home, alone: impl Fn(&str) -> Line) -> Vec<Preparation> {
    let undone = |script: &'static Script| {
        let note = script.note(&home.dir);
        let mut steps = vec![Step::Remove(note.clone())];
        // What was done in the replica has ended with its process.
        if !script.on_replica {
            steps.insert(0, Step::Run(alone(script.database), script.undoes()));
        }
        // Nothing creates this file: the note itself says that there is something to do.
        Preparation { unless: note.join("undone"), steps }
    };
    Script::noted(&home.dir).into_iter().map(undone).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_drill_left_is_undone_in_its_database_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let home =
            Home { root: folder.path().into(), dir: supervisor::Folder::at(folder.path()), token: None };
        let alone = |database: &str| Line::new("postgres").args(["--single", database]);
        assert!(preparations(&home, alone).is_empty(), "no drill left anything");
        for name in ["replica-replay", "users-table"] {
            fs::create_dir_all(home.dir.join("scripts").join(name)).unwrap();
        }
        let all = preparations(&home, alone);
        let [replica, table] = all.as_slice() else { panic!("{all:?}") };
        assert!(matches!(replica.steps.as_slice(), [Step::Remove(_)]), "{replica:?}");
        let [Step::Run(line, sql), Step::Remove(note)] = table.steps.as_slice() else { panic!("{table:?}") };
        assert_eq!(line.args, ["--single", "users"]);
        assert!(sql.contains("ALTER TABLE IF EXISTS unused.users SET SCHEMA public;\n"), "{sql}");
        assert!(note.ends_with("scripts/users-table"), "{}", note.display());
    }
}
