//! Options in a model's name: one ordered list, from which the parser and the documentation come.

use super::config::{Malformed, Pause, Percent, SandboxConfig, Status, UsageReport};
use std::time::Duration;

/// How long `-slowhdr` holds the head back.
const SLOW_HEAD: Duration = Duration::from_secs(10);

/// One option: what it is called, whether a number follows, what it does.
#[derive(Debug)]
pub struct OptionRow {
    /// The word, without dash and number.
    pub word: &'static str,
    /// Whether a whole number must follow (else none may).
    pub number: bool,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Sets it; `None` when the number is out of range.
    set: fn(&mut SandboxConfig, u32) -> Option<()>,
}

const fn row(
    word: &'static str,
    number: bool,
    summary: &'static str,
    set: fn(&mut SandboxConfig, u32) -> Option<()>,
) -> OptionRow {
    OptionRow {
        word,
        number,
        summary,
        set,
    }
}

/// Every option, in the order of the documentation.
pub const OPTIONS: &[OptionRow] = &[
    row(
        "d",
        true,
        "the first byte comes after so many milliseconds",
        |c, n| {
            c.first_token = Some(millis(n));
            Some(())
        },
    ),
    row(
        "i",
        true,
        "so many milliseconds lie between tokens",
        |c, n| {
            c.per_token = Some(millis(n));
            Some(())
        },
    ),
    row(
        "n",
        true,
        "a text answer has so many tokens, at most 100000",
        |c, n| {
            c.tokens = Some(n);
            Some(())
        },
    ),
    row(
        "b",
        true,
        "a text answer has about so many bytes, at most 400000",
        |c, n| {
            c.bytes = Some(n);
            Some(())
        },
    ),
    row(
        "in",
        true,
        "usage reports so many input tokens, cached ones included",
        |c, n| {
            c.input_tokens = Some(u64::from(n));
            Some(())
        },
    ),
    row(
        "out",
        true,
        "usage reports so many output tokens, reasoning included",
        |c, n| {
            c.output_tokens = Some(u64::from(n));
            Some(())
        },
    ),
    row(
        "cached",
        true,
        "so many of the input tokens are reported as read from a cache",
        |c, n| {
            c.cached_tokens = Some(u64::from(n));
            Some(())
        },
    ),
    row(
        "reason",
        true,
        "so many output tokens are reported as reasoning",
        |c, n| {
            c.reasoning_tokens = Some(u64::from(n));
            Some(())
        },
    ),
    row(
        "e",
        true,
        "answers with this error status (400 to 599) in the caller's dialect; 429 with retry-after",
        |c, n| {
            c.error_status = Some(
                u16::try_from(n)
                    .ok()
                    .and_then(|n| Status::try_from(n).ok())?,
            );
            Some(())
        },
    ),
    row(
        "p",
        true,
        "faults strike only so many percent of the seeds",
        |c, n| {
            c.fault_percent = Some(
                u8::try_from(n)
                    .ok()
                    .and_then(|n| Percent::try_from(n).ok())?,
            );
            Some(())
        },
    ),
    row(
        "torn",
        true,
        "the connection closes after so many events, or halfway through a whole body",
        |c, n| {
            c.torn_after = Some(n);
            Some(())
        },
    ),
    row(
        "stall",
        true,
        "nothing more is sent after so many events, or halfway through a whole body",
        |c, n| {
            c.stall_after = Some(n);
            Some(())
        },
    ),
    row(
        "errevent",
        true,
        "an error event inside the 200 stream after so many events; a whole answer is an error body with status 200",
        |c, n| {
            c.error_event_after = Some(n);
            Some(())
        },
    ),
    row(
        "badjson",
        false,
        "the body, or the second event, is cut JSON",
        |c, _| malformed(c, Malformed::Json),
    ),
    row(
        "badutf8",
        false,
        "the body, or the second event, has bytes that aren't UTF-8",
        |c, _| malformed(c, Malformed::Utf8),
    ),
    row(
        "emptystream",
        false,
        "status 200 and no event at all, or an empty body",
        |c, _| malformed(c, Malformed::Empty),
    ),
    row("html", false, "status 200 with an HTML page", |c, _| {
        malformed(c, Malformed::Html)
    }),
    row("longline", false, "one line of 64 MB", |c, _| {
        malformed(c, Malformed::LongLine)
    }),
    row("nousage", false, "no usage is reported", |c, _| {
        c.usage = Some(UsageReport::Missing);
        Some(())
    }),
    row(
        "contradict",
        false,
        "usage whose parts don't add up to its whole",
        |c, _| {
            c.usage = Some(UsageReport::Contradictory);
            Some(())
        },
    ),
    row(
        "slowhdr",
        false,
        "the head of the answer is held back for ten seconds",
        |c, _| {
            c.first_token = Some(Pause(SLOW_HEAD));
            Some(())
        },
    ),
];

