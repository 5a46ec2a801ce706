//! What the lab's owner may do although it takes a superuser, as whom nobody can log in: say until when a login is valid, replace
//! the password of a service, and hold the replay of the replica.

/// SQL that allows it to `owner`; can be run repeatedly. One statement per line, as single-user mode requires. Logins of no other
/// role than `services` and `backup`: the owner could lock out the control room, or itself. Passwords of services alone: the
/// owner has their rights anyway, and with that of `backup` could copy the server.
pub(super) fn statements(owner: &str, services: &[&str], backup: &str) -> String {
    let leased = [services, &[backup]].concat();
    let lease = format!(
        "BEGIN IF who NOT IN ({}) THEN RAISE EXCEPTION 'no login that expires: %', who; END IF; \
         EXECUTE format('ALTER ROLE %I VALID UNTIL %L', who, ends_at); END",
        quoted(&leased)
    );
    // PostgreSQL would store anything else as a password, in clear text on its way.
    let rekey = format!(
        "BEGIN IF who NOT IN ({}) OR verifier NOT LIKE 'SCRAM-SHA-256$%' THEN RAISE EXCEPTION 'no password of a service: %', \
         who; END IF; EXECUTE format('ALTER ROLE %I PASSWORD %L', who, verifier); END",
        quoted(services)
    );
    let leased = allowed(owner, "lease", ["who name, ends_at timestamptz", "name, timestamptz"], &lease);
    let rekeyed = allowed(owner, "rekey", ["who name, verifier text", "name, text"], &rekey);
    format!(
        "{leased}{rekeyed}GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO {owner};\n"
    )
}

fn quoted(roles: &[&str]) -> String {
    roles.iter().map(|role| format!("'{role}'")).collect::<Vec<_>>().join(", ")
}

/// A function with the rights of the superuser, which only `owner` may call; its parameters with and without names.
fn allowed(owner: &str, name: &str, [takes, types]: [&str; 2], body: &str) -> String {
    let function = format!("public.{name}({types})");
    format!(
        "CREATE OR REPLACE FUNCTION public.{name}({takes}) RETURNS void LANGUAGE plpgsql \
         SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ {body} $$;\n\
         REVOKE ALL ON FUNCTION {function} FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION {function} TO {owner};\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_says_until_when_a_login_is_valid_and_only_of_services_and_backups() {
        let sql = statements("lab", &["users", "orders", "fulfillment"], "backup");
        let lines: Vec<&str> = sql.lines().collect();
        let [made, revoked, granted, _, _, _, held] = lines.as_slice() else { panic!("{lines:?}") };
        assert!(made.contains("who NOT IN ('users', 'orders', 'fulfillment', 'backup')"), "{made}");
        assert!(made.contains("SECURITY DEFINER SET search_path = pg_catalog, pg_temp"), "{made}");
        assert_eq!(*revoked, "REVOKE ALL ON FUNCTION public.lease(name, timestamptz) FROM PUBLIC;");
        assert_eq!(*granted, "GRANT EXECUTE ON FUNCTION public.lease(name, timestamptz) TO lab;");
        assert!(held.ends_with(" TO lab;"), "{held}");
    }

    #[test]
    fn only_the_owner_replaces_passwords_and_only_those_of_services() {
        let sql = statements("lab", &["users", "orders", "fulfillment"], "backup");
        let [_, _, _, made, revoked, granted, _] = sql.lines().collect::<Vec<_>>()[..] else {
            panic!("{sql}")
        };
        assert!(
            made.contains("who NOT IN ('users', 'orders', 'fulfillment') OR verifier NOT LIKE"),
            "{made}"
        );
        assert!(made.contains("SECURITY DEFINER SET search_path = pg_catalog, pg_temp"), "{made}");
        assert_eq!(revoked, "REVOKE ALL ON FUNCTION public.rekey(name, text) FROM PUBLIC;");
        assert_eq!(granted, "GRANT EXECUTE ON FUNCTION public.rekey(name, text) TO lab;");
    }
}
