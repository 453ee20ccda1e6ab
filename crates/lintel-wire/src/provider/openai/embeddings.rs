//! What an answer with embeddings says: whether the vectors are there, and what they cost.

use crate::json;
use crate::provider::openai::{failure, usage};
use crate::provider::{ReplyFacts, read_error};

/// Reads a whole 2xx answer.
pub(super) fn reply(body: &[u8]) -> ReplyFacts {
    let mut facts = ReplyFacts::default();
    let Ok(root) = json::parse(body) else {
        facts.malformed = true;
        return facts;
    };
    if root.get("error").is_some_and(|e| !e.is_null()) {
        facts.error = Some(failure::class(200, &read_error(body)));
    }
    let said = root.get("usage").filter(|u| u.kind() == json::Kind::Object);
    if let Some(node) = said {
        facts.usage = usage::read_input(node);
        facts.raw_usage = Some(node.raw().to_owned());
    }
    facts.malformed = root.get("data").is_none() && facts.error.is_none();
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_types::{FailureClass, Meter};

    #[test]
    fn vectors_and_their_usage() {
        let facts = reply(br#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.1]}],"model":"m","usage":{"prompt_tokens":12,"total_tokens":12}}"#);
        assert_eq!(facts.usage.unwrap().lines(), [(Meter::Input, 12)]);
        assert!(!facts.malformed && facts.content_bytes == 0);
    }

    #[test]
    fn what_is_no_answer_is_marked() {
        assert!(reply(b"{").malformed && reply(b"[]").malformed);
        assert!(reply(br#"{"usage":{"total_tokens":1}}"#).malformed);
        let facts = reply(br#"{"error":{"message":"slow down","code":429}}"#);
        assert_eq!(
            (facts.error, facts.malformed),
            (Some(FailureClass::RateLimited), false)
        );
    }
}
