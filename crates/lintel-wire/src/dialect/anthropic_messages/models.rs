//! What each generation of models at an Anthropic target accepts: the API refuses with a 400 what a model
//! doesn't know, so the writer must know it first. Knows names and limits, nothing of requests.
//!
//! Sources: the model pages and migration guides under <https://platform.claude.com/docs/en/models>, the pages
//! on effort, thinking and structured outputs under <https://platform.claude.com/docs/en/build-with-claude>,
//! and recorded answers. A model newer than the table is taken for the newest of its family; a name that is no
//! Claude's (another vendor's model behind a compatible API) gets what every such API has.

/// What a model accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    /// The most output tokens that it may be asked for.
    pub(super) cap: u64,
    /// `temperature`, `top_p` and `top_k`.
    pub(super) sampling: Sampling,
    /// How it is asked to think.
    pub(super) thinking: Thinking,
    /// Whether, and how, thinking is switched off.
    pub(super) off: Off,
    /// The words of `output_config.effort`, the strongest last; empty when there is no effort.
    pub(super) efforts: &'static [&'static str],
    /// It knows `output_config.format` and `strict` tools.
    pub(super) schema: bool,
    /// A tool may be forced by `tool_choice`.
    pub(super) forced: bool,
    /// It takes `system` messages between turns.
    pub(super) inline_system: bool,
}

/// Which sampling parameters a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All, together.
    All,
    /// `temperature` or `top_p`, not both.
    One,
    /// None.
    None,
}

/// How a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It doesn't.
    No,
    /// With a budget of tokens.
    Budget,
    /// With a budget, or as it sees fit.
    Either,
    /// As it sees fit, with an effort.
    Adaptive,
}

/// How thinking is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Off {
    /// It is off unless asked for.
    Absent,
    /// `{"type":"disabled"}`.
    Disabled,
    /// `{"type":"between_tools"}`, the least there is.
    BetweenTools,
    /// Not at all.
    Never,
}

/// The cap that is written for a client that set none: `max_tokens` is mandatory here, optional elsewhere.
/// Long enough for an answer with reasoning, short enough for every model that thinks.
const DEFAULT_OUTPUT: u64 = 32_000;

/// The same for models behind compatible APIs, whose caps aren't known.
const DEFAULT_FOREIGN: u64 = 8_192;

const LOW_TO_HIGH: &[&str] = &["low", "medium", "high"];
const LOW_TO_MAX: &[&str] = &["low", "medium", "high", "max"];
const ALL_EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];

/// Another vendor's model behind a compatible API.
const FOREIGN: Model = Model {
    cap: u64::MAX,
    sampling: Sampling::All,
    thinking: Thinking::Budget,
    off: Off::Disabled,
    efforts: &[],
    schema: false,
    forced: true,
    inline_system: false,
};

const CLAUDE_3: Model = Model {
    cap: 4_096,
    thinking: Thinking::No,
    off: Off::Absent,
    ..FOREIGN
};
const CLAUDE_3_5: Model = Model {
    cap: 8_192,
    ..CLAUDE_3
};
const CLAUDE_3_7: Model = Model {
    cap: 64_000,
    ..FOREIGN
};
const CLAUDE_4_OPUS: Model = Model {
    cap: 32_000,
    ..CLAUDE_3_7
};
const CLAUDE_4_1: Model = Model {
    sampling: Sampling::One,
    ..CLAUDE_4_OPUS
};
const CLAUDE_4_5: Model = Model {
    cap: 64_000,
    schema: true,
    ..CLAUDE_4_1
};
const CLAUDE_4_5_OPUS: Model = Model {
    efforts: LOW_TO_HIGH,
    ..CLAUDE_4_5
};
const CLAUDE_4_6: Model = Model {
    cap: 128_000,
    thinking: Thinking::Either,
    efforts: LOW_TO_MAX,
    ..CLAUDE_4_5
};
const CLAUDE_4_7: Model = Model {
    sampling: Sampling::None,
    thinking: Thinking::Adaptive,
    off: Off::Absent,
    efforts: ALL_EFFORTS,
    ..CLAUDE_4_6
};
const CLAUDE_4_8: Model = Model {
    inline_system: true,
    ..CLAUDE_4_7
};
const CLAUDE_5: Model = Model {
    off: Off::Disabled,
    ..CLAUDE_4_8
};
const CLAUDE_5_SONNET: Model = Model {
    inline_system: false,
    ..CLAUDE_5
};
const CLAUDE_5_FABLE: Model = Model {
    off: Off::Never,
    ..CLAUDE_5
};
const CLAUDE_5_1_FABLE: Model = Model {
    forced: false,
    ..CLAUDE_5_FABLE
};
const CLAUDE_5_5_SONNET: Model = Model {
    off: Off::BetweenTools,
    ..CLAUDE_5_1_FABLE
};

