//! Sizes, times and parts as people read them.

/// `1.5 GiB`.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} bytes");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `3 days`, `5 hours`, `12 minutes`, `1.5 seconds`: the largest unit of which there are two, rounded down.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    let whole = [(86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes")]
        .into_iter()
        .find(|(length, _)| seconds >= 2.0 * length);
    match whole {
        Some((length, name)) => format!("{:.0} {name}", (seconds / length).floor()),
        None if seconds >= 10.0 => format!("{seconds:.0} seconds"),
        None => format!("{seconds:.1} seconds"),
    }
}

/// `42 %`.
pub(super) fn percent(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_well() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
        assert_eq!(duration(0.25), "0.2 seconds");
        assert_eq!(duration(119.0), "119 seconds");
        assert_eq!(duration(7199.0), "119 minutes");
        assert_eq!(duration(3.0 * 86_400.0), "3 days");
        assert_eq!(percent(0.156), "16 %");
    }
}
