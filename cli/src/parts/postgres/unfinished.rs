//! Scripts of drills that were run and not undone, because the lab ended first: they are undone before the server listens, as
//! no service starts without its login or its table.

use supervisor::part::{Line, Preparation, Step};
use switchboard::{Deed, Script, in_lines};

use crate::home::Home;

/// What undoes them. `alone` is the server in single-user mode, in a database.
pub(super) fn preparations(home: &Home, alone: impl Fn(&str) -> Line) -> Vec<Preparation> {
    let undone = |script: &'static Script| {
        let note = script.note(&home.dir);
        let mut steps = match script.deed {
            Deed::Sql { database, on_replica: false, undo, .. } => {
                vec![Step::Run(alone(database), in_lines(undo))]
            }
            Deed::Move { file, aside } if home.dir.join(aside).exists() => {
                vec![Step::Rename(home.dir.join(aside), home.dir.join(file))]
            }
            // What was done in the replica, or by a command to a process, has ended with the process.
            Deed::Sql { .. } | Deed::Lab { .. } | Deed::Move { .. } => Vec::new(),
        };
        steps.push(Step::Remove(note.clone()));
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
        for name in ["backup-key", "fulfillment-password", "replica-replay", "users-table"] {
            fs::create_dir_all(home.dir.join("scripts").join(name)).unwrap();
        }
        fs::create_dir(home.dir.join("secrets")).unwrap();
        fs::write(home.dir.join("secrets/backup-key.aside"), "key").unwrap();
        let all = preparations(&home, alone);
        let [key, password, replica, table] = all.as_slice() else { panic!("{all:?}") };
        let [Step::Rename(_, to), Step::Remove(_)] = key.steps.as_slice() else { panic!("{key:?}") };
        assert!(to.ends_with("secrets/backup-key"), "{}", to.display());
        assert!(matches!(password.steps.as_slice(), [Step::Remove(_)]), "{password:?}");
        assert!(matches!(replica.steps.as_slice(), [Step::Remove(_)]), "{replica:?}");
        let [Step::Run(line, sql), Step::Remove(note)] = table.steps.as_slice() else { panic!("{table:?}") };
        assert_eq!(line.args, ["--single", "users"]);
        assert!(sql.contains("ALTER TABLE IF EXISTS unused.users SET SCHEMA public;\n"), "{sql}");
        assert!(note.ends_with("scripts/users-table"), "{}", note.display());
    }
}
