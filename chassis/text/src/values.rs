//! Sizes and shares. Bounds that a field or flag has of its own are its caller's.

/// Reads a number from 0 to 1.
///
/// # Errors
/// A sentence that says what is valid.
pub fn ratio(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a number from 0 to 1")),
    }
}

/// Reads a share such as `20%`, `20 %` or `0.2`; 1 is all. `None` if it is not a number, or if it is not from 0 to 1.
#[must_use]
pub fn share(text: &str) -> Option<f64> {
    let (number, scale) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().ok()? / scale;
    (0.0..=1.0).contains(&share).then_some(share)
}

/// Reads a size in bytes: `512`, `64KiB`, `256MiB`, `1GiB`.
///
/// # Errors
/// A sentence that says what is valid.
pub fn byte_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size such as 512, 64KiB or 256MiB");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)
}

/// Writes a number of bytes in MiB, with one decimal and without the unit.
#[must_use]
pub fn mib(bytes: u64) -> String {
    // Sizes of memory and files stay far below 2^52 bytes.
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53")]
    let mib = bytes as f64 / f64::from(1 << 20);
    format!("{mib:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_carry_binary_units() {
        assert_eq!(byte_size("64KiB"), Ok(65_536));
        assert_eq!(byte_size("512"), Ok(512));
        for bad in ["", "KiB", "1KB", "-1", "99999999999GiB"] {
            assert!(byte_size(bad).is_err(), "{bad}");
        }
        assert_eq!((mib(5 << 20), mib(1_600_000)), ("5.0".to_owned(), "1.5".to_owned()));
    }

    #[test]
    fn a_share_is_a_percentage_or_a_fraction() {
        let shares = ["20%", "0.2", "100 %", "0"].map(share);
        assert_eq!(shares, [Some(0.2), Some(0.2), Some(1.0), Some(0.0)]);
        assert_eq!(["", "%", "120%", "-1", "half", "NaN"].map(share), [None; 6]);
        assert_eq!(ratio("0.5"), Ok(0.5));
        assert_eq!(ratio("50%"), Err("`50%` is not a number from 0 to 1".to_owned()));
    }
}