/// A family from a version on, until the next row of the same family; the newest first.
const ROWS: &[(&str, (u32, u32), Model)] = &[
    ("fable", (5, 1), CLAUDE_5_1_FABLE),
    ("fable", (0, 0), CLAUDE_5_FABLE),
    ("mythos", (5, 1), CLAUDE_5_1_FABLE),
    ("mythos", (0, 0), CLAUDE_5_FABLE),
    ("opus", (5, 5), CLAUDE_5_1_FABLE),
    ("opus", (5, 0), CLAUDE_5),
    ("opus", (4, 8), CLAUDE_4_8),
    ("opus", (4, 7), CLAUDE_4_7),
    ("opus", (4, 6), CLAUDE_4_6),
    ("opus", (4, 5), CLAUDE_4_5_OPUS),
    ("opus", (4, 1), CLAUDE_4_1),
    ("opus", (4, 0), CLAUDE_4_OPUS),
    ("sonnet", (5, 5), CLAUDE_5_5_SONNET),
    ("sonnet", (5, 0), CLAUDE_5_SONNET),
    ("sonnet", (4, 6), CLAUDE_4_6),
    ("sonnet", (4, 5), CLAUDE_4_5),
    ("haiku", (5, 0), CLAUDE_5),
    ("haiku", (4, 5), CLAUDE_4_5),
    // Up to here families differ; below, generations are alike.
    ("", (3, 7), CLAUDE_3_7),
    ("", (3, 5), CLAUDE_3_5),
    ("", (0, 0), CLAUDE_3),
];

/// What the model called `name` accepts. Names come with prefixes and suffixes of platforms:
/// `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-opus-4@20250514`, `anthropic/claude-opus-4.1`.
pub(super) fn model(name: &str) -> Model {
    let name = name.to_ascii_lowercase();
    let Some((_, rest)) = name.split_once("claude") else {
        return FOREIGN;
    };
    let mut family = "";
    let mut numbers: Vec<u32> = Vec::new();
    let mut adjacent = true;
    for word in rest.split(|c: char| !c.is_ascii_alphanumeric()) {
        match word.parse() {
            // A date or a revision is no version.
            Ok(number) if word.len() <= 2 && adjacent && numbers.len() < 2 => numbers.push(number),
            Ok(_) => adjacent = false,
            Err(_) => adjacent = numbers.is_empty(),
        }
        let known = ROWS.iter().map(|(f, ..)| *f).find(|f| *f == word);
        family = known.filter(|f| !f.is_empty()).unwrap_or(family);
    }
    let version = match (numbers.first(), numbers.get(1)) {
        (Some(major), minor) => (*major, minor.copied().unwrap_or(0)),
        // `claude-opus-latest`, or a code name: the newest.
        (None, _) => (u32::MAX, 0),
    };
    let row = ROWS
        .iter()
        .find(|(f, from, _)| (*f == family || f.is_empty()) && version >= *from);
    row.map_or(FOREIGN, |(_, _, model)| *model)
}

impl Model {
    /// The cap that is written when the client set none.
    pub(super) fn default_output(&self) -> u64 {
        if self.cap == u64::MAX {
            DEFAULT_FOREIGN
        } else {
            self.cap.min(DEFAULT_OUTPUT)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_platform_are_read() {
        for (name, wanted) in [
            ("claude-3-haiku-20240307", CLAUDE_3),
            ("claude-3-opus-latest", CLAUDE_3),
            ("claude-3-5-sonnet-20241022", CLAUDE_3_5),
            ("claude-3-7-sonnet-latest", CLAUDE_3_7),
            ("claude-sonnet-4-20250514", CLAUDE_3_7),
            ("claude-sonnet-4-0", CLAUDE_3_7),
            ("claude-opus-4@20250514", CLAUDE_4_OPUS),
            ("anthropic/claude-opus-4.1", CLAUDE_4_1),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", CLAUDE_4_5),
            ("claude-haiku-4-5", CLAUDE_4_5),
            ("claude-opus-4-5-20251101", CLAUDE_4_5_OPUS),
            ("claude-opus-4-6", CLAUDE_4_6),
            ("anthropic/claude-4.6-sonnet", CLAUDE_4_6),
            ("claude-opus-4-7", CLAUDE_4_7),
            ("claude-opus-4-8", CLAUDE_4_8),
            ("claude-opus-5", CLAUDE_5),
            ("claude-sonnet-5", CLAUDE_5_SONNET),
            ("claude-fable-5", CLAUDE_5_FABLE),
            ("claude-fable-5-2", CLAUDE_5_1_FABLE),
            ("claude-mythos-preview", CLAUDE_5_1_FABLE),
            ("claude-opus-5-5", CLAUDE_5_1_FABLE),
            ("claude-sonnet-5-5", CLAUDE_5_5_SONNET),
            ("claude-haiku-5-5", CLAUDE_5),
            ("claude-opus-latest", CLAUDE_5_1_FABLE),
            ("kimi-k2", FOREIGN),
        ] {
            assert_eq!(model(name), wanted, "{name}");
        }
    }

    #[test]
    fn nobody_is_asked_for_more_than_the_cap() {
        for (name, output) in [
            ("claude-3-haiku-20240307", 4_096),
            ("claude-3-5-haiku-latest", 8_192),
            ("claude-sonnet-4-5", 32_000),
            ("deepseek-chat", 8_192),
        ] {
            assert_eq!(model(name).default_output(), output, "{name}");
        }
    }
}
