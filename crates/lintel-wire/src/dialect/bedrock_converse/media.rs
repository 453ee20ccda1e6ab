//! Media in Converse: a format's name instead of a media type, bytes or a place in S3 instead of a URL, and a
//! name that every document must have.

use lintel_types::canon::Source;

use crate::json::Node;
use crate::json::write::Object;

/// Formats by name, each with its media type; further spellings of a media type follow. The first match counts,
/// in both directions.
pub(super) struct Formats {
    rows: &'static [(&'static str, &'static str)],
    /// The beginning of media types of formats that have no row.
    family: &'static str,
}

pub(super) const IMAGES: Formats = Formats {
    family: "image/",
    rows: &[
        ("png", "image/png"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
        ("jpeg", "image/jpg"),
    ],
};

pub(super) const AUDIO: Formats = Formats {
    family: "audio/",
    rows: &[
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("opus", "audio/opus"),
        ("aac", "audio/aac"),
        ("flac", "audio/flac"),
        ("ogg", "audio/ogg"),
        ("mp4", "audio/mp4"),
        ("m4a", "audio/m4a"),
        ("webm", "audio/webm"),
        ("pcm", "audio/pcm"),
        ("mka", "audio/x-matroska"),
        ("mp3", "audio/mp3"),
        ("wav", "audio/x-wav"),
        ("m4a", "audio/x-m4a"),
    ],
};

pub(super) const VIDEOS: Formats = Formats {
    family: "video/",
    rows: &[
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("mkv", "video/x-matroska"),
        ("webm", "video/webm"),
        ("flv", "video/x-flv"),
        ("mpeg", "video/mpeg"),
        ("mpg", "video/mpg"),
        ("wmv", "video/x-ms-wmv"),
        ("wmv", "video/wmv"),
        ("three_gp", "video/3gpp"),
    ],
};

pub(super) const DOCUMENTS: Formats = Formats {
    family: "application/",
    rows: &[
        ("pdf", "application/pdf"),
        ("csv", "text/csv"),
        ("doc", "application/msword"),
        (
            "docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("xls", "application/vnd.ms-excel"),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("html", "text/html"),
        ("txt", "text/plain"),
        ("md", "text/markdown"),
        ("md", "text/x-markdown"),
    ],
};

impl Formats {
    fn format(&self, media_type: &str) -> Option<&'static str> {
        let bare = media_type.split(';').next().unwrap_or_default().trim();
        let row = self.rows.iter().find(|(_, m)| m.eq_ignore_ascii_case(bare));
        row.map(|(format, _)| *format)
    }

    fn media_type(&self, format: &str) -> String {
        let row = self.rows.iter().find(|(f, _)| *f == format);
        row.map_or_else(
            || format!("{}{format}", self.family),
            |(_, media_type)| (*media_type).to_owned(),
        )
    }

    /// Reads `{"format":…,"source":{…}}`; none for a source of a kind that has no word elsewhere.
    pub(super) fn read(&self, value: Node<'_>) -> Option<Source> {
        let source = value.get("source")?;
        let format = value.get("format").and_then(|f| f.text());
        let text = |key: &str| source.get(key).and_then(|t| t.text());
        if let Some(data) = text("bytes") {
            return Some(Source::Inline {
                media_type: self.media_type(&format?),
                data: data.into_owned(),
            });
        }
        if let Some(text) = text("text") {
            return Some(Source::Text(text.into_owned()));
        }
        let place = source.get("s3Location")?;
        let (uri, owner) = (place.get("uri")?.text()?, place.get("bucketOwner"));
        // A bucket of another account, and a format that the address doesn't end in, would be lost.
        let told = format.is_some_and(|f| self.of_name(&uri) == Some(&*f));
        (owner.is_none() && told).then(|| Source::Url(uri.into_owned()))
    }

    /// The format that a file's name ends in.
    fn of_name(&self, name: &str) -> Option<&'static str> {
        let end = name.rsplit('.').next()?.to_ascii_lowercase();
        let end = match &*end {
            "jpg" => "jpeg",
            "3gp" => "three_gp",
            "htm" => "html",
            other => other,
        };
        let row = self.rows.iter().find(|(format, _)| *format == end);
        row.map(|(format, _)| *format)
    }

    /// Finds how `source` is written; none when Bedrock can't be given it.
    pub(super) fn place<'s>(&self, source: &'s Source) -> Option<Placed<'s>> {
        match source {
            Source::Inline { media_type, data } => Some(Placed {
                format: self.format(media_type)?,
                key: "bytes",
                value: data,
            }),
            Source::Url(uri) if uri.starts_with("s3://") => Some(Placed {
                format: self.of_name(uri)?,
                key: "s3Location",
                value: uri,
            }),
            Source::Text(text) => Some(Placed {
                format: self.format("text/plain")?,
                key: "text",
                value: text,
            }),
            Source::Url(_) | Source::File(_) => None,
        }
    }
}

/// A source as Converse has it.
pub(super) struct Placed<'s> {
    format: &'static str,
    key: &'static str,
    value: &'s str,
}

impl Placed<'_> {
    /// Writes `format` and `source`.
    pub(super) fn write(&self, o: &mut Object<'_>) {
        self.write_format(o);
        self.write_source(o);
    }

    /// Writes `format`.
    pub(super) fn write_format(&self, o: &mut Object<'_>) {
        o.str("format", self.format);
    }

    /// Writes `source`.
    pub(super) fn write_source(&self, o: &mut Object<'_>) {
        o.object("source", |o| match self.key {
            "s3Location" => {
                o.object("s3Location", |o| {
                    o.str("uri", self.value);
                });
            }
            key => {
                o.str(key, self.value);
            }
        });
    }
}

/// The longest name of a document.
const LONGEST_NAME: usize = 200;

/// Names of documents: letters, digits, single spaces, hyphens, parentheses and brackets; each once in a request.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The name to write for `title`, and whether it says the same.
    pub(super) fn of(&mut self, title: Option<&str>) -> (String, bool) {
        let wanted = title.map(clean).filter(|n| !n.is_empty());
        let mut name = wanted.unwrap_or_else(|| "document".to_owned());
        let same = title.is_none_or(|t| t == name);
        let first = name.clone();
        let mut count = 1;
        while self.0.contains(&name) {
            count += 1;
            name = format!("{first} {count}");
        }
        self.0.push(name.clone());
        (name, same && count == 1)
    }
}

fn clean(title: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let spaced: String = title
        .chars()
        .map(|c| if allowed(c) { c } else { ' ' })
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .take(LONGEST_NAME)
        .collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_media_types_meet() {
        for table in [IMAGES, AUDIO, VIDEOS, DOCUMENTS] {
            for (format, media_type) in table.rows {
                assert_eq!(table.format(media_type), Some(*format));
                assert_eq!(table.format(&table.media_type(format)), Some(*format));
            }
        }
        assert_eq!(IMAGES.format("image/PNG; q=1"), Some("png"));
        assert_eq!(IMAGES.format("image/tiff"), None);
        assert_eq!(IMAGES.media_type("novel"), "image/novel");
    }

    #[test]
    fn documents_have_names_that_are_taken_and_distinct() {
        let mut names = Names::default();
        assert_eq!(names.of(Some("Report [1]")), ("Report [1]".into(), true));
        assert_eq!(names.of(Some("a/b_c.pdf")), ("a b c pdf".into(), false));
        assert_eq!(names.of(None), ("document".into(), true));
        assert_eq!(names.of(None), ("document 2".into(), false));
        assert_eq!(names.of(Some("…")).0, "document 3");
    }
}
