/// The longest value that is measured, in bytes: 1 MiB.
const VALUE_BYTES_MAX: u32 = 1 << 20;
const UNITS: [(&str, u32); 2] = [("KiB", 1 << 10), ("MiB", 1 << 20)];

/// Reads the length of a value: a number of bytes, or of KiB or MiB if it ends with that.
///
/// # Errors
/// Says what to write instead.
pub(super) fn parse(text: &str) -> Result<u32, String> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, bytes)| Some((text.strip_suffix(name)?.trim_end(), *bytes)))
        .unwrap_or((text, 1));
    let bytes = number.parse().ok().and_then(|number: u32| number.checked_mul(unit));
    bytes
        .filter(|bytes| *bytes <= VALUE_BYTES_MAX)
        .ok_or_else(|| "write a number of bytes up to 1 MiB, such as 100, 16KiB or 1MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_in_bytes_or_in_the_unit_behind_it() {
        let lengths = ["0", "100", "1KiB", "64 KiB", "1MiB", "1048576"].map(parse);
        assert_eq!(lengths, [0, 100, 1 << 10, 64 << 10, 1 << 20, 1 << 20].map(Ok));
    }

    #[test]
    fn what_is_no_length_or_too_long_is_refused() {
        for text in ["", "-1", "1.5KiB", "2MiB", "1048577", "4194305KiB", "1kB", "KiB"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
