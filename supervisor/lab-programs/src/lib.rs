//! Which of several programs in one file is meant: the one by whose name the file was called.

use std::{ffi::OsStr, path::Path};

/// What belongs to the program that is called by `path`, the first argument of a process. More may follow its name: a
/// version that is released is a copy, such as `order-api@v2-00c0ffee`.
pub fn called<'p, T>(programs: &'p [(&str, T)], path: &OsStr) -> Option<&'p T> {
    let name = Path::new(path).file_name()?.to_str()?;
    programs.iter().find(|(program, _)| name.starts_with(program)).map(|(_, life)| life)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the table in `main.rs`, which is compiled for a lab only: it takes the code of all programs.
    fn programs() -> Vec<String> {
        let table = include_str!("main.rs").lines().filter_map(|line| line.trim().strip_prefix("(\""));
        table.filter_map(|row| Some(row.split_once("\", ")?.0.to_owned())).collect()
    }

    #[test]
    fn a_program_is_chosen_by_the_name_that_the_file_is_called_by() {
        let programs = [("edge", 1), ("order-api", 2)];
        let chosen = |path: &str| called(&programs, OsStr::new(path)).copied();
        assert_eq!(chosen("edge"), Some(1));
        assert_eq!(chosen("/lab/target/lab/order-api"), Some(2));
        assert_eq!(chosen("builds/order-api@v2-00c0ffee"), Some(2), "a version that is released");
        for path in ["", "/", "lab-programs", "order"] {
            assert_eq!(chosen(path), None, "{path}");
        }
    }

    #[test]
    fn no_name_is_the_beginning_of_another() {
        let programs = programs();
        assert!(!programs.is_empty());
        for name in &programs {
            let begun: Vec<&String> =
                programs.iter().filter(|other| other.starts_with(name.as_str())).collect();
            assert_eq!(begun, [name]);
        }
    }

    #[test]
    fn the_builder_gives_the_file_the_names_of_its_programs() {
        let builder = include_str!("../../../tools/build.sh");
        let names = builder.lines().find_map(|line| line.strip_prefix("programs=\"")?.strip_suffix('"'));
        let names: Vec<&str> = names.expect("a line with the programs").split(' ').collect();
        assert_eq!(names, programs());
    }
}
