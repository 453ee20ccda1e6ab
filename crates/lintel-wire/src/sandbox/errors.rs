//! Errors as the real APIs word them.

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) message: String,
    /// OpenAI's `type`.
    pub(super) openai_type: &'static str,
    /// OpenAI's `code`.
    pub(super) openai_code: Option<&'static str>,
    /// OpenAI's `param`.
    pub(super) param: Option<&'static str>,
    /// Anthropic's `error.type`.
    pub(super) anthropic_type: &'static str,
}

/// Rows: status, OpenAI's type and code, Anthropic's type, message. Sources: the error pages of
/// <https://platform.openai.com/docs/guides/error-codes> and <https://docs.anthropic.com/en/api/errors>.
type Row = (
    u16,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
);

const ROWS: &[Row] = &[
    (
        400,
        "invalid_request_error",
        Some("invalid_value"),
        "invalid_request_error",
        "Invalid request: the sandbox was told to refuse it.",
    ),
    (
        401,
        "invalid_request_error",
        Some("invalid_api_key"),
        "authentication_error",
        "Incorrect API key provided: sandbox****0000.",
    ),
    (
        403,
        "invalid_request_error",
        Some("unsupported_country_region_territory"),
        "permission_error",
        "Your credential may not use this model.",
    ),
    (
        404,
        "invalid_request_error",
        Some("model_not_found"),
        "not_found_error",
        "The model does not exist or you do not have access to it.",
    ),
    (
        408,
        "invalid_request_error",
        Some("request_timeout"),
        "timeout_error",
        "Request timed out.",
    ),
    (
        413,
        "invalid_request_error",
        Some("request_too_large"),
        "request_too_large",
        "Request exceeds the maximum allowed number of bytes.",
    ),
    (
        429,
        "requests",
        Some("rate_limit_exceeded"),
        "rate_limit_error",
        "Rate limit reached for requests. Please try again in 1s.",
    ),
    (
        500,
        "server_error",
        None,
        "api_error",
        "The server had an error while processing your request. Sorry about that!",
    ),
    (
        503,
        "server_error",
        Some("service_unavailable"),
        "overloaded_error",
        "The engine is currently overloaded, please try again later.",
    ),
    (
        504,
        "server_error",
        Some("timeout"),
        "timeout_error",
        "The request took too long to process.",
    ),
    (
        529,
        "server_error",
        Some("overloaded"),
        "overloaded_error",
        "Overloaded",
    ),
];

/// The error of an HTTP status.
pub(super) fn of_status(status: u16) -> Fault {
    let fallback = if status < 500 { 400 } else { 500 };
    let row = ROWS
        .iter()
        .find(|r| r.0 == status)
        .or_else(|| ROWS.iter().find(|r| r.0 == fallback));
    let (openai_type, openai_code, anthropic_type, message) = row.map_or(
        (
            "server_error",
            None,
            "api_error",
            "The server had an error.",
        ),
        |r| (r.1, r.2, r.3, r.4),
    );
    Fault {
        status,
        message: message.to_owned(),
        openai_type,
        openai_code,
        param: None,
        anthropic_type,
    }
}

/// 400: the request is wrong.
pub(super) fn bad_request(param: Option<&'static str>, message: String) -> Fault {
    Fault {
        message,
        param,
        ..of_status(400)
    }
}

/// 404: the model's name has an option that isn't understood.
pub(super) fn unknown_option(model: &str, option: &str) -> Fault {
    let message = format!(
        "The model `{model}` does not exist: the sandbox has no option `{option}`; docs/sandbox.md lists them."
    );
    Fault {
        message,
        param: Some("model"),
        ..of_status(404)
    }
}
