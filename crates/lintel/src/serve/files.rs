//! The process's open-file limit: raised as far as the system lets us, and told when it holds fewer
//! connections than the configuration allows.

use lintel_telemetry::Level;

/// Descriptors of a held connection: the client's and the provider's.
const PER_CONNECTION: u64 = 2;
/// Descriptors for everything else: journal, databases, listeners, runtimes, the admin listener's connections.
const OWN: u64 = 200;
/// A limit under this is a default that nobody chose for a server.
const SERVER: u64 = 4_096;

/// What the limit holds back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shortage {
    /// How much it matters: a server's usual limit is enough for most, a desktop's is not.
    pub(crate) level: Level,
    /// A text for the log: what follows, and what to do.
    pub(crate) text: String,
}

/// Raises the soft limit to the hard one. Tells when not all of `connections` can be held.
pub(crate) fn raise(connections: usize) -> Option<Shortage> {
    // On failure the limit is what it was; reading it back tells the truth either way.
    let raised = rlimit::increase_nofile_limit(u64::MAX);
    let limit = raised
        .or_else(|_| rlimit::Resource::NOFILE.get_soft())
        .unwrap_or(0);
    shortage(limit, connections)
}

fn shortage(limit: u64, connections: usize) -> Option<Shortage> {
    let needed = PER_CONNECTION
        .saturating_mul(connections as u64)
        .saturating_add(OWN);
    if limit >= needed {
        return None;
    }
    let held = limit.saturating_sub(OWN) / PER_CONNECTION;
    Some(Shortage {
        level: if limit < SERVER {
            Level::Warn
        } else {
            Level::Info
        },
        text: format!(
            "the open-file limit is {limit}: at most {held} connections can be held, where limits.connections allows {connections}; \
             raise it to {needed} (ulimit -n, LimitNOFILE) if more are to come"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit: u64, connections: usize, level: Option<Level>, held: &str) {
        let shortage = shortage(limit, connections);
        assert_eq!(shortage.as_ref().map(|s| s.level), level, "{limit}");
        if let Some(Shortage { text, .. }) = shortage {
            assert!(
                text.contains(&format!("at most {held} connections")),
                "{text}"
            );
        }
    }

    #[test]
    fn two_files_a_connection_and_some_of_our_own_are_needed() {
        check(2_200, 1_000, None, "");
        check(2_199, 1_000, Some(Level::Warn), "999");
        check(1_024, 20_000, Some(Level::Warn), "412");
        check(150, 20_000, Some(Level::Warn), "0");
    }

    #[test]
    fn a_limit_that_is_usual_for_a_server_is_told_and_not_warned_about() {
        check(4_095, 20_000, Some(Level::Warn), "1947");
        check(4_096, 20_000, Some(Level::Info), "1948");
        check(20_000, 20_000, Some(Level::Info), "9900");
        check(40_200, 20_000, None, "");
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise(1);
        let (soft, hard) = rlimit::Resource::NOFILE.get().unwrap();
        assert_eq!(soft, hard);
    }
}
