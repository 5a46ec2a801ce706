//! What identifies the file of a firewall's rule, for programs that have to know whether two of them are the same.

/// How the line of a rule's file begins that says what the rule does.
const MODE: &str = "mode:";

/// 16 hex digits for the text of a rule's file, apart from its mode, which is set by itself. Spaces at the ends of lines and blank
/// lines do not count. FNV-1a with 64 bits: for files that people write, and no defence against anyone.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(MODE));
    let bytes = lines.flat_map(|line| line.bytes().chain([b'\n']));
    let hash = bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}

/// The mode that the file of a rule declares; none if no line does.
#[must_use]
pub fn declared_mode(text: &str) -> Option<&str> {
    let declared = text.lines().find_map(|line| line.strip_prefix(MODE))?;
    let value = declared.split(" #").next().unwrap_or(declared);
    Some(value.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "id: no-tea\ntitle: Coffee only\nmode: enforce\npattern: 'tea'\n";

    #[test]
    fn a_file_is_the_same_whatever_its_mode_and_its_blank_lines_and_no_other_one_is() {
        let print = fingerprint(RULE);
        assert_eq!(print.len(), 16);
        for same in [RULE.replace("enforce", "'off'"), RULE.replace('\n', " \r\n\n"), format!("\n{RULE}\n\n")]
        {
            assert_eq!(fingerprint(&same), print, "{same:?}");
        }
        for other in
            [RULE.replace("tea'", "tee'"), RULE.replace("\ntitle", "\n title"), RULE.replacen("id", "", 1)]
        {
            assert_ne!(fingerprint(&other), print, "{other:?}");
        }
        assert_eq!(fingerprint(""), "cbf29ce484222325", "the basis of FNV-1a");
        assert_eq!(fingerprint("a"), fingerprint("a\n"));
    }

    #[test]
    fn the_mode_of_a_file_is_what_its_line_says() {
        assert_eq!(declared_mode(RULE), Some("enforce"));
        assert_eq!(declared_mode("mode: 'off' # for a while\n"), Some("off"));
        assert_eq!(declared_mode("mode: \"simulate\"\n"), Some("simulate"));
        assert_eq!(declared_mode("  mode: off\n"), None, "of something else");
    }
}
