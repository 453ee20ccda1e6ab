//! Decides whether an answer is a good one: the status, the exact length of a plain body, the
//! number of events and the terminator of a stream.
//!
//! A gateway that loses, adds or cuts anything must not look fast, so what isn't exactly the
//! expected answer counts as an error.

use memchr::memchr;

/// What a good answer has.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    /// The answer is an event stream that must end with its terminator.
    pub(crate) stream: bool,
    /// Bytes of the body, exactly.
    pub(crate) bytes: Option<u64>,
    /// `data:` lines of a stream, exactly, the terminator's included.
    pub(crate) events: Option<u64>,
}

/// As much of a line as tells what kind it is.
const PREFIX: usize = 20;

/// What has been seen of an answer's body.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Body bytes.
    pub(crate) bytes: u64,
    /// `data:` lines begun.
    pub(crate) events: u64,
    terminated: bool,
    line: [u8; PREFIX],
    line_len: usize,
}

impl Seen {
    /// Takes body bytes of a plain answer.
    pub(crate) fn plain(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
    }

    /// Takes body bytes of a stream. Lines are counted when their first bytes are known.
    pub(crate) fn stream(&mut self, mut bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let end = memchr(b'\n', bytes);
            let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
            self.line(line);
            if end.is_some() {
                self.line_len = 0;
            }
            bytes = rest;
        }
    }

    fn line(&mut self, part: &[u8]) {
        let before = self.line_len;
        for (slot, byte) in self.line.iter_mut().skip(before).zip(part) {
            *slot = *byte;
        }
        self.line_len = (before + part.len()).min(PREFIX);
        let now = self.line.get(..self.line_len).unwrap_or_default();
        let begins = |text: &[u8]| before < text.len() && now.starts_with(text);
        if begins(b"data:") {
            self.events += 1;
        }
        if begins(b"data: [DONE]") || begins(b"event: message_stop") {
            self.terminated = true;
        }
    }

    /// Whether this is the expected answer; otherwise the name of what is wrong.
    pub(crate) fn judge(&self, status: u16, expected: &Expected) -> Result<(), String> {
        if status != 200 {
            return Err(format!("status {status}"));
        }
        if let Some(bytes) = expected.bytes
            && bytes != self.bytes
        {
            let what = if self.bytes < bytes {
                "short body"
            } else {
                "long body"
            };
            return Err(what.to_owned());
        }
        if expected.stream && !self.terminated {
            return Err("stream without its terminator".to_owned());
        }
        if let Some(events) = expected.events
            && events != self.events
        {
            let what = if self.events < events {
                "events missing"
            } else {
                "events too many"
            };
            return Err(what.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b": hold\n\ndata: {\"a\":\"data: [DONE]\"}\n\ndata: {}\n\ndata: [DONE]\n\n";
    const WHOLE: Expected = Expected {
        stream: true,
        bytes: None,
        events: Some(3),
    };

    fn seen(parts: &[&[u8]]) -> Seen {
        let mut seen = Seen::default();
        parts.iter().for_each(|part| seen.stream(part));
        seen
    }

    #[test]
    fn every_cut_counts_the_same() {
        for cut in 0..=STREAM.len() {
            assert_eq!(
                seen(&[&STREAM[..cut], &STREAM[cut..]]).judge(200, &WHOLE),
                Ok(()),
                "cut at {cut}"
            );
        }
        let single: Vec<&[u8]> = STREAM.chunks(1).collect();
        assert_eq!(seen(&single).judge(200, &WHOLE), Ok(()));
    }

    #[test]
    fn says_what_is_wrong() {
        let without_end = &STREAM[..STREAM.len() - 14];
        assert_eq!(
            seen(&[without_end]).judge(200, &WHOLE),
            Err("stream without its terminator".into())
        );
        assert_eq!(
            seen(&[b"data: [DONE]\n\n"]).judge(200, &WHOLE),
            Err("events missing".into())
        );
        assert_eq!(
            seen(&[STREAM, b"data: x\n\n"]).judge(200, &WHOLE),
            Err("events too many".into())
        );
        assert_eq!(seen(&[STREAM]).judge(503, &WHOLE), Err("status 503".into()));
    }

    #[test]
    fn a_plain_body_has_its_length() {
        let expected = Expected {
            bytes: Some(4),
            ..Expected::default()
        };
        let mut seen = Seen::default();
        seen.plain(b"abc");
        assert_eq!(seen.judge(200, &expected), Err("short body".into()));
        seen.plain(b"d");
        assert_eq!(seen.judge(200, &expected), Ok(()));
        seen.plain(b"e");
        assert_eq!(seen.judge(200, &expected), Err("long body".into()));
    }

    #[test]
    fn a_messages_stream_ends_with_message_stop() {
        let stream = b"event: message_start\ndata: {}\n\nevent: message_stop\ndata: {}\n\n";
        let expected = Expected {
            stream: true,
            bytes: None,
            events: Some(2),
        };
        assert_eq!(seen(&[stream]).judge(200, &expected), Ok(()));
    }
}