fn millis(n: u32) -> Pause {
    Pause(Duration::from_millis(u64::from(n)))
}

fn malformed(config: &mut SandboxConfig, what: Malformed) -> Option<()> {
    config.malformed = Some(what);
    Some(())
}

/// `config` with the options in `model` on top; the option that isn't understood otherwise.
pub(super) fn apply<'m>(model: &'m str, config: &SandboxConfig) -> Result<SandboxConfig, &'m str> {
    let mut config = config.clone();
    let Some(options) = model.strip_prefix("sandbox-") else {
        return Ok(config);
    };
    for option in options.split('-') {
        let word_len = option.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let (word, digits) = option.split_at_checked(word_len).unwrap_or((option, ""));
        // `badutf8` ends in a digit that belongs to the word.
        let (word, number) = match OPTIONS.iter().find(|row| row.word == option && !row.number) {
            Some(row) => (row.word, Some(0)),
            None => (word, digits.parse().ok()),
        };
        let found = OPTIONS
            .iter()
            .find(|row| row.word == word && (row.number || row.word == option));
        found
            .zip(number)
            .and_then(|(row, n)| (row.set)(&mut config, n))
            .ok_or(option)?;
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_override_the_configuration() {
        let config = SandboxConfig {
            tokens: Some(9),
            bytes: Some(7),
            ..SandboxConfig::default()
        };
        let got = apply(
            "sandbox-d60-i10-n20-in500-out20-e429-p30-badutf8-nousage",
            &config,
        )
        .unwrap();
        assert_eq!(got.first_token, Some(millis(60)));
        assert_eq!(got.per_token, Some(millis(10)));
        assert_eq!((got.tokens, got.bytes), (Some(20), Some(7)));
        assert_eq!((got.input_tokens, got.output_tokens), (Some(500), Some(20)));
        assert_eq!(got.error_status.map(Status::get), Some(429));
        assert_eq!(got.fault_percent.map(Percent::get), Some(30));
        assert_eq!(
            (got.malformed, got.usage),
            (Some(Malformed::Utf8), Some(UsageReport::Missing))
        );
    }

    #[test]
    fn names_the_option_it_does_not_know() {
        for (model, bad) in [
            ("sandbox-x1", "x1"),
            ("sandbox-", ""),
            ("sandbox-n", "n"),
            ("sandbox-e200", "e200"),
            ("sandbox-p101", "p101"),
            ("sandbox-html3", "html3"),
            ("sandbox-n20x", "n20x"),
            ("sandbox-d60-n99999999999", "n99999999999"),
        ] {
            assert_eq!(apply(model, &SandboxConfig::default()), Err(bad), "{model}");
        }
    }

    #[test]
    fn other_names_have_no_options() {
        for model in ["sandbox", "gpt-4o-e429", "sandboxes-e429"] {
            assert_eq!(
                apply(model, &SandboxConfig::default()),
                Ok(SandboxConfig::default()),
                "{model}"
            );
        }
    }

    #[test]
    fn every_option_works_and_is_documented() {
        let page = include_str!("../../../../docs/sandbox.md");
        for row in OPTIONS {
            let model = format!(
                "sandbox-{}{}",
                row.word,
                if row.number { "450" } else { "" }
            )
            .replace("p450", "p45");
            assert_ne!(
                apply(&model, &SandboxConfig::default()),
                Ok(SandboxConfig::default()),
                "{model}"
            );
            assert!(
                page.contains(&format!(
                    "| `-{}{}` | {} |",
                    row.word,
                    if row.number { "N" } else { "" },
                    row.summary
                )),
                "{} is missing in docs/sandbox.md",
                row.word
            );
        }
    }
}
