//! What the process has taken of its machine, read anew at each scrape. Where the system doesn't say (anywhere but
//! Linux) there is nothing, and the metrics have no value.

use std::fs::{read_dir, read_to_string};

use lintel_telemetry::Process;
use lintel_types::Timestamp;

/// Ticks in a second of processor time: fixed in Linux's interface to programs, whatever the kernel's own clock.
const TICKS: f64 = 100.0;

/// The process's figures; it began at `started`.
pub(crate) fn read(started: Timestamp) -> Option<Process> {
    let status = read_to_string("/proc/self/status").ok()?;
    let limits = read_to_string("/proc/self/limits").ok()?;
    let stat = read_to_string("/proc/self/stat").ok()?;
    Some(Process {
        resident_bytes: field(&status, "VmRSS:")?.saturating_mul(1024),
        threads: field(&status, "Threads:")?,
        max_files: field(&limits, "Max open files")?,
        open_files: open_files()?,
        cpu_seconds: cpu(&stat)?,
        started_seconds: started.as_micros() as f64 / 1e6,
    })
}

/// The first number of the line that begins with `name`. A limit that is none is the largest number.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    match rest.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

/// The look itself opens one.
fn open_files() -> Option<u64> {
    let open = read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(open).ok()?.checked_sub(1)
}

/// Seconds of processor time: the 14th and 15th field, behind a name that may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (next()?, next()?);
    Some((user + system) as f64 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 9 9 9";
        assert_eq!(cpu(stat), Some(3.0));
        assert_eq!(
            field(
                "Max open files            1024       4096     files",
                "Max open files"
            ),
            Some(1024)
        );
        assert_eq!(
            field("Max open files unlimited", "Max open files"),
            Some(u64::MAX)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_files_and_threads() {
        let seen = read(Timestamp::from_millis(1_000)).unwrap();
        assert!(
            seen.resident_bytes > 100_000 && seen.threads >= 1,
            "{seen:?}"
        );
        assert!(
            seen.open_files >= 3 && seen.max_files >= seen.open_files,
            "{seen:?}"
        );
        assert_eq!(seen.started_seconds, 1.0);
    }
}
