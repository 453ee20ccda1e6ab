# syntax=docker/dockerfile:1
# The image: one binary, no shell, a user that is not root. docs/lifecycle.md says how it is run.
#   docker build -t lintel .
#   docker run --read-only -v lintel:/var/lib/lintel -v ./lintel.yaml:/etc/lintel/lintel.yaml:ro -p 8080:8080 lintel

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY crates crates
COPY xtask xtask
COPY fuzz fuzz
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package lintel && cp target/release/lintel /lintel && mkdir /store

# glibc, libgcc and certificates of authorities: what the binary links to, and what it trusts.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /lintel /usr/bin/lintel
COPY --from=build --chown=65532:65532 /store /var/lib/lintel
# In lintel.yaml: `listen: 0.0.0.0:8080`, `store: /var/lib/lintel`. The store is the only place that is written to.
ENV LINTEL_STORE=/var/lib/lintel
WORKDIR /var/lib/lintel
VOLUME ["/var/lib/lintel"]
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/bin/lintel", "health"]
ENTRYPOINT ["/usr/bin/lintel"]
CMD ["serve", "--config", "/etc/lintel/lintel.yaml"]
