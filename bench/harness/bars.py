"""What Lintel must reach, as data. A bar without a measurement is printed as not measured, never as met."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Bar:
    """`figure` is one of report.FIGURES, taken in `scenario` (or of the build, when that is None)."""
    says: str
    scenario: str | None
    figure: str
    limit: float
    unit: str


BARS = [
    Bar("CPU of a 1 KB call: data path, journal, metrics", "call1k", "path_ratio", 2.0, "× nginx"),
    Bar("CPU of a 1 KB call: with ledger and log projections", "call1k", "drained_ratio", 3.0, "× nginx"),
    Bar("CPU of a 1 KB call with TLS on both sides, projections included", "tls1k", "drained_ratio", 2.2, "× nginx"),
    Bar("CPU of a 200 KB call, projections included", "big200k", "drained_ratio", 2.0, "× nginx"),
    Bar("CPU of a stream of 20 chunks, projections included", "stream500", "drained_ratio", 1.6, "× nginx"),
    Bar("CPU of a stream of 20 chunks, OpenAI's client to Anthropic's provider", "chat-to-messages", "drained_same", 1.5, "× same protocol"),
    Bar("CPU of a stream of 20 chunks, Anthropic's client to OpenAI's provider", "messages-to-chat", "drained_same", 1.5, "× same protocol"),
    Bar("first token of a stream, added, median", "streamlow", "added_first_p50", 0.3, "ms"),
    Bar("held streams that failed", "hold", "errors", 0, ""),
    Bar("first token of held streams, added, p99", "hold", "added_first_p99", 50, "ms"),
    Bar("resident memory a held stream", "hold", "kb_per_stream", 30, "KB"),
    Bar("idle memory", None, "idle_mib", 40, "MiB"),
    Bar("cold start to ready, median", None, "cold_start_ms", 200, "ms"),
    Bar("binary", None, "binary_mib", 40, "MiB"),
]
