//! Log probabilities: Google's two lists side by side and OpenAI's list of tokens with their rivals.
//! <https://ai.google.dev/api/generate-content#LogprobsResult>

use lintel_types::canon::RawJson;

use crate::json::write::{self, Object};
use crate::json::{self, Node};
use crate::surface::gemini_generate::get;

/// A `logprobsResult` in OpenAI's form.
pub(super) fn read(result: Node<'_>) -> RawJson {
    let list = |key| get(result, key).into_iter().flat_map(|n| n.items());
    let mut rivals = list("topCandidates");
    let mut out = String::new();
    write::object(&mut out, |o| {
        o.array("content", |tokens| {
            for chosen in list("chosenCandidates") {
                let top = rivals.next().and_then(|t| t.get("candidates"));
                tokens.object(|t| {
                    token(chosen, t);
                    t.array("top_logprobs", |a| {
                        for rival in top.iter().flat_map(Node::items) {
                            a.object(|r| token(rival, r));
                        }
                    });
                });
            }
        });
    });
    RawJson::new(out)
}

fn token(candidate: Node<'_>, o: &mut Object<'_>) {
    let text = candidate.get("token").and_then(|t| t.text());
    o.str("token", &text.unwrap_or_default());
    let number = get(candidate, "logProbability");
    o.raw("logprob", number.map_or("0", |n| n.raw()))
        .null("bytes");
}

/// Writes `logprobsResult` from OpenAI's form.
pub(super) fn write(logprobs: &RawJson, o: &mut Object<'_>) {
    let Ok(root) = json::parse(logprobs.as_str().as_bytes()) else {
        return;
    };
    let Some(tokens) = root.get("content").filter(|c| !c.is_null()) else {
        return;
    };
    o.object("logprobsResult", |r| {
        r.array("topCandidates", |a| {
            for token in tokens.items() {
                let top = token.get("top_logprobs");
                a.object(|o| {
                    o.array("candidates", |a| {
                        let rivals = top.iter().flat_map(Node::items);
                        rivals.for_each(|t| {
                            a.object(|o| candidate(t, o));
                        });
                    });
                });
            }
        });
        r.array("chosenCandidates", |a| {
            tokens.items().for_each(|t| {
                a.object(|o| candidate(t, o));
            });
        });
    });
}

fn candidate(token: Node<'_>, o: &mut Object<'_>) {
    let text = token.get("token").and_then(|t| t.text());
    o.str("token", &text.unwrap_or_default());
    let number = token.get("logprob");
    o.raw("logProbability", number.map_or("0", |n| n.raw()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let google = r#"{"topCandidates":[{"candidates":[{"token":"a","logProbability":-0.1},{"token":"b","logProbability":-2.5}]}],"chosenCandidates":[{"token":"a","logProbability":-0.1}]}"#;
        let openai = read(json::parse(google.as_bytes()).unwrap());
        assert_eq!(
            openai.as_str(),
            r#"{"content":[{"token":"a","logprob":-0.1,"bytes":null,"top_logprobs":[{"token":"a","logprob":-0.1,"bytes":null},{"token":"b","logprob":-2.5,"bytes":null}]}]}"#
        );
        let mut out = String::new();
        write::object(&mut out, |o| write(&openai, o));
        assert_eq!(out, format!(r#"{{"logprobsResult":{google}}}"#));
    }
}
