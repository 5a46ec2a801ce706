//! Rows and migrations without sqlx's macros: a derive and a macro that compile all of sqlx and tokio once more, for the compiler.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

/// Reads a struct from a row, each field from the column of its name. Fields after `;` are structs that read from the same row.
#[macro_export]
macro_rules! from_row {
    ($row:ty { $($column:ident),+ $(; $($part:ident),+)? }) => {
        impl<'r> ::sqlx::FromRow<'r, ::sqlx::postgres::PgRow> for $row {
            fn from_row(row: &'r ::sqlx::postgres::PgRow) -> ::sqlx::Result<Self> {
                Ok(Self {
                    $($column: ::sqlx::Row::try_get(row, stringify!($column))?,)+
                    $($($part: ::sqlx::FromRow::from_row(row)?,)+)?
                })
            }
        }
    };
}

/// The migrations in the folder `migrations` of the crate, by their names without `.sql`, as `0001_first`.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        ::std::sync::LazyLock::new(|| {
            $crate::migrator(&[$((
                $name,
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $name, ".sql")),
            )),+])
        })
    };
}

/// What [`migrations!`] makes: of each file its name, which begins with the version, and its text.
///
/// A schema may be newer than the program: during a rollout both versions start and restart, and after a rollback the old one
/// has to. So migrations that it does not know are none of its business; those that it knows must be unchanged.
#[must_use]
pub fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().map(|&(name, sql)| {
        let (version, description) = name.split_once('_').unwrap_or((name, ""));
        let version = version.parse().unwrap_or_else(|_| panic!("`{name}` does not begin with a version"));
        let description = description.replace('_', " ");
        Migration::new(version, description.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn embedded_migrations_are_those_that_sqlx_reads_from_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [("0001_first_of_all", "CREATE TABLE a ();\n"), ("0012_next", "CREATE TABLE b ();\n")];
        for (name, sql) in files {
            std::fs::write(folder.path().join(format!("{name}.sql")), sql).expect("a file");
        }
        let read = Migrator::new(folder.path()).await.expect("migrations");
        let told = |migrator: &Migrator| -> Vec<_> {
            let one = |m: &Migration| (m.version, m.description.to_string(), m.checksum.to_vec(), m.no_tx);
            migrator.iter().map(one).collect()
        };
        assert_eq!(told(&migrator(&files)), told(&read));
    }
}
