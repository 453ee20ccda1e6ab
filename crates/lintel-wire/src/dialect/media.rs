//! Media between dialects: `data:` URLs and inline base64 are the same bytes written two ways.

use lintel_types::canon::Source;

/// The source that a URL names: a `data:` URL in base64 is inline.
/// <https://www.rfc-editor.org/rfc/rfc2397>
pub(crate) fn source_of_url(url: &str) -> Source {
    let inline = || {
        let (media_type, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
        // Parameters such as `;charset=utf-8` say nothing about base64 bytes of media.
        let media_type = media_type.split(';').next().unwrap_or_default();
        Some(Source::Inline {
            media_type: media_type.to_owned(),
            data: data.to_owned(),
        })
    };
    inline().unwrap_or_else(|| Source::Url(url.to_owned()))
}

/// The source as a URL; none for a provider's file id and for plain text.
pub(crate) fn url_of(source: &Source) -> Option<String> {
    match source {
        Source::Inline { media_type, data } => Some(format!("data:{media_type};base64,{data}")),
        Source::Url(url) => Some(url.clone()),
        Source::File(_) | Source::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_inline_and_back() {
        let url = "data:image/png;base64,AAAA";
        let source = source_of_url(url);
        assert!(
            matches!(&source, Source::Inline { media_type, data } if media_type == "image/png" && data == "AAAA")
        );
        assert_eq!(url_of(&source).as_deref(), Some(url));
        let plain = "https://example.com/a.png";
        assert_eq!(source_of_url(plain), Source::Url(plain.into()));
        // Not base64: kept as the URL that it is.
        assert_eq!(source_of_url("data:,hi"), Source::Url("data:,hi".into()));
    }
}
