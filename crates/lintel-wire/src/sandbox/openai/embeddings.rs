//! Writes embeddings: a vector for each input, derived from its words alone.
//!
//! Every word pushes a few coordinates up or down, so texts that share words lie near each other, as a model's would.
//! Vectors have length 1. Field names follow recorded traffic of `api.openai.com`;
//! <https://platform.openai.com/docs/api-reference/embeddings>.

use serde::Serialize;
use serde_json::Value;

use super::super::ask::{self, Refusal};
use super::super::config::{SandboxConfig, UsageReport};
use super::super::dialect::{Ids, Plain};
use super::super::dice::{Dice, hash};

pub(in crate::sandbox) const EMBEDDINGS: Plain = Plain {
    answer,
    tongue: &super::DIALECT,
};

/// The length of a vector that isn't told one, and the greatest that may be asked for, as at OpenAI.
const DIMENSIONS: u64 = 1536;
const MOST_DIMENSIONS: u64 = 3072;
/// The most inputs of one request, as at OpenAI.
const MOST_INPUTS: usize = 2048;
/// The most numbers of one answer, so that no request can exhaust memory.
const MOST_NUMBERS: usize = 2_000_000;
/// How many coordinates a word moves.
const PUSHES: usize = 24;

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Embedding>,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

fn answer(body: &[u8], config: &SandboxConfig, ids: &Ids<'_>) -> Result<Vec<u8>, Refusal> {
    let request = ask::object(body)?;
    let inputs = inputs(&request)?;
    let dimensions = dimensions(&request)?;
    if inputs.len().saturating_mul(dimensions) > MOST_NUMBERS {
        let text =
            format!("Too many numbers: inputs times dimensions must be at most {MOST_NUMBERS}.");
        return Err(Refusal::new("input", text));
    }
    let write = writer(&request)?;
    let data = inputs.iter().enumerate().map(|(index, input)| Embedding {
        object: "embedding",
        index,
        embedding: write(vector(input, dimensions)),
    });
    let list = List {
        object: "list",
        data: data.collect(),
        model: ids.model,
        usage: usage(&inputs, config),
    };
    Ok(serde_json::to_vec(&list).unwrap_or_default())
}

/// The inputs: a text, a list of tokens, or a list of either.
fn inputs(request: &Value) -> Result<Vec<&Value>, Refusal> {
    let tokens = |value: &Value| {
        let list = value.as_array().filter(|list| !list.is_empty());
        list.is_some_and(|list| list.iter().all(Value::is_u64))
    };
    let single =
        |value: &Value| value.as_str().is_some_and(|text| !text.is_empty()) || tokens(value);
    let bad = |text: &str| Err(Refusal::new("input", text));
    match request.get("input") {
        None => bad("Missing required parameter: 'input'."),
        Some(input) if single(input) => Ok(vec![input]),
        Some(Value::Array(list)) if list.len() > MOST_INPUTS => bad(&format!(
            "Invalid 'input': array too long. Expected an array with maximum length {MOST_INPUTS}."
        )),
        Some(Value::Array(list)) if !list.is_empty() && list.iter().all(single) => {
            Ok(list.iter().collect())
        }
        Some(_) => bad(
            "Invalid 'input': expected a text, a list of tokens, or a list of either, none of them empty.",
        ),
    }
}

fn dimensions(request: &Value) -> Result<usize, Refusal> {
    let Some(wanted) = request.get("dimensions").filter(|d| !d.is_null()) else {
        return Ok(DIMENSIONS as usize);
    };
    wanted
        .as_u64()
        .filter(|d| (1..=MOST_DIMENSIONS).contains(d))
        .map(|d| d as usize)
        .ok_or_else(|| {
            let text =
                format!("Invalid 'dimensions': expected a value from 1 to {MOST_DIMENSIONS}.");
            Refusal::new("dimensions", text)
        })
}

/// How a vector is written.
fn writer(request: &Value) -> Result<fn(Vec<f32>) -> Vector, Refusal> {
    match request
        .get("encoding_format")
        .map(|f| f.as_str().unwrap_or_default())
    {
        None | Some("float") => Ok(Vector::Floats),
        Some("base64") => Ok(|vector| {
            let bytes: Vec<u8> = vector.iter().flat_map(|v| v.to_le_bytes()).collect();
            Vector::Base64(base64(&bytes))
        }),
        Some(_) => Err(Refusal::new(
            "encoding_format",
            "Invalid value for 'encoding_format': supported values are: 'float' and 'base64'.",
        )),
    }
}

fn usage(inputs: &[&Value], config: &SandboxConfig) -> Option<Usage> {
    let tokens = |input: &&Value| match input {
        Value::Array(tokens) => tokens.len() as u64,
        text => ask::input_tokens(&[Some(*text)]),
    };
    let prompt_tokens = config
        .input_tokens
        .unwrap_or_else(|| inputs.iter().map(tokens).sum());
    let total_tokens = match config.usage.unwrap_or(UsageReport::Truthful) {
        UsageReport::Missing => return None,
        UsageReport::Truthful => prompt_tokens,
        UsageReport::Contradictory => prompt_tokens.saturating_add(1),
    };
    Some(Usage {
        prompt_tokens,
        total_tokens,
    })
}

/// The vector of a text or a list of tokens.
fn vector(input: &Value, dimensions: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f32; dimensions];
    match input {
        Value::String(text) => {
            let words = text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty());
            let mut any = false;
            for word in words {
                push(&mut sums, word.to_lowercase().as_bytes());
                any = true;
            }
            if !any {
                push(&mut sums, text.as_bytes());
            }
        }
        tokens => tokens
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|token| push(&mut sums, token.to_string().as_bytes())),
    }
    unit(sums)
}

/// Moves the coordinates that `word` moves.
fn push(sums: &mut [f32], word: &[u8]) {
    let mut dice = Dice::new(hash(word));
    for _ in 0..PUSHES {
        let at = dice.below(sums.len());
        let by = if dice.below(2) == 0 { 1.0 } else { -1.0 };
        if let Some(sum) = sums.get_mut(at) {
            *sum += by;
        }
    }
}

/// `vector` at length 1; where every push was undone by another, along the first axis.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|v| *v /= length);
    } else if let Some(first) = vector.first_mut() {
        *first = 1.0;
    }
    vector
}

/// Standard base64 with padding. <https://www.rfc-editor.org/rfc/rfc4648#section-4>
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let six = (word >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(six as usize).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn near(a: &str, b: &str) -> f32 {
        let (a, b) = (vector(&json!(a), 512), vector(&json!(b), 512));
        a.iter().zip(&b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_words_are_near() {
        let one = "how do I reset my password";
        assert!((near(one, one) - 1.0).abs() < 1e-5);
        assert!((near(one, "How do I RESET my password?") - 1.0).abs() < 1e-5);
        assert!(near(one, "how can I reset a password") > 0.4);
        assert!(near(one, "the weather in Paris").abs() < 0.3);
    }

    #[test]
    fn every_vector_has_length_one() {
        for dimensions in [1, 2, 3, 128, 3072] {
            for input in [json!("a"), json!("?!"), json!([1, 2, 3]), json!("a b c d")] {
                let vector = vector(&input, dimensions);
                let length: f32 = vector.iter().map(|v| v * v).sum();
                assert_eq!(vector.len(), dimensions);
                assert!(
                    (length - 1.0).abs() < 1e-4,
                    "{input} {dimensions}: {length}"
                );
            }
        }
    }

    #[test]
    fn base64_as_the_standard_has_it() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }
}
