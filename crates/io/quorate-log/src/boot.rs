use quorate_core::BootId;

/// Which run of the machine this is: it changes with every boot, and only then.
///
/// On Linux the kernel says it (`/proc/sys/kernel/random/boot_id`). Where it cannot be had, every call gives
/// another one, so that a node which must know whether the machine went down assumes that it did.
#[must_use]
pub fn boot_id() -> BootId {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .and_then(|text| parse(&text))
        .unwrap_or_else(unlike_any_other)
}

fn parse(text: &str) -> Option<BootId> {
    let digits: String = text.trim().chars().filter(|digit| *digit != '-').collect();
    (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok().map(BootId))?
}

fn unlike_any_other() -> BootId {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    BootId(now.as_nanos() << 32 | u128::from(std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_id_is_read_as_the_kernel_writes_it() {
        let text = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n";
        assert_eq!(parse(text), Some(BootId(0x0a1b_2c3d_4e5f_6071_8293_a4b5_c6d7_e8f9)));
        assert_eq!(parse("0a1b"), None);
        assert_eq!(parse(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_boot_has_one_id() {
        assert_eq!(boot_id(), boot_id());
    }
}
