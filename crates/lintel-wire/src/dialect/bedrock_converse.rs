//! Amazon Bedrock's Converse dialect to and from the canonical form.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! Decides nothing itself: the folder holds one file for each thing that is read or written. It must not know
//! the other dialect. Streams are AWS frames outside, and `{"<event-type>":{…}}` here.

use lintel_types::Surface;
use lintel_types::canon::{Reply, Request};

use super::{BadReply, Decoder, Dialect, Encoded, Encoder, Target, Way};
use crate::aws_events;
use crate::surface::{BEDROCK_CONVERSE, Head};

mod block;
mod citation;
mod media;
mod model;
mod part;
mod plan;
mod reply;
mod request;
mod rest;
mod settings;
mod stop;
mod stream_in;
mod stream_out;
#[cfg(test)]
mod tests;
mod tools;
mod usage;
mod write_request;
mod write_settings;

/// The dialect.
pub(super) struct BedrockConverse;

impl Dialect for BedrockConverse {
    fn surface(&self) -> Surface {
        BEDROCK_CONVERSE
    }

    fn decode_request(&self, body: &[u8], head: &Head) -> Result<Request, lintel_types::Error> {
        request::decode(body, head)
    }

    fn encode_request(&self, request: &Request, target: &Target<'_>) -> Encoded {
        write_request::encode(request, target)
    }

    fn decode_reply(&self, body: &[u8], way: &Way) -> Result<Reply, BadReply> {
        reply::decode(body, way)
    }

    fn encode_reply(&self, reply: &Reply, _way: &Way) -> Encoded {
        reply::encode(reply)
    }

    fn decoder(&self, way: &Way) -> Box<dyn Decoder> {
        Box::new(stream_in::Reader::new(way.json_tool))
    }

    fn encoder(&self, _way: &Way) -> Box<dyn Encoder> {
        Box::<stream_out::Writer>::default()
    }

    fn stream_type(&self) -> &'static str {
        aws_events::CONTENT_TYPE
    }
}
