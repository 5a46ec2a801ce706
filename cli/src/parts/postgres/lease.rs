//! What the lab's owner may do although it takes a superuser, as whom nobody can log in: say until when a login is valid, and
//! hold the replay of the replica. Drills need both.

/// SQL that allows it to `owner`; can be run repeatedly. One statement per line, as single-user mode requires. Logins of no other
/// role than `roles`: the owner could lock out the control room, or itself.
pub(super) fn statements(owner: &str, roles: &[&str]) -> String {
    let roles: Vec<String> = roles.iter().map(|role| format!("'{role}'")).collect();
    let body = format!(
        "BEGIN IF who NOT IN ({}) THEN RAISE EXCEPTION 'no login that expires: %', who; END IF; \
         EXECUTE format('ALTER ROLE %I VALID UNTIL %L', who, ends_at); END",
        roles.join(", ")
    );
    let lease = "public.lease(name, timestamptz)";
    format!(
        "CREATE OR REPLACE FUNCTION public.lease(who name, ends_at timestamptz) RETURNS void LANGUAGE plpgsql \
         SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ {body} $$;\n\
         REVOKE ALL ON FUNCTION {lease} FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION {lease} TO {owner};\n\
         GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO {owner};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_says_until_when_a_login_is_valid_and_only_of_services_and_backups() {
        let sql = statements("lab", &["users", "orders", "fulfillment", "backup"]);
        let lines: Vec<&str> = sql.lines().collect();
        let [made, revoked, granted, held] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(made.contains("who NOT IN ('users', 'orders', 'fulfillment', 'backup')"), "{made}");
        assert!(made.contains("SECURITY DEFINER SET search_path = pg_catalog, pg_temp"), "{made}");
        assert_eq!(*revoked, "REVOKE ALL ON FUNCTION public.lease(name, timestamptz) FROM PUBLIC;");
        assert_eq!(*granted, "GRANT EXECUTE ON FUNCTION public.lease(name, timestamptz) TO lab;");
        assert!(held.ends_with(" TO lab;"), "{held}");
    }
}
