//! Usage as Converse reports it: `inputTokens` excludes cached tokens, `totalTokens` includes them.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>

use lintel_types::{Meter, Usage};

use super::super::count::{Counts, MOST_TOKENS};
use crate::json::Node;

/// Reads a usage object; none when neither input nor output is in it.
pub(crate) fn read(node: Node<'_>) -> Option<Usage> {
    let counts = Counts::of(node);
    let at = |key: &str| counts.tokens(&[key]);
    let (input, output) = (at("inputTokens"), at("outputTokens"));
    input.or(output)?;
    // The same number under two names.
    let read = at("cacheReadInputTokens").or_else(|| at("cacheReadInputTokenCount"));
    let written = at("cacheWriteInputTokens").or_else(|| at("cacheWriteInputTokenCount"));
    let (read, written) = (read.unwrap_or(0), written.unwrap_or(0));
    let details = node.get("cacheDetails");
    let one_hour = details
        .iter()
        .flat_map(Node::items)
        .filter(|d| d.get("ttl").and_then(|t| t.text()).as_deref() == Some("1h"))
        .filter_map(|d| d.get("inputTokens")?.u64())
        .fold(0, |sum: u64, n| sum.saturating_add(n.min(MOST_TOKENS)));
    let total = at("totalTokens");
    let (half, long) = (input.is_none() || output.is_none(), one_hour > written);
    let (input, output) = (input.unwrap_or(0), output.unwrap_or(0));
    let one_hour = one_hour.min(written);
    let mut usage = Usage::new();
    usage
        .add(Meter::Input, input)
        .add(Meter::CacheRead, read)
        .add(Meter::CacheWrite5m, written - one_hour)
        .add(Meter::CacheWrite1h, one_hour)
        .add(Meter::Output, output);
    let sum = input + read + written + output;
    usage.reported_total = total;
    usage.inconsistent = counts.doubtful() || half || long || total.is_some_and(|t| t != sum);
    Some(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(doc: &str, lines: &[(Meter, u64)], inconsistent: bool) {
        let usage = read(json::parse(doc.as_bytes()).unwrap()).unwrap();
        assert_eq!(usage.lines(), lines, "{doc}");
        assert_eq!(usage.inconsistent, inconsistent, "{doc}");
    }

    #[test]
    fn cached_tokens_are_outside_the_input_and_counted_once() {
        check(
            r#"{"inputTokens":3,"outputTokens":227,"totalTokens":1942,"cacheReadInputTokens":0,"cacheReadInputTokenCount":0,"cacheWriteInputTokens":1712,"cacheWriteInputTokenCount":1712,"cacheDetails":[{"inputTokens":1000,"ttl":"5m"},{"inputTokens":712,"ttl":"1h"}],"serverToolUsage":{}}"#,
            &[
                (Meter::Input, 3),
                (Meter::CacheWrite5m, 1000),
                (Meter::CacheWrite1h, 712),
                (Meter::Output, 227),
            ],
            false,
        );
        check(
            r#"{"inputTokens":3,"outputTokens":5,"cacheReadInputTokenCount":7}"#,
            &[(Meter::Input, 3), (Meter::CacheRead, 7), (Meter::Output, 5)],
            false,
        );
    }

    #[test]
    fn contradictions_are_flagged_and_nothing_is_no_usage() {
        check(
            r#"{"inputTokens":3,"outputTokens":5,"totalTokens":9}"#,
            &[(Meter::Input, 3), (Meter::Output, 5)],
            true,
        );
        check(r#"{"inputTokens":3}"#, &[(Meter::Input, 3)], true);
        check(
            r#"{"inputTokens":3,"outputTokens":"x"}"#,
            &[(Meter::Input, 3)],
            true,
        );
        check(
            r#"{"inputTokens":3,"outputTokens":5,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}"#,
            &[(Meter::Input, 3), (Meter::Output, 5)],
            true,
        );
        assert_eq!(read(json::parse(b"{\"totalTokens\":1}").unwrap()), None);
    }
}
